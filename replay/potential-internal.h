/* SPDX-License-Identifier: MIT */
/* Between the files of potential deadlocks. */
#ifndef REPLAY_POTENTIAL_INTERNAL_H
#define REPLAY_POTENTIAL_INTERNAL_H

#include "potential.h"

/*
 * What somebody may wait for: a lock, or an event that another thread brings.
 * An event is like a lock that its bringer has, and gives back by it.
 */
typedef struct PotentialLock {
    uint64_t id;
    char *name;
    bool is_event;
    bool brought;   /* an event, at least once, */
    GArray *needed; /* and what each time was needed for it: of unsigned */
} PotentialLock;

typedef struct PotentialHeld {
    unsigned lock;
    const ProbeSite *site;
    uint64_t seq;
} PotentialHeld;

/*
 * Somebody has asked for @to while it held @from; or had to bring @from, an
 * event, and needed @to for it.
 */
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
    /* Of waits for events: what its thread knew of what others had done, see
     * potential-order.c. */
    GArray *known;
    unsigned known_at; /* its own count then */
    /* Coroutines: their lives; 0: a thread, or it goes on. */
    uint64_t born, ended;
} PotentialDependency;

/* Vector clocks: a count for each thread, which grow as they are asked for. */
unsigned *potential_clock_at(GArray *clock, uint32_t thread);
void potential_clock_join(GArray *to, const GArray *from);

typedef struct PotentialOrder PotentialOrder;

struct Potential {
    unsigned run;
    GPtrArray *locks;        /* of PotentialLock */
    GPtrArray *dependencies; /* of PotentialDependency */
    GHashTable *seen;        /* hash of a dependency -> how many there are */
    GHashTable *by_id;       /* of this run: id -> index of a lock + 1 */
    GHashTable *holders;     /* of this run: -> GArray of PotentialHeld */
    GPtrArray *clocks;       /* of this run, by thread: GArray of unsigned */
    GHashTable *births;      /* of this run: coroutine -> event */
    GHashTable *taken;       /* of this run: thread -> GArray of PotentialHeld,
                                what it has locked lately, held or not */
    GHashTable *last_brought; /* of this run: thread -> event */
    PotentialOrder *order;
    GHashTable *reasons;     /* of this run: thread -> event of its next wait,
                                + 1 */
    bool searched;           /* cycles are those of the dependencies */
    GPtrArray *cycles;       /* of GArray of indexes of dependencies */
};

/* The number of the lock or event. */
unsigned potential_lock_of(Potential *p, uint64_t id, const char *name);
/* What a thread or a coroutine holds, in the order in which it took it. */
GArray *potential_held_by(Potential *p, uint64_t holder);
/* What else of @held lets in one at a time: sorted, for the caller to free. */
GArray *potential_gates(const GArray *held, unsigned from, unsigned to);
bool potential_has(const GArray *locks, unsigned lock);
/*
 * @d tells from, to, held_at, wanted_at, thread (who depends) and gates, which
 * are taken over, with @by; @on is the thread that runs.
 */
void potential_depend(Potential *p, PotentialDependency d, uint32_t on,
                      const char *by);

/*
 * potential-order.c: who has heard of what, by all that threads tell each other
 * with: kicks, notifications, bottom halves, conditions; but not locks.
 */
PotentialOrder *potential_order_new(void);
void potential_order_free(PotentialOrder *order);
void potential_order_begin_run(PotentialOrder *order);
void potential_order_apply(PotentialOrder *order, const ProbeEvent *event);
/* A copy of what @thread knows, and how far it is itself. */
GArray *potential_order_known(PotentialOrder *order, uint32_t thread,
                              unsigned *at);

/* potential-waits.c: waits for events, and what their bringers need. */
void potential_apply_waits(Potential *p, const ProbeEvent *event,
                           const Model *model);

static inline PotentialLock *potential_lock(const Potential *p, unsigned index)
{
    return g_ptr_array_index(p->locks, index);
}

static inline const PotentialDependency *
potential_dependency(const Potential *p, unsigned index)
{
    return g_ptr_array_index(p->dependencies, index);
}

static inline const char *potential_lock_name(const Potential *p,
                                              unsigned index)
{
    return potential_lock(p, index)->name;
}

#endif
