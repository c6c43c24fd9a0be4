/* SPDX-License-Identifier: MIT */
/* Rings and the thread that empties them; see ring.h. */
#include "ring.h"

#include "flight.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
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
    Flight *flight; /* or NULL: all is kept */
    uint64_t newest; /* ticket that was taken */
    pthread_mutex_t lock;   /* of what follows */
    unsigned n_free;
    Ring *free[RINGS_MAX]; /* that threads gave back; the newest is warm */
    unsigned pauses; /* since the last commit */
    uint64_t inputs;
    GByteArray *bytes;
};

/* ---- The recorded thread ---- */

Ring ring_of_nobody = {.head = 1};
void (*ring_nobody)(void);

/* The kernel's: the C library's would be the recorded program's own. */
static void pause_ns(int64_t ns)
{
    struct timespec pause = {.tv_nsec = ns};

    syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL);
}

void ring_wait_slowly(Ring *ring, unsigned n)
{
    bool stalled = false;

    if (ring == &ring_of_nobody) {
        ring_nobody();
    }
    for (;;) {
        ring->seen_durable = qatomic_load_acquire(&ring->durable);
        if (ring->head + n - ring->seen_durable <= ring->mask + 1) {
            break;
        }
        stalled = true;
        /* Not sched_yield(): the writer needs this processor, or another
         * thread does, and the time would be ours. */
        pause_ns(STALL_NS);
    }
    ring->stalls += stalled;
}

