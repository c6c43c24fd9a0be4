/* SPDX-License-Identifier: MIT */
/*
 * Recording rings: how inputs leave the recorded thread.
 *
 * A slot is overwritten only when its input is committed to the log, so what
 * the log lacks when a recorded process dies is still in the rings, and its
 * parent adds it (ringset_recover()).
 *
 * Each OS thread has a ring of its own in a shared mapped file (the black box:
 * what a killed process had written to it is still there), so putting an input
 * is a few stores and takes no lock.  One writer thread packs what it finds
 * into the log.  A full ring makes the recorded thread wait, and counts that;
 * nothing is ever dropped.
 */
#ifndef REPLAY_RING_H
#define REPLAY_RING_H

#include "log.h"

#include "qemu/atomic.h"

enum {
    RING_SLOTS = 1 << 16,
    SLOT_SIZE = 32,
    RINGS_MAX = 64,
};

/* An input as the recorded thread leaves it. */
typedef struct Slot {
    uint64_t head; /* ticket << 24 | thread << 8 | kind; tickets begin at 1 */
    uint64_t obj, a, b; /* head 0: obj raw bytes follow, a is their hash */
} Slot;

typedef struct Ring {
    uint64_t head; /* written by the recorded thread */
    uint64_t seen_durable; /* its copy of durable, old but never too new */
    char pad1[48];
    uint64_t tail;    /* written by the writer thread: what it has taken */
    uint64_t durable; /* likewise: what it has committed; may be overwritten */
    char pad2[48];
    uint64_t stalls;
    char pad3[56];
    Slot slots[RING_SLOTS];
} Ring;

typedef struct BlackBox {
    char path[256]; /* of the file that we are */
    uint64_t last_ticket;
    char pad1[56];
    uint32_t n_rings;
    bool log_created; /* the recording process has made the log */
    char pad2[55];
    Ring rings[RINGS_MAX];
} BlackBox;

typedef struct RingSet RingSet;

/* Makes and maps the file.  NULL and *errp if there is no room for it. */
BlackBox *blackbox_new(const char *log_path, Error **errp);
/* Unmaps and removes the file. */
void blackbox_free(BlackBox *box);

/* Starts the writer thread; the path of @box goes into @log. */
RingSet *ringset_new(Log *log, BlackBox *box);
/* Writes all that is left and joins the writer.  Returns stalls. */
uint64_t ringset_finish(RingSet *set, uint64_t *inputs);
/*
 * The recording process is gone: writes what its rings hold beyond its last
 * commit.  Returns how many inputs those are.
 */
uint64_t ringset_recover(Log *log, BlackBox *box);
/* The calling thread's ring; aborts if there are more than RINGS_MAX. */
Ring *ringset_attach(RingSet *set);
BlackBox *ringset_box(RingSet *set);

/* Waits until there is room for @n slots, which there was not. */
void ring_wait_slowly(Ring *ring, unsigned n);

static inline void ring_wait(Ring *ring, unsigned n)
{
    if (unlikely(ring->head + n - ring->seen_durable > RING_SLOTS)) {
        ring_wait_slowly(ring, n);
    }
}

/* Puts a content, which the log keeps under its hash. */
void ring_put_bytes(Ring *ring, uint64_t hash, const void *data, size_t len);

static inline Slot *ring_slot(Ring *ring, uint64_t at)
{
    return &ring->slots[at % RING_SLOTS];
}

#endif
