/* SPDX-License-Identifier: MIT */
/*
 * A replay between threads: each sees what the log says that it saw.
 * recorder-threads.c explains the order; here is its other half.
 */
#include "replay-internal.h"

/*
 * A thread has looked, and there was nothing.  A killed one's log ends
 * somewhere: what it published after that may be needed, so it runs on; but a
 * loop that only looks, until there is something, would not end here.
 */
static void saw_nothing(const Input *own)
{
    if (unlikely(!own) && ++rp.looks_beyond > REPLAY_LOOKS_MAX) {
        replay_next_input("a look");
        replay_diverge("a look", NULL);
    }
}

/*
 * A loop that sleeps until another thread has done something would not end
 * here, where nobody else runs meanwhile.  So in the end the others go first,
 * up to this thread's next input: before that it must have come.
 */
void replay_slept(void)
{
    Agreed *self = &rp.agreed[host_self()->id];
    uint32_t at = rp.chains.cursors[host_self()->id];

    if (self->slept_at != at) {
        self->slept_at = at;
        self->sleeps = 0;
    }
    if (++self->sleeps == REPLAY_SLEEPS_MAX) {
        replay_next_input("a sleep");
    } else if (self->sleeps == 2 * REPLAY_SLEEPS_MAX) {
        replay_diverge("sleep after sleep", "what it waits for there is told by "
                       "no input");
    }
}

/* ---- Lists ---- */

/*
 * How many the log says were taken.  A recording notes it only if there were
 * any, and how often there were none before; so the thread's own next input
 * tells.
 */
static uint64_t take_slice(InputKind kind, HostSight what, uint64_t ctx)
{
    const Input *own = replay_own_input();
    uint32_t *unseen = &host_self()->unseen[what];

    if (!own || own->kind != kind || own->obj != ctx || own->b != *unseen) {
        *unseen += !rp.simulated;
        saw_nothing(own);
        return 0;
    }
    *unseen = 0;
    return replay_take(kind, ctx).a;
}

/* Puts @rest in front of what is on @list. */
static void put_back(BHList *list, BHList *rest)
{
    QEMUBH **end = &rest->slh_first;

    while (*end) {
        end = &(*end)->next.sle_next;
    }
    *end = list->slh_first;
    list->slh_first = rest->slh_first;
}

/* The next one that the log names, off @pool. */
static QEMUBH *take_bh(BHList *pool)
{
    const Input *in = replay_next_input("bh");
    QEMUBH **link = &pool->slh_first, *bh;

    while (*link && (*link)->id != in->obj) {
        link = &(*link)->next.sle_next;
    }
    bh = *link;
    if (in->kind != INPUT_BH || !bh) {
        replay_diverge("a turn without that bottom half", NULL);
    }
    replay_accept();
    *link = bh->next.sle_next;
    return bh;
}

void replay_bh_detached(uint64_t ctx, BHList *slice, BHList *left)
{
    BHList pool = *slice;
    QEMUBH **tail = &slice->slh_first;
    uint64_t n;

    if (rp.simulated && !slice->slh_first) {
        return;
    }
    n = take_slice(INPUT_BH_SLICE, HOST_SIGHT_SLICE, ctx);
    /* Others ran before it was our turn. */
    put_back(left, &pool);
    pool = *left;
    left->slh_first = NULL;
    for (; n > 0; n--) {
        *tail = take_bh(&pool);
        tail = &(*tail)->next.sle_next;
    }
    *tail = NULL;
    if (rp.simulated && pool.slh_first) {
        replay_diverge("a turn with one more bottom half",
                       pool.slh_first->name);
    }
    put_back(left, &pool);
}

static void put_back_coroutines(CoroutineList *list, CoroutineList *rest)
{
    Coroutine **end = &rest->slh_first;

    while (*end) {
        end = &(*end)->co_scheduled_next.sle_next;
    }
    *end = list->slh_first;
    list->slh_first = rest->slh_first;
}

static Coroutine *take_co(CoroutineList *pool)
{
    const Input *in = replay_next_input("co");
    Coroutine **link = &pool->slh_first, *co;

    while (*link && (*link)->id != in->obj) {
        link = &(*link)->co_scheduled_next.sle_next;
    }
    co = *link;
    if (in->kind != INPUT_CO || !co) {
        replay_diverge("a turn without that coroutine", NULL);
    }
    replay_accept();
    *link = co->co_scheduled_next.sle_next;
    return co;
}

void replay_co_detached(uint64_t ctx, CoroutineList *taken, CoroutineList *left)
{
    CoroutineList pool = *taken;
    Coroutine **tail = &taken->slh_first;
    uint64_t n;

    if (rp.simulated && !pool.slh_first) {
        return;
    }
    n = take_slice(INPUT_CO_SLICE, HOST_SIGHT_CO_SLICE, ctx);
    put_back_coroutines(left, &pool);
    pool = *left;
    left->slh_first = NULL;
    for (; n > 0; n--) {
        *tail = take_co(&pool);
        tail = &(*tail)->co_scheduled_next.sle_next;
    }
    *tail = NULL;
    put_back_coroutines(left, &pool);
}

