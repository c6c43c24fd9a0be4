/* SPDX-License-Identifier: MIT */
/* Between the files of potential deadlocks. */
#ifndef REPLAY_POTENTIAL_INTERNAL_H
#define REPLAY_POTENTIAL_INTERNAL_H

#include "potential.h"

typedef struct PotentialLock {
    uint64_t id;
    char *name;
} PotentialLock;

typedef struct PotentialHeld {
    unsigned lock;
    const ProbeSite *site;
} PotentialHeld;

/* Somebody has asked for @to while it held @from. */
typedef struct PotentialDependency {
    unsigned from, to;
    uint64_t thread; /* a thread's number, or a coroutine */
    char *by;        /* its name */
    const ProbeSite *held_at, *wanted_at;
    GArray *gates;   /* of unsigned, sorted: what else it held */
    unsigned run;
    /* Threads: what was over by then, and when this was. */
    uint32_t clock_thread;
    unsigned clock;
    GArray *over;    /* of unsigned, by thread's number */
    /* Coroutines: their lives; 0: a thread, or it goes on. */
    uint64_t born, ended;
} PotentialDependency;

struct Potential {
    unsigned run;
    GPtrArray *locks;        /* of PotentialLock */
    GPtrArray *dependencies; /* of PotentialDependency */
    GHashTable *by_id;       /* of this run: id -> index of a lock + 1 */
    GHashTable *holders;     /* of this run: -> GArray of PotentialHeld */
    GPtrArray *clocks;       /* of this run, by thread: GArray of unsigned */
    GHashTable *births;      /* of this run: coroutine -> event */
    bool searched;           /* cycles are those of the dependencies */
    GPtrArray *cycles;       /* of GArray of indexes of dependencies */
};

static inline const PotentialDependency *
potential_dependency(const Potential *p, unsigned index)
{
    return g_ptr_array_index(p->dependencies, index);
}

static inline const char *potential_lock_name(const Potential *p,
                                              unsigned index)
{
    return ((PotentialLock *)g_ptr_array_index(p->locks, index))->name;
}

#endif
