/* SPDX-License-Identifier: MIT */
/* Dependence between steps; see accesses.h. */
#include "accesses.h"

enum {
    OBJECTS = 1 << 16,
    OBJECTS_SHIFT = 64 - 16,
    OBJECTS_FULL = OBJECTS / 4 * 3,
};

/* Who touched it last. Steps + 1; 0: nobody. */
typedef struct TracedObject {
    uint64_t key;
    uint32_t run; /* in which it is valid */
    uint32_t write;
    uint32_t reads[ACCESS_THREADS]; /* since the last write */
} TracedObject;

typedef struct TracedStep {
    uint32_t thread;
    uint32_t local;    /* among its thread's, from 1 */
    uint64_t hash;     /* of it and of all that it depends on */
    uint32_t clock[ACCESS_THREADS]; /* step + 1 of each that came before it */
} TracedStep;

struct AccessTrace {
    RaceFound *found;
    void *opaque;
    uint32_t run;
    const char *trouble;
    TracedObject *objects;
    unsigned n_objects;
    TracedStep *steps;
    unsigned n;
    bool open;            /* the last step is not finished */
    AccessSet set;        /* of the last step */
    bool sorted;
    uint64_t choices;     /* that were made in it */
    uint32_t woken;       /* threads that it lets go on: a bit each */
    uint32_t clock[ACCESS_THREADS][ACCESS_THREADS];
    uint32_t locals[ACCESS_THREADS];
    uint64_t creator[ACCESS_THREADS]; /* the hash of the step that made it */
    uint64_t class_hash;
};

/* ---- The trace ---- */

AccessTrace *access_trace_new(RaceFound *found, void *opaque)
{
    AccessTrace *t = g_new0(AccessTrace, 1);

    t->found = found;
    t->opaque = opaque;
    t->objects = g_new0(TracedObject, OBJECTS);
    t->steps = g_new(TracedStep, ACCESS_STEPS);
    return t;
}

void access_trace_free(AccessTrace *t)
{
    access_set_free(&t->set);
    g_free(t->objects);
    g_free(t->steps);
    g_free(t);
}

void access_trace_begin(AccessTrace *t)
{
    t->run++;
    t->trouble = NULL;
    t->n_objects = t->n = 0;
    t->open = false;
    t->set.n = 0;
    t->set.all = false;
    t->woken = 0;
    t->choices = 0;
    t->class_hash = 0;
    memset(t->clock, 0, sizeof(t->clock));
    memset(t->locals, 0, sizeof(t->locals));
    memset(t->creator, 0, sizeof(t->creator));
}

static uint64_t mix(uint64_t h, uint64_t value)
{
    h = (h ^ value) * 0x9e3779b97f4a7c15ULL;
    return h ^ h >> 29;
}

static TracedObject *find_object(AccessTrace *t, uint64_t key)
{
    unsigned at = key * 0x9e3779b97f4a7c15ULL >> OBJECTS_SHIFT;
    TracedObject *object;

    for (;;) {
        object = &t->objects[at];
        if (object->run != t->run) {
            break;
        }
        if (object->key == key) {
            return object;
        }
        at = (at + 1) % OBJECTS;
    }
    if (++t->n_objects > OBJECTS_FULL) {
        t->trouble = "a run touches more shared memory than can be watched";
        t->n_objects--;
        return NULL;
    }
    memset(object, 0, sizeof(*object));
    object->key = key;
    object->run = t->run;
    return object;
}

static void join_clock(uint32_t *clock, const uint32_t *other)
{
    for (unsigned i = 0; i < ACCESS_THREADS; i++) {
        clock[i] = MAX(clock[i], other[i]);
    }
}

/* @first and all that it knows become known to @step. */
static void join_step(AccessTrace *t, TracedStep *step, unsigned first)
{
    step->hash += mix(t->steps[first].hash, 1);
    join_clock(step->clock, t->steps[first].clock);
}

/*
 * Steps that @step depends on by the object: the last write, and if it writes,
 * the reads since.
 */
static void depend_on(AccessTrace *t, TracedStep *step, uint32_t earlier,
                      uint32_t *latest)
{
    const TracedStep *first;

    if (!earlier) {
        return;
    }
    first = &t->steps[earlier - 1];
    if (first->thread != step->thread && earlier > latest[first->thread]) {
        latest[first->thread] = earlier;
    }
}

static void touch(AccessTrace *t, TracedStep *step, uint64_t key,
                  uint32_t *latest)
{
    TracedObject *object = find_object(t, key >> 1);
    uint32_t number = step - t->steps + 1;

    if (!object) {
        return;
    }
    depend_on(t, step, object->write, latest);
    if (!(key & 1)) {
        object->reads[step->thread] = number;
        return;
    }
    for (unsigned i = 0; i < ACCESS_THREADS; i++) {
        depend_on(t, step, object->reads[i], latest);
        object->reads[i] = 0;
    }
    object->write = number;
}

/* ---- Races ---- */

/*
 * What has to come before @first, if the last step is to: all that followed it
 * and does not depend on it.  Whoever makes the first of those steps, which
 * depends on none of the others, may begin (the initials of source sets:
 * Abdulla, Aronis, Jonsson, Sagonas, 2014).  @known is what the last step
 * depends on but for @first.
 */
