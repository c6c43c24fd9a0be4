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
    CHUNKS_PER_COMMIT = 64,
    IDLE_NS = 500000, /* the writer's pause when there is nothing to do */
};

/* The inputs of one ring that wait for a full chunk. */
typedef struct Batch {
    Input inputs[CHUNK_INPUTS];
    unsigned n;
} Batch;

struct RingSet {
    Log *log;
    BlackBox *box;
    char *path;
    pthread_t writer;
    bool stop;
    Batch *batches; /* by ring */
    unsigned chunks_since_commit;
    uint64_t inputs;
    GByteArray *bytes;
};

/* ---- The recorded thread ---- */

void ring_wait_slowly(Ring *ring, unsigned n)
{
    bool stalled = false;

    for (;;) {
        ring->seen_tail = qatomic_load_acquire(&ring->tail);
        if (ring->head + n - ring->seen_tail <= RING_SLOTS) {
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

/* ---- The writer thread ---- */

static void flush_batch(RingSet *set, unsigned ring)
{
    Batch *batch = &set->batches[ring];

    if (batch->n) {
        log_put_chunk(set->log, ring, batch->inputs, batch->n);
        set->inputs += batch->n;
        batch->n = 0;
        if (++set->chunks_since_commit >= CHUNKS_PER_COMMIT) {
            log_commit(set->log);
            set->chunks_since_commit = 0;
        }
    }
}

static void take_bytes(RingSet *set, Ring *ring, uint64_t hash, size_t len)
{
    g_byte_array_set_size(set->bytes, 0);
    while (set->bytes->len < len) {
        size_t part = MIN(len - set->bytes->len, SLOT_SIZE);

        while (qatomic_load_acquire(&ring->head) == ring->tail) {
            sched_yield(); /* they are being written */
        }
        g_byte_array_append(set->bytes,
                            (uint8_t *)ring_slot(ring, ring->tail), part);
        qatomic_store_release(&ring->tail, ring->tail + 1);
    }
    log_put_payload(set->log, hash, set->bytes->data, len);
}

static void take_slot(RingSet *set, unsigned index, Ring *ring)
{
    Slot slot = *ring_slot(ring, ring->tail);
    Batch *batch = &set->batches[index];

    qatomic_store_release(&ring->tail, ring->tail + 1);
    if (!slot.head) {
        take_bytes(set, ring, slot.a, slot.obj);
        return;
    }
    batch->inputs[batch->n++] = (Input){
        .ticket = slot.head >> 24, .thread = slot.head >> 8 & 0xffff,
        .kind = slot.head & 0xff,
        .obj = slot.obj, .a = slot.a, .b = slot.b,
    };
    if (batch->n == CHUNK_INPUTS) {
        flush_batch(set, index);
    }
}

/* Returns true if there was anything. */
static bool drain_rings(RingSet *set)
{
    unsigned n = MIN(qatomic_read(&set->box->n_rings), RINGS_MAX);
    bool any = false;

    for (unsigned i = 0; i < n; i++) {
        Ring *ring = &set->box->rings[i];
        uint64_t head = qatomic_load_acquire(&ring->head);

        while (ring->tail < head) {
            take_slot(set, i, ring);
            any = true;
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

        if (!drain_rings(set)) {
            if (stop) {
                return NULL;
            }
            clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        }
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

static BlackBox *map_box(const char *log_path, char **path, Error **errp)
{
    int fd = create_file(log_path, path);
    int err = fd < 0 ? errno : ftruncate(fd, sizeof(BlackBox)) ? errno : 0;
    void *box = MAP_FAILED;

    if (!err) {
        /* Whole, for the threads to come: a full disk must not be a SIGBUS. */
        err = posix_fallocate(fd, 0, offsetof(BlackBox, rings[4]));
    }
    if (!err) {
        box = mmap(NULL, sizeof(BlackBox), PROT_READ | PROT_WRITE, MAP_SHARED,
                   fd, 0);
        err = box == MAP_FAILED ? errno : 0;
    }
    if (err) {
        error_setg_errno(errp, err, "%s: cannot make the recording buffer",
                         *path);
        unlink(*path);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (err) {
        return NULL;
    }
    madvise(box, offsetof(BlackBox, rings[1]), MADV_POPULATE_WRITE);
    return box;
}

RingSet *ringset_new(Log *log, Error **errp)
{
    RingSet *set = g_new0(RingSet, 1);

    set->log = log;
    set->box = map_box(log_path(log), &set->path, errp);
    if (!set->box) {
        g_free(set->path);
        g_free(set);
        return NULL;
    }
    log_set_meta(log, "ring", set->path);
    log_commit(log);
    set->batches = g_new0(Batch, RINGS_MAX);
    set->bytes = g_byte_array_new();
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
    for (unsigned i = 0; i < MIN(set->box->n_rings, RINGS_MAX); i++) {
        flush_batch(set, i);
        stalls += set->box->rings[i].stalls;
    }
    log_commit(set->log);
    *inputs = set->inputs;
    munmap(set->box, sizeof(BlackBox));
    unlink(set->path);
    g_byte_array_unref(set->bytes);
    g_free(set->batches);
    g_free(set->path);
    g_free(set);
    return stalls;
}
