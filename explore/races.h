/* SPDX-License-Identifier: MIT */
/*
 * Memory that a run may not touch: what another thread touches at the same
 * time, and what was freed.
 *
 * Each thread has a vector clock, which grows with what it synchronises with:
 * locks, notifiers, wake-ups, and all atomic words, which is generous (a
 * relaxed access orders nothing in C), so that what is reported is a race on
 * any machine.  Two accesses to the same bytes, one of them a plain write, and
 * neither known to the other's thread, are a data race.
 */
#ifndef EXPLORE_RACES_H
#define EXPLORE_RACES_H

#include "sim.h"

typedef struct MemoryFault {
    bool freed;              /* used after it was freed; else a race */
    uint32_t threads[2];     /* the later access first */
    bool writes[2];
    uintptr_t places[2];     /* who accessed it; 0: who freed it */
} MemoryFault;

typedef struct Races Races;

Races *races_new(void);
void races_free(Races *races);
void races_begin(Races *races);

/* As the tracer of a run tells it. */
void races_step(Races *races, uint32_t thread);
void races_sync(Races *races, uintptr_t object);
void races_wake(Races *races, uint32_t thread);
/* Plain accesses. True, and @fault, if it is one. */
bool races_access(Races *races, uintptr_t address, size_t size, bool write,
                  uintptr_t place, MemoryFault *fault);
/* True, and @fault, if another thread uses it at the same time. */
bool races_freed(Races *races, uintptr_t address, size_t size,
                 MemoryFault *fault);

#endif