/* ---- Words ---- */

uint64_t replay_observe(HostSight what, uint64_t value)
{
    const Input *own = replay_own_input();
    uint32_t *unseen = &host_self()->unseen[what];

    if (rp.simulated) {
        if (sim_observe_is_point(what)) {
            host->point(HOST_POINT_WORD, 0);
        }
        return value;
    }
    if (!own || own->kind != INPUT_SEEN || own->obj != what ||
        own->b != *unseen) {
        ++*unseen;
        saw_nothing(own);
        return 0;
    }
    *unseen = 0;
    return replay_take(INPUT_SEEN, what).a;
}

/* Its turn; the access follows, and nobody can come between. */
void replay_word_begin(const volatile void *word, unsigned how)
{
    if (rp.simulated) {
        host->point(HOST_POINT_WORD, 0);
        return;
    }
    if (replay_next_input("word")->kind != INPUT_WORD) {
        replay_diverge("an access to a shared word", NULL);
    }
}

void replay_word_end(const volatile void *word, uint64_t value)
{
    uint64_t recorded = rp.simulated ? value : replay_take(INPUT_WORD, 0).a;

    if (recorded != value) {
        g_autofree char *got = g_strdup_printf("a shared word with value %"
                                               PRId64, value);

        replay_diverge_at_last(got, "somebody writes the word, or what is "
                               "stored in it, without qatomic_*()");
    }
}

void replay_rec_assert(uint64_t value, const ProbeSite *site)
{
    if (replay_take(INPUT_ASSERT, site->line).a != value) {
        g_autofree char *got = g_strdup_printf(
            "AIO_REC_ASSERT at %s:%d with value %" PRId64, site->file,
            site->line, value);

        replay_diverge_at_last(got, NULL);
    }
}

/* ---- Locks: whose turn it is has the lock ---- */

void replay_lock_init(QemuMutex *mutex)
{
    mutex->host = NULL;
}

static void lock_taken(QemuMutex *mutex)
{
    if (mutex->host) {
        replay_diverge_at_last("a lock that another thread holds", NULL);
    }
    mutex->host = machine_current();
}

void replay_mutex_lock(QemuMutex *mutex)
{
    replay_take(INPUT_LOCK, mutex->id);
    lock_taken(mutex);
}

bool replay_mutex_trylock(QemuMutex *mutex)
{
    bool taken = replay_take(INPUT_TRYLOCK, mutex->id).a;

    if (taken) {
        lock_taken(mutex);
    }
    return taken;
}

void replay_mutex_unlock(QemuMutex *mutex)
{
    mutex->host = NULL;
}

void replay_cond_nothing(QemuCond *cond)
{
}

bool replay_cond_wait(QemuCond *cond, QemuMutex *mutex, int64_t timeout_ns)
{
    bool woken;

    mutex->host = NULL;
    woken = replay_take(INPUT_COND, cond->id).a;
    lock_taken(mutex);
    return woken;
}

void replay_cond_wake(QemuCond *cond, bool all)
{
}

/* ---- Threads ---- */

void replay_thread_ends(void)
{
    uint64_t recorded = replay_take(INPUT_THREAD_END, host_self()->id).a;

    replay_compare_digest(recorded, "the end of a thread");
}

void replay_thread_create(QemuThread *thread, const char *name,
                          void *(*start)(void *), void *arg)
{
    uint64_t number = replay_take(INPUT_THREAD_CREATE, thread->id).a;

    if (number < 2 || number >= THREAD_NUMBERS || rp.threads[number]) {
        replay_diverge_at_last("a thread", "the log's number for it is "
                               "impossible");
    }
    machine.last_id = number - 1;
    rp.threads[number] = machine_thread_new(name, start, arg);
    thread->host = rp.threads[number];
    thread->number = number;
}

void *replay_thread_join(QemuThread *qemu_thread)
{
    VThread *thread = qemu_thread->host;

    replay_take(INPUT_THREAD_JOIN, qemu_thread->id);
    if (thread->state != VTHREAD_DONE) {
        replay_diverge_at_last("a join of a thread that has not ended", NULL);
    }
    return thread->ret;
}

void replay_thread_started(VThread *thread)
{
    if (thread->self.id != 1) {
        replay_take(INPUT_THREAD_START, thread->self.id);
    }
}

/* The next input says who goes on; the end of the log, that nobody does. */
void replay_thread_ended(VThread *thread)
{
    replay_next_input("the end of a thread");
    replay_diverge("the end of a thread", NULL);
}
