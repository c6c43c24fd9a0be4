/* SPDX-License-Identifier: MIT */
/*
 * Recording rings: how inputs leave the recorded thread.
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
    uint64_t seen_tail; /* its copy of tail, old but never too new */
    char pad1[48];
    uint64_t tail; /* written by the writer thread */
    char pad2[56];
    uint64_t stalls;
    char pad3[56];
    Slot slots[RING_SLOTS];
} Ring;

typedef struct BlackBox {
    uint64_t last_ticket;
    char pad1[56];
    uint32_t n_rings;
    char pad2[60];
    Ring rings[RINGS_MAX];
} BlackBox;

typedef struct RingSet RingSet;

/* Maps the black box (its path goes into @log) and starts the writer. */
RingSet *ringset_new(Log *log, Error **errp);
/* Writes all that is left and joins the writer.  Returns stalls. */
uint64_t ringset_finish(RingSet *set, uint64_t *inputs);
/* The calling thread's ring; aborts if there are more than RINGS_MAX. */
Ring *ringset_attach(RingSet *set);
BlackBox *ringset_box(RingSet *set);

/* Waits until there is room for @n slots, which there was not. */
void ring_wait_slowly(Ring *ring, unsigned n);

static inline void ring_wait(Ring *ring, unsigned n)
{
    if (unlikely(ring->head + n - ring->seen_tail > RING_SLOTS)) {
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
