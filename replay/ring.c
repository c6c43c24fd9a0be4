/* SPDX-License-Identifier: MIT */
/* Rings and the thread that empties them; see ring.h. */
#include "ring.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

enum {
    COMMIT_PART = 4,     /* of a ring: taken and not committed, at most */
    IDLE_NS = 500000,    /* the writer's pause when there is nothing to do */
    STALL_NS = 50000,    /* a recorded thread's, when its ring is full */
    COMMIT_PAUSES = 400, /* commit after so many pauses, about 200 ms */
};

/* The inputs of one ring that wait for a full chunk. */
typedef struct Batch {
    Input inputs[CHUNK_INPUTS];
    unsigned n;
} Batch;

struct RingSet {
    Log *log;
    BlackBox *box;
    pthread_t writer;
    bool stop;
    Batch *batches; /* by ring */
    uint64_t *last_tickets; /* by ring: what the log has already */
    pthread_mutex_t lock;   /* of what follows */
    unsigned n_free;
    Ring *free[RINGS_MAX]; /* that threads gave back; the newest is warm */
    unsigned pauses; /* since the last commit */
    uint64_t inputs;
    GByteArray *bytes;
};

/* ---- The recorded thread ---- */

void ring_wait_slowly(Ring *ring, unsigned n)
{
    struct timespec pause = {.tv_nsec = STALL_NS};
    bool stalled = false;

    for (;;) {
        ring->seen_durable = qatomic_load_acquire(&ring->durable);
        if (ring->head + n - ring->seen_durable <= ring->mask + 1) {
            break;
        }
        stalled = true;
        /* Not sched_yield(): the writer needs this processor, or another
         * thread does, and the time would be ours. */
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
    ring->stalls += stalled;
}

void ring_put_bytes(Ring *ring, uint64_t hash, const void *data, size_t len)
{
    const char *p = data;

    ring_wait(ring, 1);
    *ring_slot(ring, ring->head) = (Slot){.obj = len, .a = hash};
    qatomic_store_release(&ring->head, ring->head + 1);
    while (len) {
        size_t part = MIN(len, SLOT_SIZE);

        ring_wait(ring, 1);
        memcpy(ring_slot(ring, ring->head), p, part);
        qatomic_store_release(&ring->head, ring->head + 1);
        p += part;
        len -= part;
    }
}

/* What is in the rings is kept; there is nobody to whom to return an error. */
static void QEMU_NORETURN stop_recording(BlackBox *box, const char *why)
{
    fprintf(stderr, "aiolab: %s: the recording ends here: %s\n", box->log, why);
    box->state = BOX_STOPPED;
    _exit(5);
}

/* Its memory is allocated now: a full tmpfs must not become a SIGBUS later. */
static Ring *new_ring(RingSet *set)
{
    unsigned index = set->box->n_rings;
    Ring *ring = blackbox_ring(set->box, index);
    int err;

    if (index == RINGS_MAX) {
        stop_recording(set->box, "too many threads at once (more than 256)");
    }
    err = posix_fallocate(set->box->fd, ring_offset(index),
                          ring_offset(index + 1) - ring_offset(index));
    if (err) {
        g_autofree char *why = g_strdup_printf(
            "no memory for another thread's inputs in %s: %s", set->box->path,
            g_strerror(err));

        stop_recording(set->box, why);
    }
    ring->mask = ring_slots(index) - 1;
    qatomic_store_release(&set->box->n_rings, index + 1);
    return ring;
}

Ring *ringset_attach(RingSet *set)
{
    Ring *ring;

    pthread_mutex_lock(&set->lock);
    ring = set->n_free ? set->free[--set->n_free] : new_ring(set);
    pthread_mutex_unlock(&set->lock);
    return ring;
}

void ringset_detach(RingSet *set, Ring *ring)
{
    pthread_mutex_lock(&set->lock);
    set->free[set->n_free++] = ring;
    pthread_mutex_unlock(&set->lock);
}

BlackBox *ringset_box(RingSet *set)
{
    return set->box;
}

/* ---- From rings to the log ---- */

static void flush_batch(RingSet *set, unsigned ring)
{
    Batch *batch = &set->batches[ring];

    if (batch->n) {
        log_put_chunk(set->log, ring, batch->inputs, batch->n);
        set->inputs += batch->n;
        batch->n = 0;
    }
}

static unsigned n_rings(const RingSet *set)
{
    return qatomic_load_acquire(&set->box->n_rings);
}

/* From here on the recorded threads may use the slots again. */
static void commit(RingSet *set)
{
    unsigned n = n_rings(set);

    for (unsigned i = 0; i < n; i++) {
        flush_batch(set, i);
    }
    log_commit(set->log);
    for (unsigned i = 0; i < n; i++) {
        Ring *ring = blackbox_ring(set->box, i);

        qatomic_store_release(&ring->durable, ring->tail);
    }
    set->pauses = 0;
}

/* False if the thread that was writing them is gone. */
static bool take_bytes(RingSet *set, Ring *ring, uint64_t hash, size_t len,
                       bool alive)
{
    g_byte_array_set_size(set->bytes, 0);
    while (set->bytes->len < len) {
        size_t part = MIN(len - set->bytes->len, SLOT_SIZE);

        while (qatomic_load_acquire(&ring->head) == ring->tail) {
            if (!alive) {
                return false;
            }
            sched_yield(); /* they are being written */
        }
        g_byte_array_append(set->bytes,
                            (uint8_t *)ring_slot(ring, ring->tail), part);
        qatomic_set(&ring->tail, ring->tail + 1);
    }
    log_put_payload(set->log, hash, set->bytes->data, len);
    return true;
}

static bool take_slot(RingSet *set, unsigned index, Ring *ring, bool alive)
{
    Slot slot = *ring_slot(ring, ring->tail);
    Batch *batch = &set->batches[index];

    qatomic_set(&ring->tail, ring->tail + 1);
    if (!slot.head) {
        return take_bytes(set, ring, slot.a, slot.obj, alive);
    }
    if (slot.head >> 24 <= set->last_tickets[index]) {
        return true; /* it was committed, and its writer could not say so */
    }
    batch->inputs[batch->n++] = (Input){
        .ticket = slot.head >> 24, .thread = slot.head >> 8 & 0xffff,
        .kind = slot.head & 0xff,
        .obj = slot.obj, .a = slot.a, .b = slot.b,
    };
    if (batch->n == CHUNK_INPUTS) {
        flush_batch(set, index);
    }
    return true;
}

/* Returns true if there was anything. */
static bool drain_rings(RingSet *set, bool alive)
{
    unsigned n = n_rings(set);
    bool any = false;

    for (unsigned i = 0; i < n; i++) {
        Ring *ring = blackbox_ring(set->box, i);
        uint64_t head = qatomic_load_acquire(&ring->head);

        while (ring->tail < head && take_slot(set, i, ring, alive)) {
            any = true;
            if (ring->tail - ring->durable > ring_slots(i) / COMMIT_PART) {
                commit(set);
            }
        }
    }
    return any;
}

static void *writer_main(void *opaque)
{
    RingSet *set = opaque;
    struct timespec pause = {.tv_nsec = IDLE_NS};

    for (;;) {
        bool stop = qatomic_load_acquire(&set->stop);

        if (drain_rings(set, true)) {
            continue;
        }
        if (stop) {
            return NULL;
        }
        if (++set->pauses >= COMMIT_PAUSES) {
            commit(set);
        }
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
}

/* ---- Life ---- */

static RingSet *ringset_alloc(Log *log, BlackBox *box)
{
    RingSet *set = g_new0(RingSet, 1);

    set->log = log;
    set->box = box;
    set->batches = g_new0(Batch, RINGS_MAX);
    set->last_tickets = g_new0(uint64_t, RINGS_MAX);
    pthread_mutex_init(&set->lock, NULL);
    set->bytes = g_byte_array_new();
    return set;
}

static void ringset_free(RingSet *set)
{
    pthread_mutex_destroy(&set->lock);
    g_byte_array_unref(set->bytes);
    g_free(set->last_tickets);
    g_free(set->batches);
    g_free(set);
}

RingSet *ringset_new(Log *log, BlackBox *box)
{
    RingSet *set = ringset_alloc(log, box);

    log_set_meta(log, "ring", box->path);
    log_set_meta(log, "ring.id", box->id);
    log_commit(log);
    box->state = BOX_RUNNING;
    if (pthread_create(&set->writer, NULL, writer_main, set)) {
        abort();
    }
    return set;
}

uint64_t ringset_finish(RingSet *set, uint64_t *inputs)
{
    uint64_t stalls = 0;

    qatomic_store_release(&set->stop, true);
    pthread_join(set->writer, NULL);
    commit(set);
    for (unsigned i = 0; i < n_rings(set); i++) {
        stalls += blackbox_ring(set->box, i)->stalls;
    }
    *inputs = set->inputs;
    set->box->state = BOX_FINISHED;
    ringset_free(set);
    return stalls;
}

uint64_t ringset_recover(Log *log, BlackBox *box)
{
    RingSet *set = ringset_alloc(log, box);
    uint64_t inputs;

    for (unsigned i = 0; i < n_rings(set); i++) {
        Ring *ring = blackbox_ring(box, i);

        ring->tail = ring->durable;
    }
    log_last_tickets(log, set->last_tickets, RINGS_MAX);
    drain_rings(set, false);
    commit(set);
    inputs = set->inputs;
    ringset_free(set);
    return inputs;
}
