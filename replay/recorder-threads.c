/* SPDX-License-Identifier: MIT */
/*
 * The recorder between threads: locks, lists, words, and threads themselves.
 *
 * What a thread publishes takes no ticket: whoever finds it notes what was
 * found, after it was.  In a replay a thread therefore publishes early, right
 * after the last thing that it noted, which is before the ticket of whoever
 * found it; and who finds something finds exactly what is noted, even if there
 * is more.  So it does not matter that a ticket is taken a moment after the
 * operation that it stands for, but for two:
 *
 *   a word of the program's (qatomic_*()) is accessed and gets its ticket under
 *   one lock, so that its accesses have the order of their tickets;
 *   a new thread begins when its creator has its ticket.
 *
 * An input that depends on no other thread (a time, an explicit event) may even
 * have its ticket before the operation: anywhere behind its thread's last input.
 * Such tickets are taken in advance, and given back with the first input that
 * does depend on others, so a thread's tickets ascend: rec_put_own().
 */
#include "recorder-internal.h"

#include "machine.h"

#include <sched.h>

#ifdef AIOLAB_PLANT
bool rec_planted(const char *what)
{
    const char *wanted = g_getenv("AIOLAB_PLANT");
    static unsigned seen;

    if (!wanted || !g_str_equal(wanted, what)) {
        return false;
    }
    /* Of what is seen, one alone. */
    return !g_str_equal(what, "seen") || qatomic_fetch_inc(&seen) == 20;
}
#endif

/* ---- Tickets ---- */

void rec_give_back_tickets(Ring *ring)
{
    for (; ring->n_kept; ring->n_kept--) {
        ring_wait(ring, 1);
        rec_store(ring, ring->kept++, INPUT_UNUSED, 0, 0, 0);
    }
}

void rec_put_slowly(InputKind kind, uint64_t obj, uint64_t a, uint64_t b)
{
    Ring *ring = rec_ring;
    uint64_t ticket;

    if (ring->n_kept) {
        rec_give_back_tickets(ring); /* before we wait: it takes slots */
    }
    ring_wait(ring, 1);
    ticket = rec_take_tickets(1);
    rec_store(ring, ticket, kind, obj, a, b);
}

/* How many tickets to take for what may follow. */
static unsigned tickets_ahead(Ring *ring)
{
    bool goes_on = (uint32_t)ring->head == ring->run_end;

    ring->run = goes_on ? ring->run + 1 : 1;
    return ring->run < RUN_MIN || rec.simulated ? 0 : MIN(ring->run, RUN_MAX);
}

void rec_put_own_slowly(InputKind kind, uint64_t obj, uint64_t a)
{
    Ring *ring = rec_ring;
    unsigned keep;

    ring_wait(ring, 1);
    if (ring->n_kept) {
        rec_put_own(kind, obj, a);
        return;
    }
    /* Nothing else has been noted since the slice? */
    ring->n_used += (uint32_t)ring->head == ring->slice_end + ring->n_used;
    keep = tickets_ahead(ring);
    ring->kept = rec_take_tickets(1 + keep);
    rec_store(ring, ring->kept++, kind, obj, a, 0);
    ring->n_kept = keep;
    ring->run_end = ring->head + keep;
}

/*
 * Tickets for a slice of @n bottom halves, and in advance for what they will
 * note.
 */
static uint64_t slice_tickets(Ring *ring, unsigned n)
{
    unsigned keep = rec.simulated ? 0 : MIN(n, ring->n_used);
    uint64_t ticket = rec_tickets(ring, n + 1 + keep);

    ring->kept = ticket + n + 1;
    ring->n_kept = keep;
    ring->n_used = 0;
    return ticket;
}

/* ---- Lists ---- */

/* How often, before this, the thread looked and found nothing. */
static uint32_t looks_before(HostSight what, unsigned found)
{
    uint32_t *unseen = &host_self()->unseen[what], before = *unseen;

    *unseen = found || rec.simulated ? 0 : before + 1;
    return before;
}

void rec_bh_detached(uint64_t ctx, BHList *slice, BHList *left)
{
    unsigned n = 0, before;
    QEMUBH *bh;

    QSLIST_FOREACH(bh, slice, next) {
        n++;
    }
    before = looks_before(HOST_SIGHT_SLICE, n);
    if (n) {
        Ring *ring = rec_ring;
        uint64_t ticket = slice_tickets(ring, n);

        bool room = ring_has_room(ring, n + 1);

        rec_put_ticket(ring, ticket++, INPUT_BH_SLICE, ctx, n, before);
        QSLIST_FOREACH(bh, slice, next) {
            if (unlikely(!room)) {
                ring_wait(ring, 1);
            }
            rec_store(ring, ticket++, INPUT_BH, bh->id, 0, 0);
        }
        ring->slice_end = ring->head;
    }
}

void rec_co_detached(uint64_t ctx, CoroutineList *taken, CoroutineList *left)
{
    unsigned n = 0, before;
    Coroutine *co;

    QSLIST_FOREACH(co, taken, co_scheduled_next) {
        n++;
    }
    before = looks_before(HOST_SIGHT_CO_SLICE, n);
    if (n) {
        Ring *ring = rec_ring;
        uint64_t ticket = rec_tickets(ring, n + 1);

        rec_put_ticket(ring, ticket++, INPUT_CO_SLICE, ctx, n, before);
        QSLIST_FOREACH(co, taken, co_scheduled_next) {
            rec_put_ticket(ring, ticket++, INPUT_CO, co->id, 0, 0);
        }
    }
}

