/* SPDX-License-Identifier: MIT */
/* Rings and the thread that empties them; see ring.h. */
#include "ring.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    COMMIT_SLOTS = RING_SLOTS / 4, /* taken and not committed, at most */
    IDLE_NS = 500000,    /* the writer's pause when there is nothing to do */
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
    unsigned pauses; /* since the last commit */
    uint64_t inputs;
    GByteArray *bytes;
};

/* ---- The recorded thread ---- */

void ring_wait_slowly(Ring *ring, unsigned n)
{
    bool stalled = false;

    for (;;) {
        ring->seen_durable = qatomic_load_acquire(&ring->durable);
        if (ring->head + n - ring->seen_durable <= RING_SLOTS) {
            break;
        }
        stalled = true;
        sched_yield();
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

Ring *ringset_attach(RingSet *set)
{
    uint32_t index = qatomic_fetch_inc(&set->box->n_rings);

    if (index >= RINGS_MAX) {
        fprintf(stderr, "aiolab: more than %d threads cannot be recorded\n",
                RINGS_MAX);
        abort();
    }
    return &set->box->rings[index];
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
    return MIN(qatomic_read(&set->box->n_rings), RINGS_MAX);
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
        Ring *ring = &set->box->rings[i];

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
        Ring *ring = &set->box->rings[i];
        uint64_t head = qatomic_load_acquire(&ring->head);

        while (ring->tail < head && take_slot(set, i, ring, alive)) {
            any = true;
            if (ring->tail - ring->durable > COMMIT_SLOTS) {
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

/*
 * In memory (tmpfs) if there is any: a mapped file on a disk stops the recorded
 * thread each time the kernel writes its pages back.
 */
static int create_file(const char *log_path, char **path)
{
    int fd;

    *path = g_strdup("/dev/shm/aiolab-XXXXXX");
    fd = g_mkstemp_full(*path, O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        g_free(*path);
        *path = g_strconcat(log_path, ".ring", NULL);
        fd = open(*path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    }
    return fd;
}

BlackBox *blackbox_new(const char *log_path, Error **errp)
{
    g_autofree char *path = NULL;
    int fd = create_file(log_path, &path);
    int err = fd < 0 ? errno : ftruncate(fd, sizeof(BlackBox)) ? errno : 0;
    BlackBox *box = MAP_FAILED;

    if (!err) {
        /* Whole, for the threads to come: a full disk must not be a SIGBUS. */
        err = posix_fallocate(fd, 0, offsetof(BlackBox, rings[4]));
    }
    if (!err) {
        box = mmap(NULL, sizeof(BlackBox), PROT_READ | PROT_WRITE, MAP_SHARED,
                   fd, 0);
        err = box == MAP_FAILED ? errno : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (err) {
        error_setg_errno(errp, err, "%s: cannot make the recording buffer",
                         path);
        unlink(path);
        return NULL;
    }
    madvise(box, offsetof(BlackBox, rings[1]), MADV_POPULATE_WRITE);
    g_strlcpy(box->path, path, sizeof(box->path));
    return box;
}

void blackbox_free(BlackBox *box)
{
    if (box) {
        unlink(box->path);
        munmap(box, sizeof(BlackBox));
    }
}

static RingSet *ringset_alloc(Log *log, BlackBox *box)
{
    RingSet *set = g_new0(RingSet, 1);

    set->log = log;
    set->box = box;
    set->batches = g_new0(Batch, RINGS_MAX);
    set->bytes = g_byte_array_new();
    return set;
}

static void ringset_free(RingSet *set)
{
    g_byte_array_unref(set->bytes);
    g_free(set->batches);
    g_free(set);
}

RingSet *ringset_new(Log *log, BlackBox *box)
{
    RingSet *set = ringset_alloc(log, box);

    log_set_meta(log, "ring", box->path);
    log_commit(log);
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
        stalls += set->box->rings[i].stalls;
    }
    *inputs = set->inputs;
    ringset_free(set);
    return stalls;
}

uint64_t ringset_recover(Log *log, BlackBox *box)
{
    RingSet *set = ringset_alloc(log, box);
    uint64_t inputs;

    for (unsigned i = 0; i < n_rings(set); i++) {
        box->rings[i].tail = box->rings[i].durable;
    }
    drain_rings(set, false);
    commit(set);
    inputs = set->inputs;
    ringset_free(set);
    return inputs;
}
