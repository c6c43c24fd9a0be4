/* SPDX-License-Identifier: MIT */
/*
 * Each way to use coroutines wrongly aborts with a sentence, which names both:
 * whom it happened to and who did it.
 */
#include "harness.h"

#include "qemu/coroutine_int.h"
#include "qemu/lockable.h"

static CoMutex mutex;
static CoRwlock rwlock;
static CoQueue queue;
static QemuCoSleep sleeper;
static Coroutine *victim;

static void start(CoroutineEntry *entry, const char *name)
{
    qemu_coroutine_enter(qemu_coroutine_create_named(entry, NULL, name));
}

static void coroutine_fn nothing(void *opaque)
{
}

static void coroutine_fn yield_once(void *opaque)
{
    qemu_coroutine_yield();
}

static void coroutine_fn enter_victim(void *opaque)
{
    qemu_coroutine_enter(victim);
}

/* ---- Entering ---- */

static void abort_recursion(const ScenarioArgs *args)
{
    victim = qemu_coroutine_create_named(enter_victim, NULL, "snake");
    qemu_coroutine_enter(victim);
}

static void coroutine_fn start_other(void *opaque)
{
    start(enter_victim, "inner");
}

static void abort_recursion_two(const ScenarioArgs *args)
{
    victim = qemu_coroutine_create_named(start_other, NULL, "outer");
    qemu_coroutine_enter(victim);
}

static void abort_enter_ended(const ScenarioArgs *args)
{
    Coroutine *medium = qemu_coroutine_create_named(enter_victim, NULL,
                                                    "medium");

    victim = qemu_coroutine_create_named(nothing, NULL, "ghost");
    qemu_coroutine_enter(victim);
    qemu_coroutine_enter(medium);
}

static void coroutine_fn wake_self(void *opaque)
{
    aio_co_wake(qemu_coroutine_self());
}

static void abort_wake_self(const ScenarioArgs *args)
{
    start(wake_self, "insomniac");
}

static void schedule_victim(void)
{
    victim = qemu_coroutine_create_named(nothing, NULL, "late");
    aio_co_schedule(qemu_get_aio_context(), victim);
}

static void coroutine_fn schedule_victim_again(void *opaque)
{
    aio_co_schedule(qemu_get_aio_context(), victim);
}

static void abort_schedule_twice(const ScenarioArgs *args)
{
    schedule_victim();
    start(schedule_victim_again, "eager");
}

static void abort_enter_scheduled(const ScenarioArgs *args)
{
    schedule_victim();
    start(enter_victim, "eager");
}

static void coroutine_fn sleep_long(void *opaque)
{
    qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, 1000 * NANOSECONDS_PER_SECOND);
}

static void abort_enter_sleeping(const ScenarioArgs *args)
{
    victim = qemu_coroutine_create_named(sleep_long, NULL, "sleeper");
    qemu_coroutine_enter(victim);
    qemu_coroutine_enter(victim);
}

static void coroutine_fn end_scheduled(void *opaque)
{
    aio_co_schedule(qemu_get_aio_context(), qemu_coroutine_self());
}

static void abort_end_scheduled(const ScenarioArgs *args)
{
    start(end_scheduled, "hasty");
}

/* ---- Outside a coroutine ---- */

static void abort_yield(const ScenarioArgs *args)
{
    qemu_coroutine_yield();
}

static void abort_sleep_outside(const ScenarioArgs *args)
{
    qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, 1);
}

static void abort_queue_outside(const ScenarioArgs *args)
{
    qemu_co_queue_init(&queue);
    qemu_co_queue_wait(&queue, NULL);
}

static void abort_lock_outside(const ScenarioArgs *args)
{
    qemu_co_mutex_init(&mutex);
    qemu_co_mutex_lock(&mutex);
}

static void abort_unlock_outside(const ScenarioArgs *args)
{
    qemu_co_mutex_init(&mutex);
    qemu_co_mutex_unlock(&mutex);
}

/* ---- Locks ---- */

static void coroutine_fn lock_and_end(void *opaque)
{
    qemu_co_mutex_lock(&mutex);
}

static void abort_end_with_lock(const ScenarioArgs *args)
{
    qemu_co_mutex_init(&mutex);
    start(lock_and_end, "keeper");
}

static void coroutine_fn lock_and_yield(void *opaque)
{
    qemu_co_mutex_lock(&mutex);
    qemu_coroutine_yield();
}

static void coroutine_fn unlock_only(void *opaque)
{
    qemu_co_mutex_unlock(&mutex);
}

static void abort_unlock_by_other(const ScenarioArgs *args)
{
    qemu_co_mutex_init(&mutex);
    start(lock_and_yield, "keeper");
    start(unlock_only, "thief");
}

static void abort_unlock_free(const ScenarioArgs *args)
{
    qemu_co_mutex_init(&mutex);
    start(unlock_only, "thief");
}

static void coroutine_fn rwlock_unlock_only(void *opaque)
{
    qemu_co_rwlock_unlock(&rwlock);
}

static void coroutine_fn rwlock_downgrade_reader(void *opaque)
{
    qemu_co_rwlock_rdlock(&rwlock);
    qemu_co_rwlock_downgrade(&rwlock);
}