/* ---- Words ---- */

uint64_t rec_observe(HostSight what, uint64_t value)
{
    uint32_t *unseen = &host_self()->unseen[what];

    if (rec.simulated) {
        value = rec.base->observe(what, value);
        if (sim_observe_is_point(what)) {
            rec_put(INPUT_POINT, 0, HOST_POINT_WORD, 0);
        }
        return value;
    }
    if (!rec_muted && !rec_planted("seen")) {
        rec_put(INPUT_SEEN, what, value, *unseen);
        *unseen = 0;
    }
    return value;
}

enum { STRIPES = 256 };

/* One lock for all words with the same hash of their address. */
static struct {
    bool locked;
} __attribute__((aligned(64))) stripes[STRIPES];

static bool *stripe_of(const volatile void *word)
{
    uint64_t hash = ((uintptr_t)word >> 2) * 0x9e3779b97f4a7c15ULL;

    return &stripes[hash >> 56].locked;
}

void rec_word_begin(const volatile void *word, unsigned how)
{
    bool *locked = stripe_of(word);

    if (rec.simulated) {
        rec.base->word_begin(word, how);
        if (!machine_current()->looking) {
            rec_put(INPUT_POINT, 0, HOST_POINT_WORD, 0);
        }
        return;
    }
    if (rec_muted) {
        return;
    }
    while (unlikely(qatomic_xchg(locked, true))) {
        unsigned rounds = 0;

        while (qatomic_read(locked)) {
            cpu_relax();
            if (++rounds % 128 == 0) {
                sched_yield(); /* its holder was preempted */
            }
        }
    }
}

void rec_word_end(const volatile void *word, uint64_t value)
{
    if (rec.simulated) {
        rec.base->word_end(word, value);
        return;
    }
    if (rec_muted) {
        return;
    }
    if (rec_planted("word")) {
        /* Too late: others may have been there meanwhile. */
        qatomic_store_release(stripe_of(word), false);
        sched_yield();
        rec_put(INPUT_WORD, 0, value, 0);
        return;
    }
    rec_put(INPUT_WORD, 0, value, 0);
    qatomic_store_release(stripe_of(word), false);
}

void rec_assert(uint64_t value, const ProbeSite *site)
{
    rec_put(INPUT_ASSERT, site->line, value, 0);
}

/* ---- Locks ---- */

void rec_mutex_lock(QemuMutex *mutex)
{
    if (rec_planted("lock")) {
        /* Too early: another one may have it now. */
        rec_put(INPUT_LOCK, mutex->id, 0, 0);
        sched_yield();
        rec.base->mutex_lock(mutex);
        return;
    }
    rec_may_wait();
    rec.base->mutex_lock(mutex);
    rec_put(INPUT_LOCK, mutex->id, 0, 0);
}

bool rec_mutex_trylock(QemuMutex *mutex)
{
    bool taken = rec.base->mutex_trylock(mutex);

    rec_put(INPUT_TRYLOCK, mutex->id, taken, 0);
    return taken;
}

bool rec_cond_wait(QemuCond *cond, QemuMutex *mutex, int64_t timeout_ns)
{
    bool woken;

    rec_may_wait();
    woken = rec.base->cond_wait(cond, mutex, timeout_ns);
    rec_put(INPUT_COND, cond->id, woken, 0);
    return woken;
}

/* ---- Threads ---- */

void rec_thread_begins(void)
{
    if (!rec.simulated) {
        rec_ring = ringset_attach(rec.rings);
        /* Its creator holds this until it has noted us. */
        pthread_mutex_lock(&rec.creating);
        pthread_mutex_unlock(&rec.creating);
    }
    rec_put(INPUT_THREAD_START, host_self()->id, 0, 0);
}

void rec_thread_ends(void)
{
    rec_put(INPUT_THREAD_END, host_self()->id, probe_digest(), 0);
    if (!rec.simulated) {
        ringset_detach(rec.rings, rec_ring);
        rec_ring = &ring_of_nobody;
    }
}

void rec_too_many_threads(void)
{
    rec_stop("a recording can hold %d threads, and this scenario has started "
             "more", THREAD_NUMBERS - 1);
}

void rec_thread_create(QemuThread *thread, const char *name,
                       void *(*start)(void *), void *arg)
{
    if (!rec.simulated) {
        pthread_mutex_lock(&rec.creating);
    }
    rec.base->thread_create(thread, name, start, arg);
    rec_put(INPUT_THREAD_CREATE, thread->id, thread->number, 0);
    if (!rec.simulated) {
        pthread_mutex_unlock(&rec.creating);
    }
    if (thread->number >= THREAD_NUMBERS) {
        rec_too_many_threads();
    }
}

void *rec_thread_join(QemuThread *thread)
{
    void *ret;

    rec_may_wait();
    ret = rec.base->thread_join(thread);
    rec_put(INPUT_THREAD_JOIN, thread->id, 0, 0);
    return ret;
}

void rec_thread_exit(void *ret)
{
    rec.base->thread_exit(ret);
}

void rec_no_ring(void)
{
    rec_stop("a thread that another library has started, or that has ended, "
             "uses the event loop or a shared word");
}

HostThread *rec_thread_attach(void)
{
    rec_no_ring();
}