static void put_content(Ring *ring, uint64_t hash, const void *data, size_t len,
                        uint64_t flags)
{
    const char *p = data;

    ring_wait(ring, 1);
    *ring_slot(ring, ring->head) = (Slot){.obj = len | flags, .a = hash};
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

void ring_put_bytes(Ring *ring, uint64_t hash, const void *data, size_t len)
{
    g_autofree uint64_t *list = NULL;
    unsigned n = 0;

    if (len <= PIECE_SIZE) {
        put_content(ring, hash, data, len, 0);
        return;
    }
    list = g_new(uint64_t, DIV_ROUND_UP(len, PIECE_SIZE));
    for (size_t at = 0; at < len; at += PIECE_SIZE) {
        const char *piece = (const char *)data + at;
        size_t piece_len = MIN(len - at, PIECE_SIZE);

        list[n] = content_hash(piece, piece_len);
        put_content(ring, list[n++], piece, piece_len, 0);
    }
    put_content(ring, hash, list, n * sizeof(*list), SLOT_IS_LIST);
}

/* Its memory is allocated now: a full tmpfs must not become a SIGBUS later. */
static Ring *new_ring(RingSet *set)
{
    unsigned index = set->box->n_rings;
    Ring *ring = blackbox_ring(set->box, index);
    int err;

    if (index == RINGS_MAX) {
        blackbox_stop(set->box, "too many threads at once (more than 256)");
    }
    err = posix_fallocate(set->box->fd, ring_offset(index),
                          ring_offset(index + 1) - ring_offset(index));
    if (err) {
        g_autofree char *why = g_strdup_printf(
            "no memory for another thread's inputs: %s", g_strerror(err));

        blackbox_stop(set->box, why);
    }
#ifdef MADV_POPULATE_WRITE
    /* Page faults now, and not while the thread is measured. */
    madvise(ring, ring_offset(index + 1) - ring_offset(index),
            MADV_POPULATE_WRITE);
#endif
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
        int64_t id = log_put_chunk(set->log, ring, batch->inputs, batch->n);

        if (set->flight) {
            flight_chunk(set->flight, id, batch->inputs[batch->n - 1].ticket);
        }
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
    if (set->flight) {
        flight_trim(set->flight, set->log, set->newest);
    }
    log_commit(set->log);
    if (log_failed(set->log)) {
        log_give_up(set->log);
        blackbox_stop(set->box, log_failure(set->log));
    }
    for (unsigned i = 0; i < n; i++) {
        Ring *ring = blackbox_ring(set->box, i);

        qatomic_store_release(&ring->durable, ring->tail);
    }
    set->pauses = 0;
}

static void take_bytes(RingSet *set, unsigned index, Ring *ring, uint64_t hash,
                       size_t len)
{
    g_byte_array_set_size(set->bytes, 0);
    while (set->bytes->len < len) {
        size_t part = MIN(len - set->bytes->len, SLOT_SIZE);

        while (qatomic_load_acquire(&ring->head) == ring->tail) {
            sched_yield(); /* they are being written */
        }
        g_byte_array_append(set->bytes,
                            (uint8_t *)ring_slot(ring, ring->tail), part);
        qatomic_set(&ring->tail, ring->tail + 1);
    }
    log_put_payload(set->log, hash, set->bytes->data, len);
    if (set->flight) {
        flight_content(set->flight, index, hash);
    }
}

static void take_slot(RingSet *set, unsigned index, Ring *ring)
{
    Slot slot = *ring_slot(ring, ring->tail);
    Batch *batch = &set->batches[index];

    qatomic_set(&ring->tail, ring->tail + 1);
    if (!slot.head) {
        take_bytes(set, index, ring, slot.a, slot.obj & ~SLOT_IS_LIST);
        return;
    }
    batch->inputs[batch->n++] = slot_input(&slot);
    set->newest = MAX(set->newest, slot.head >> 24);
    if (set->flight) {
        flight_input(set->flight, index, slot.head >> 24);
    }
    if (batch->n == CHUNK_INPUTS) {
        flush_batch(set, index);
    }
}

/* Returns true if there was anything. */
static bool drain_rings(RingSet *set)
{
    unsigned n = n_rings(set);
    bool any = false;

    for (unsigned i = 0; i < n; i++) {
        Ring *ring = blackbox_ring(set->box, i);
        uint64_t head = qatomic_load_acquire(&ring->head);

        while (ring->tail < head) {
            take_slot(set, i, ring);
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

    for (;;) {
        bool stop = qatomic_load_acquire(&set->stop);
        bool any = drain_rings(set);

        if (stop) {
            return NULL; /* all from before it is taken */
        }
        if (any) {
            continue;
        }
        if (++set->pauses >= COMMIT_PAUSES) {
            commit(set);
        }
        pause_ns(IDLE_NS);
    }
}

/* ---- Life ---- */

static RingSet *ringset_alloc(Log *log, BlackBox *box)
{
    RingSet *set = g_new0(RingSet, 1);

    set->log = log;
    set->box = box;
    set->batches = g_new0(Batch, RINGS_MAX);
    pthread_mutex_init(&set->lock, NULL);
    set->bytes = g_byte_array_new();
    return set;
}

static void ringset_free(RingSet *set)
{
    pthread_mutex_destroy(&set->lock);
    flight_free(set->flight);
    g_byte_array_unref(set->bytes);
    g_free(set->batches);
    g_free(set);
}

RingSet *ringset_new(Log *log, BlackBox *box)
{
    RingSet *set = ringset_alloc(log, box);
    int64_t keep = log_meta_int(log, "flight.recorder", 0);

    set->flight = keep > 0 ? flight_new(keep, RINGS_MAX) : NULL;
    log_set_meta(log, "ring", box->path);
    log_set_meta(log, "ring.id", box->id);
    log_commit(log);
    box->state = BOX_RUNNING;
    if (pthread_create(&set->writer, NULL, writer_main, set)) {
        abort();
    }
    return set;
}

/* Of threads that are still there, in the middle of a slice. */
static void give_back_tickets(RingSet *set)
{
    for (unsigned i = 0; i < n_rings(set); i++) {
        Ring *ring = blackbox_ring(set->box, i);
        Batch *batch = &set->batches[i];

        for (; ring->n_kept; ring->n_kept--) {
            if (batch->n == CHUNK_INPUTS) {
                flush_batch(set, i);
            }
            batch->inputs[batch->n++] = (Input){
                .ticket = ring->kept++, .kind = INPUT_UNUSED,
            };
        }
    }
}

void ringset_stop_writer(RingSet *set)
{
    qatomic_store_release(&set->stop, true);
    pthread_join(set->writer, NULL);
    commit(set);
}

uint64_t ringset_finish(RingSet *set, uint64_t *inputs)
{
    uint64_t stalls = 0;

    ringset_stop_writer(set);
    give_back_tickets(set);
    commit(set);
    for (unsigned i = 0; i < n_rings(set); i++) {
        stalls += blackbox_ring(set->box, i)->stalls;
    }
    *inputs = set->inputs;
    if (set->flight) {
        *inputs -= flight_first(set->flight) - 1;
    }
    set->box->state = BOX_FINISHED;
    ringset_free(set);
    return stalls;
}