static void coroutine_fn rwlock_upgrade_only(void *opaque)
{
    qemu_co_rwlock_upgrade(&rwlock);
}

static void abort_rwlock_unlock(const ScenarioArgs *args)
{
    qemu_co_rwlock_init(&rwlock);
    start(rwlock_unlock_only, "thief");
}

static void abort_rwlock_downgrade(const ScenarioArgs *args)
{
    qemu_co_rwlock_init(&rwlock);
    start(rwlock_downgrade_reader, "reader");
}

static void abort_rwlock_upgrade(const ScenarioArgs *args)
{
    qemu_co_rwlock_init(&rwlock);
    start(rwlock_upgrade_only, "nobody");
}

/* ---- Sleeps ---- */

static void abort_wake_awake(const ScenarioArgs *args)
{
    sleeper.to_wake = qemu_coroutine_create_named(yield_once, NULL, "awake");
    qemu_co_sleep_wake(&sleeper);
}

/* ---- Bottom halves and contexts ---- */

static void abort_leaked_bh(const ScenarioArgs *args)
{
    AioContext *ctx = aio_context_new(&error_abort);

    qemu_bh_schedule_idle(aio_bh_new(ctx, nothing, NULL));
    qemu_bh_schedule(aio_bh_new(ctx, nothing, NULL));
    aio_context_unref(ctx);
}

static void abort_foreign_poll(const ScenarioArgs *args)
{
    AioContext *ctx = aio_context_new(&error_abort);

    aio_poll(ctx, false);
}

static const LoopTest tests[] = {{NULL}};

static const AbortTest aborts[] = {
    {"/misuse/recursion", abort_recursion,
     "Co-routine re-entered recursively: coroutine 'snake'"},
    {"/misuse/recursion-of-two", abort_recursion_two, "coroutine 'inner'"},
    {"/misuse/recursion-of-two-other", abort_recursion_two,
     "Co-routine re-entered recursively: coroutine 'outer'"},
    {"/misuse/enter-ended", abort_enter_ended,
     "Co-routine is entered after its end: coroutine 'ghost', by coroutine "
     "'medium'"},
    {"/misuse/wake-self", abort_wake_self, "coroutine 'insomniac'"},
    {"/misuse/schedule-twice", abort_schedule_twice,
     "aio_co_schedule: Co-routine was already scheduled in 'aio_co_schedule': "
     "coroutine 'late'"},
    {"/misuse/schedule-twice-by", abort_schedule_twice,
     "by coroutine 'eager'"},
    {"/misuse/enter-scheduled", abort_enter_scheduled,
     "qemu_aio_coroutine_enter: Co-routine was already scheduled in "
     "'aio_co_schedule': coroutine 'late'"},
    {"/misuse/enter-scheduled-by", abort_enter_scheduled,
     "by coroutine 'eager'"},
    {"/misuse/enter-sleeping", abort_enter_sleeping,
     "Co-routine was already scheduled in 'qemu_co_sleep_ns': coroutine "
     "'sleeper'"},
    {"/misuse/end-scheduled", abort_end_scheduled,
     "end of a coroutine: Co-routine was already scheduled in "
     "'aio_co_schedule': coroutine 'hasty'"},
    {"/misuse/yield", abort_yield,
     "Co-routine is yielding to no one: thread 'main' was entered by nobody"},
    {"/misuse/sleep-outside", abort_sleep_outside,
     "qemu_co_sleep() outside a coroutine: in thread 'main'"},
    {"/misuse/co-queue-outside", abort_queue_outside,
     "CoQueue waited on outside a coroutine: in thread 'main'"},
    {"/misuse/co-mutex-lock-outside", abort_lock_outside,
     "CoMutex locked outside a coroutine: in thread 'main'"},
    {"/misuse/co-mutex-unlock-outside", abort_unlock_outside,
     "CoMutex unlocked outside a coroutine: in thread 'main'"},
    {"/misuse/end-with-lock", abort_end_with_lock,
     "Co-routine terminated holding locks: coroutine 'keeper'"},
    {"/misuse/unlock-by-other", abort_unlock_by_other,
     "CoMutex unlocked by one that does not hold it: by coroutine 'thief'"},
    {"/misuse/unlock-by-other-holder", abort_unlock_by_other,
     "; coroutine 'keeper'"},
    {"/misuse/unlock-free", abort_unlock_free, "nobody is its holder"},
    {"/misuse/rwlock-unlock", abort_rwlock_unlock,
     "CoRwlock unlocked: by coroutine 'thief'"},
    {"/misuse/rwlock-downgrade", abort_rwlock_downgrade,
     "nobody holds it for writing"},
    {"/misuse/rwlock-upgrade", abort_rwlock_upgrade,
     "nobody holds it for reading"},
    {"/misuse/wake-awake", abort_wake_awake,
     "qemu_co_sleep_wake() of one that does not sleep: by thread 'main'; "
     "coroutine 'awake'"},
    {"/misuse/leaked-bh", abort_leaked_bh, "BH 'nothing' leaked"},
    {"/misuse/foreign-poll", abort_foreign_poll, "in_aio_context_home_thread"},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, aborts);
}
