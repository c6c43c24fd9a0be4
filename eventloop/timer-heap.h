/* SPDX-License-Identifier: MIT */
/*
 * A heap of timers, ordered by deadline and then by when they were armed.
 *
 * QEMU keeps a sorted list (util/qemu-timer.c), which makes timer_mod() linear
 * in how many are armed.  Here are four children to a node, and the deadline
 * stands in the heap beside the pointer: the children that are compared share
 * one cache line, and no timer is looked at but those that move.  Going down,
 * the next level's lines are fetched while this one's are compared.
 *
 * Each timer knows its index, so that it can be moved from the middle.
 */
#ifndef EVENTLOOP_TIMER_HEAP_H
#define EVENTLOOP_TIMER_HEAP_H

#include "qemu/timer.h"

enum { HEAP_ARITY = 4, HEAP_LINE = 64 };

typedef struct TimerHeapEntry {
    int64_t expire;
    QEMUTimer *ts;
} TimerHeapEntry;

typedef struct TimerHeap {
    TimerHeapEntry *entries; /* entries[1] begins a cache line */
    void *memory;
    unsigned n, allocated;
} TimerHeap;

static inline bool heap_sooner(TimerHeapEntry x, TimerHeapEntry y)
{
    return x.expire < y.expire ||
           (unlikely(x.expire == y.expire) &&
            x.ts->armed_seq < y.ts->armed_seq);
}

static inline void heap_place(TimerHeap *heap, unsigned index,
                              TimerHeapEntry entry)
{
    heap->entries[index] = entry;
    entry.ts->heap_index = index;
}

/* Finds the place of @entry, which belongs at @index or above it. */
static inline void heap_up(TimerHeap *heap, unsigned index,
                           TimerHeapEntry entry)
{
    while (index > 0) {
        unsigned parent = (index - 1) / HEAP_ARITY;

        if (!heap_sooner(entry, heap->entries[parent])) {
            break;
        }
        heap_place(heap, index, heap->entries[parent]);
        index = parent;
    }
    heap_place(heap, index, entry);
}

static inline unsigned heap_soonest_child(const TimerHeap *heap, unsigned first)
{
    unsigned end = MIN(first + HEAP_ARITY, heap->n);
    unsigned best = first;

    for (unsigned i = first + 1; i < end; i++) {
        if (heap_sooner(heap->entries[i], heap->entries[best])) {
            best = i;
        }
    }
    return best;
}

/* What stands below the children of which @first is the first. */
static inline void heap_fetch_below(const TimerHeap *heap, unsigned first)
{
    unsigned below = first * HEAP_ARITY + 1;

    for (unsigned i = 0; i < HEAP_ARITY && below < heap->n; i++) {
        __builtin_prefetch(&heap->entries[below]);
        below += HEAP_ARITY;
    }
}

/* Finds the place of @entry, which belongs at @index or below it. */
static inline void heap_down(TimerHeap *heap, unsigned index,
                             TimerHeapEntry entry)
{
    for (;;) {
        unsigned child = index * HEAP_ARITY + 1;

        if (child >= heap->n) {
            break;
        }
        heap_fetch_below(heap, child);
        child = heap_soonest_child(heap, child);
        if (!heap_sooner(heap->entries[child], entry)) {
            break;
        }
        heap_place(heap, index, heap->entries[child]);
        index = child;
    }
    heap_place(heap, index, entry);
}

static inline void heap_move(TimerHeap *heap, unsigned index,
                             TimerHeapEntry entry)
{
    if (index > 0 &&
        heap_sooner(entry, heap->entries[(index - 1) / HEAP_ARITY])) {
        heap_up(heap, index, entry);
    } else {
        heap_down(heap, index, entry);
    }
}

static inline void heap_grow(TimerHeap *heap)
{
    unsigned allocated = MAX(16, heap->allocated * 2);
    /* Three unused entries, so that children begin at multiples of four. */
    TimerHeapEntry *memory = g_aligned_alloc(allocated + HEAP_ARITY - 1,
                                             sizeof(*memory), HEAP_LINE);

    if (heap->n) {
        memcpy(memory + HEAP_ARITY - 1, heap->entries,
               heap->n * sizeof(*memory));
    }
    g_aligned_free(heap->memory);
    heap->memory = memory;
    heap->entries = memory + HEAP_ARITY - 1;
    heap->allocated = allocated;
}

static inline void heap_insert(TimerHeap *heap, QEMUTimer *ts)
{
    if (heap->n == heap->allocated) {
        heap_grow(heap);
    }
    /* Others look without the lock: is there any? */
    raw_set(&heap->n, heap->n + 1);
    heap_up(heap, heap->n - 1, (TimerHeapEntry){ts->expire_time, ts});
}

static inline void heap_remove(TimerHeap *heap, QEMUTimer *ts)
{
    TimerHeapEntry last = heap->entries[heap->n - 1];

    raw_set(&heap->n, heap->n - 1);
    if (last.ts != ts) {
        heap_move(heap, ts->heap_index, last);
    }
}

/* Its deadline has changed. */
static inline void heap_update(TimerHeap *heap, QEMUTimer *ts)
{
    heap_move(heap, ts->heap_index, (TimerHeapEntry){ts->expire_time, ts});
}

/*
 * The soonest deadline below @index of a timer without attributes outside
 * @attr_mask, if it is sooner than @best (-1: there is none); else @best.
 */
static inline int64_t heap_soonest(const TimerHeap *heap, unsigned index,
                                   int attr_mask, int64_t best)
{
    TimerHeapEntry entry;

    if (index >= heap->n) {
        return best;
    }
    entry = heap->entries[index];
    if (best >= 0 && entry.expire >= best) {
        return best;
    }
    if (!(entry.ts->attributes & ~attr_mask)) {
        return entry.expire;
    }
    for (unsigned i = 1; i <= HEAP_ARITY; i++) {
        best = heap_soonest(heap, index * HEAP_ARITY + i, attr_mask, best);
    }
    return best;
}

#endif