static uint32_t find_initials(const AccessTrace *t, unsigned first,
                              const uint32_t *known)
{
    uint32_t seen = 1U << t->steps[first].thread, initials = 0;

    for (unsigned i = first + 1; i < t->n; i++) {
        const TracedStep *step = &t->steps[i];
        const uint32_t *clock = i == t->n - 1 ? known : step->clock;
        bool depends = clock[t->steps[first].thread] > first;

        if (seen >> step->thread & 1) {
            continue;
        }
        seen |= 1U << step->thread;
        for (unsigned j = 0; j < ACCESS_THREADS && !depends; j++) {
            depends = j != step->thread && clock[j] > first + 1;
        }
        initials |= depends ? 0 : 1U << step->thread;
    }
    return initials;
}

/* One of the others that the step depends on has come after thread @i's. */
static bool is_between(const AccessTrace *t, const uint32_t *latest, unsigned i)
{
    for (unsigned j = 0; j < ACCESS_THREADS; j++) {
        if (j != i && latest[j] && t->steps[latest[j] - 1].clock[i] >= latest[i]) {
            return true;
        }
    }
    return false;
}

static void tell_race(AccessTrace *t, const uint32_t *latest, unsigned i)
{
    uint32_t known[ACCESS_THREADS];

    memcpy(known, t->clock[t->steps[t->n - 1].thread], sizeof(known));
    for (unsigned j = 0; j < ACCESS_THREADS; j++) {
        if (j != i && latest[j]) {
            join_clock(known, t->steps[latest[j] - 1].clock);
        }
    }
    t->found(latest[i] - 1, find_initials(t, latest[i] - 1, known), t->opaque);
}

/* Whatever the last step depends on, and is not known before it, is a race. */
static void find_races(AccessTrace *t, const uint32_t *latest)
{
    const uint32_t *known = t->clock[t->steps[t->n - 1].thread];

    for (unsigned i = 0; i < ACCESS_THREADS; i++) {
        if (latest[i] > known[i] && !is_between(t, latest, i)) {
            tell_race(t, latest, i);
        }
    }
}

/* ---- Steps ---- */

/*
 * Who goes on because of the step knows what it knew.  (It touches what it had
 * waited for; but who begins has touched nothing.)
 */
static void tell_woken(AccessTrace *t, const TracedStep *step)
{
    for (unsigned i = 0; t->woken >> i; i++) {
        if (!(t->woken >> i & 1)) {
            continue;
        }
        if (!t->locals[i]) {
            t->creator[i] = mix(step->hash, 3);
        }
        join_clock(t->clock[i], step->clock);
    }
}

void access_trace_finish_step(AccessTrace *t)
{
    TracedStep *step = &t->steps[t->n - 1];
    uint32_t latest[ACCESS_THREADS] = {0};
    const uint32_t *known;

    if (!t->open) {
        return;
    }
    t->open = false;
    access_set_tidy(&t->set);
    known = t->clock[step->thread];
    memcpy(step->clock, known, sizeof(step->clock));
    for (unsigned i = 0; i < t->set.n; i++) {
        touch(t, step, t->set.keys[i], latest);
    }
    for (unsigned i = 0; t->set.all && i < ACCESS_THREADS; i++) {
        latest[i] = i == step->thread ? 0 : t->clock[i][i];
    }
    step->hash = mix(mix(step->thread, step->local), t->choices);
    if (step->local == 1) {
        step->hash += t->creator[step->thread];
    }
    if (known[step->thread]) {
        join_step(t, step, known[step->thread] - 1);
    }
    find_races(t, latest);
    for (unsigned i = 0; i < ACCESS_THREADS; i++) {
        if (latest[i]) {
            join_step(t, step, latest[i] - 1);
        }
    }
    step->clock[step->thread] = t->n;
    memcpy(t->clock[step->thread], step->clock, sizeof(step->clock));
    tell_woken(t, step);
    t->class_hash += mix(step->hash, 2);
}

void access_trace_step(AccessTrace *t, uint32_t thread)
{
    access_trace_finish_step(t);
    if (thread >= ACCESS_THREADS || t->n == ACCESS_STEPS) {
        t->trouble = thread >= ACCESS_THREADS
                         ? "a run has more than 23 threads"
                         : "a run has more than 16,384 steps";
        sim_abandon();
        return;
    }
    t->steps[t->n++] = (TracedStep){
        .thread = thread, .local = ++t->locals[thread],
    };
    t->open = true;
    t->set.n = 0;
    t->set.all = false;
    t->woken = 0;
    t->choices = 0;
}

void access_trace_access(AccessTrace *t, uintptr_t address, SimAccess how)
{
    if (t->open) {
        access_set_add(&t->set, (uint64_t)address / ACCESS_BYTES << 1 |
                                (how == SIM_WRITE || how == SIM_OWN_WRITE));
    }
}

void access_trace_wake(AccessTrace *t, uint32_t thread)
{
    if (thread < ACCESS_THREADS && t->open) {
        t->woken |= 1U << thread;
    }
}

void access_trace_cut(AccessTrace *t)
{
    t->set.all = t->open;
}

void access_trace_choice(AccessTrace *t, uint64_t value)
{
    t->choices = mix(t->choices, value + 1);
}

unsigned access_trace_steps(const AccessTrace *t)
{
    return t->n;
}

const AccessSet *access_trace_last_set(const AccessTrace *t)
{
    return &t->set;
}

uint64_t access_trace_class(const AccessTrace *t)
{
    return t->class_hash;
}

const char *access_trace_trouble(const AccessTrace *t)
{
    return t->trouble;
}
