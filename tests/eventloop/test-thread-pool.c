/* SPDX-License-Identifier: MIT */
/*
 * The pool of an AioContext: results, order, cancelling, nested loops, how
 * many threads there are, and who may submit.
 *
 * Nobody sees when a request is DONE, but with one thread a request begins
 * only when the one before it is: a "tail" that has begun says that.
 */
#include "harness.h"

#include "block/thread-pool.h"
#include "host.h"
#include "qemu/defer-call.h"

typedef struct Job {
    char name;
    BlockAIOCB *acb;
    int n;   /* times that the function ran */
    int ret; /* of the callback; -EINPROGRESS before */
    QemuSemaphore *begun; /* posted when it runs */
    QemuSemaphore *gate;  /* waited for before it ends */
    struct Job *until;    /* its callback polls until that one is done */
    uint32_t thread;
} Job;

static Trace order;
static QemuSemaphore begun, gate;
static AioContext *ctx;

static void setup(int64_t min, int64_t max)
{
    order = (Trace){.n = 0};
    ctx = qemu_get_current_aio_context();
    qemu_sem_init(&begun, 0);
    qemu_sem_init(&gate, 0);
    aio_context_set_thread_pool_params(ctx, min, max, &error_abort);
}

static void finish(void)
{
    qemu_sem_destroy(&begun);
    qemu_sem_destroy(&gate);
}

static int job_run(void *opaque)
{
    Job *job = opaque;

    job->thread = host_self()->id;
    if (job->begun) {
        qemu_sem_post(job->begun);
    }
    if (job->gate) {
        qemu_sem_wait(job->gate);
    }
    return qatomic_fetch_inc(&job->n);
}

static void job_done(void *opaque, int ret)
{
    Job *job = opaque;

    CHECK_EQ(job->ret, -EINPROGRESS);
    job->ret = ret;
    job->acb = NULL;
    trace(&order, job->name);
    while (job->until && job->until->ret == -EINPROGRESS) {
        aio_poll(ctx, true);
    }
}

static void submit(Job *job, char name)
{
    job->name = name;
    job->ret = -EINPROGRESS;
    job->acb = thread_pool_submit_aio(job_run, job, job_done, job);
    CHECK(job->acb);
    CHECK_EQ(job->ret, -EINPROGRESS);
}

static void wait_for(Job *job)
{
    while (job->ret == -EINPROGRESS) {
        aio_poll(ctx, true);
    }
}

/*
 * Submits @n jobs and a tail, and returns when all but the tail are DONE and
 * no callback has run; with end_tail() the tail ends, too.
 */
static void submit_all_done(Job *jobs, unsigned n, Job *tail)
{
    for (unsigned i = 0; i < n; i++) {
        submit(&jobs[i], 'A' + i);
    }
    *tail = (Job){.begun = &begun, .gate = &gate};
    submit(tail, 'z');
    aio_bh_poll(ctx); /* makes the thread */
    qemu_sem_wait(&begun);
    CHECK_EQ(order.n, 0);
}

static void end_tail(Job *tail)
{
    qemu_sem_post(&gate);
    wait_for(tail);
}

/* ---- Results ---- */

static void test_submit(const ScenarioArgs *args)
{
    Job quiet = {0}, job = {.n = 7};

    setup(0, 1); /* so that the second job comes after the first */
    CHECK(thread_pool_submit_aio(job_run, &quiet, NULL, NULL));
    while (!qatomic_read(&quiet.n)) {
        aio_poll(ctx, true);
    }
    CHECK_EQ(qatomic_read(&quiet.n), 1);
    submit(&job, 'A');
    wait_for(&job);
    CHECK_EQ(job.ret, 7);
    CHECK_EQ(job.n, 8);
    CHECK(job.thread != host_self()->id);
    finish();
}

static void coroutine_fn submit_entry(void *opaque)
{
    Job *job = opaque;

    job->ret = -EINPROGRESS;
    job->n = 41;
    job->ret = thread_pool_submit_co(job_run, job);
}

static void test_submit_co(const ScenarioArgs *args)
{
    Job jobs[3] = {{0}};

    setup(0, 2);
    for (int i = 0; i < 3; i++) {
        qemu_coroutine_enter(qemu_coroutine_create(submit_entry, &jobs[i]));
        CHECK_EQ(jobs[i].ret, -EINPROGRESS);
    }
    for (int i = 0; i < 3; i++) {
        wait_for(&jobs[i]);
        CHECK_EQ(jobs[i].ret, 41);
        CHECK_EQ(jobs[i].n, 42);
    }
    finish();
}

enum { MANY = 100 };

static int left;

static void many_done(void *opaque, int ret)
{
    Job *job = opaque;

    job->ret = ret;
    left--;
}

static void test_many(const ScenarioArgs *args)
{
    static Job jobs[MANY];

    setup(0, 8);
    left = MANY;
    for (int i = 0; i < MANY; i++) {
        jobs[i] = (Job){.n = i};
        thread_pool_submit_aio(job_run, &jobs[i], many_done, &jobs[i]);
    }
    while (left) {
        aio_poll(ctx, true);
    }
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(jobs[i].n, i + 1);
        CHECK_EQ(jobs[i].ret, i);
    }
    finish();
}

/* ---- Completion ---- */

static void test_order(const ScenarioArgs *args)
{
    Job jobs[4] = {{0}}, tail;

    setup(0, 1);
    submit_all_done(jobs, 4, &tail);
    aio_bh_poll(ctx);
    CHECK_STR(order.text, "DCBA");
    end_tail(&tail);
    finish();
}

static void test_nested(const ScenarioArgs *args)
{
    Job jobs[3] = {{0}}, tail;

    setup(0, 1);
    jobs[2].until = &jobs[1]; /* C comes first, and waits for B */
    jobs[1].until = &jobs[0];
    submit_all_done(jobs, 3, &tail);
    wait_for(&jobs[2]);
    CHECK_EQ(jobs[1].ret, 0);
    CHECK_EQ(jobs[0].ret, 0);
    end_tail(&tail);
    finish();
}

static int deferred;

static void deferred_fn(void *opaque)
{
    deferred++;
}

static void deferring_cb(void *opaque, int ret)
{
    CHECK_EQ(deferred, 0);
    defer_call(deferred_fn, NULL);
    job_done(opaque, ret);
}

static void test_defer(const ScenarioArgs *args)
{
    Job jobs[3] = {{0}}, tail = {.begun = &begun};

    setup(0, 1);
    deferred = 0;
    for (int i = 0; i < 3; i++) {
        jobs[i].ret = -EINPROGRESS;
        thread_pool_submit_aio(job_run, &jobs[i], deferring_cb, &jobs[i]);
    }
    submit(&tail, 'z');
    aio_bh_poll(ctx);
    qemu_sem_wait(&begun);
    aio_bh_poll(ctx);
    CHECK_EQ(jobs[0].ret, 0);
    CHECK_EQ(deferred, 1);
    wait_for(&tail);
    finish();
}

/* ---- Cancelling ---- */

/* One job runs and waits at the gate; @n more are queued behind it. */
static void submit_behind(Job *jobs, unsigned n)
{
    jobs[0] = (Job){.begun = &begun, .gate = &gate};
    submit(&jobs[0], 'A');
    aio_bh_poll(ctx);
    qemu_sem_wait(&begun);
    for (unsigned i = 1; i <= n; i++) {
        jobs[i] = (Job){.n = 0};
        submit(&jobs[i], 'A' + i);
    }
}

static void test_cancel_async(const ScenarioArgs *args)
{
    Job jobs[4];

    setup(0, 1);
    submit_behind(jobs, 3);
    bdrv_aio_cancel_async(jobs[2].acb);
    bdrv_aio_cancel_async(jobs[0].acb); /* it runs: too late */
    bdrv_aio_cancel_async(jobs[3].acb);
    CHECK_EQ(order.n, 0);
    aio_poll(ctx, true);
    CHECK_STR(order.text, "DC");
    qemu_sem_post(&gate);
    wait_for(&jobs[1]);
    CHECK_EQ(jobs[0].ret, 0);
    CHECK_EQ(jobs[1].ret, 0);
    CHECK_EQ(jobs[2].ret, -ECANCELED);
    CHECK_EQ(jobs[3].ret, -ECANCELED);
    CHECK_EQ(jobs[2].n + jobs[3].n, 0);
    finish();
}

static void open_gate(void *opaque)
{
    qemu_sem_post(&gate);
}

static void test_cancel(const ScenarioArgs *args)
{
    Job jobs[4];

    setup(0, 1);
    submit_behind(jobs, 3);
    bdrv_aio_cancel(jobs[2].acb);
    CHECK_STR(order.text, "C");
    CHECK_EQ(jobs[2].ret, -ECANCELED);
    bdrv_aio_cancel(jobs[1].acb);
    CHECK_EQ(jobs[1].ret, -ECANCELED);
    /* This one cannot be taken back, so the call waits for its end. */
    aio_bh_schedule_oneshot(ctx, open_gate, NULL);
    bdrv_aio_cancel(jobs[0].acb);
    CHECK_EQ(jobs[0].ret, 0);
    wait_for(&jobs[3]);
    CHECK_EQ(jobs[3].ret, 0);
    finish();
}

/* The function has returned, but its callback has not come: too late, too. */
static void test_cancel_done(const ScenarioArgs *args)
{
    Job jobs[1] = {{0}}, tail;

    setup(0, 1);
    submit_all_done(jobs, 1, &tail);
    bdrv_aio_cancel(jobs[0].acb);
    CHECK_EQ(jobs[0].ret, 0);
    end_tail(&tail);
    finish();
}

/* ---- Threads ---- */

static int together, most;

static int count_run(void *opaque)
{
    int now = qatomic_fetch_inc(&together) + 1;

    if (now > qatomic_read(&most)) {
        qatomic_set(&most, now); /* a lost update only makes it smaller */
    }
    job_run(opaque);
    qatomic_dec(&together);
    return 0;
}

static void run_counted(unsigned n)
{
    static Job jobs[16];

    together = most = 0;
    order = (Trace){.n = 0};
    for (unsigned i = 0; i < n; i++) {
        jobs[i] = (Job){.name = 'A' + i, .ret = -EINPROGRESS};
        thread_pool_submit_aio(count_run, &jobs[i], job_done, &jobs[i]);
    }
    while (order.n < n) {
        aio_poll(ctx, true);
    }
}

static void test_max(const ScenarioArgs *args)
{
    Job jobs[3];

    setup(0, 3);
    /* Three at once: each waits until all have begun. */
    for (int i = 0; i < 3; i++) {
        jobs[i] = (Job){.begun = &begun, .gate = &gate};
        submit(&jobs[i], 'A' + i);
    }
    aio_bh_poll(ctx);
    for (int i = 0; i < 3; i++) {
        qemu_sem_wait(&begun);
    }
    for (int i = 0; i < 3; i++) {
        qemu_sem_post(&gate);
    }
    for (int i = 0; i < 3; i++) {
        wait_for(&jobs[i]);
    }
    run_counted(12);
    CHECK(most <= 3);
    /* Too many now: those that are idle end. */
    aio_context_set_thread_pool_params(ctx, 0, 1, &error_abort);
    run_counted(1); /* the two others may still be on their way out */
    finish();
}

/* One idle thread and two requests: the second gets a thread of its own. */
static void test_second_thread(const ScenarioArgs *args)
{
    Job first = {0}, jobs[2];

    setup(0, 64);
    submit(&first, 'A');
    wait_for(&first);
    for (int i = 0; i < 2; i++) {
        jobs[i] = (Job){.begun = &begun, .gate = &gate};
        submit(&jobs[i], 'B' + i);
    }
    aio_bh_poll(ctx);
    qemu_sem_wait(&begun);
    qemu_sem_wait(&begun);
    qemu_sem_post(&gate);
    qemu_sem_post(&gate);
    wait_for(&jobs[0]);
    wait_for(&jobs[1]);
    finish();
}

static void coroutine_fn sleep_entry(void *opaque)
{
    qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, 25 * NANOSECONDS_PER_SECOND);
    *(bool *)opaque = true;
}

/* The thread that runs a job after nobody had one for 25 s. */
static uint32_t thread_after_a_rest(void)
{
    Job job = {0};
    bool rested = false;

    qemu_coroutine_enter(qemu_coroutine_create(sleep_entry, &rested));
    while (!rested) {
        aio_poll(ctx, true);
    }
    submit(&job, 'A');
    wait_for(&job);
    return job.thread;
}

static void test_idle(const ScenarioArgs *args)
{
    uint32_t first;

    setup(0, 2);
    first = thread_after_a_rest();
    CHECK(thread_after_a_rest() > first);
    aio_context_set_thread_pool_params(ctx, 1, 2, &error_abort);
    first = thread_after_a_rest();
    CHECK_EQ(thread_after_a_rest(), first);
    CHECK_EQ(thread_after_a_rest(), first);
    finish();
}

static void expect_refused(int64_t min, int64_t max)
{
    Error *err = NULL;

    aio_context_set_thread_pool_params(ctx, min, max, &err);
    CHECK(err);
    CHECK(strstr(error_get_pretty(err), "thread-pool-min/thread-pool-max"));
    error_free(err);
}

static void test_params(const ScenarioArgs *args)
{
    ThreadPoolAio *pool;

    setup(0, 64);
    expect_refused(2, 1);
    expect_refused(0, 0);
    expect_refused(-1, 4);
    expect_refused(0, -1);
    expect_refused(0, (int64_t)INT_MAX + 1);
    expect_refused((int64_t)INT_MAX + 1, (int64_t)INT_MAX + 1);
    aio_context_set_thread_pool_params(ctx, 3, 3, &error_abort);
    pool = thread_pool_new_aio(NULL);
    poll_until_idle(ctx); /* one is made by a bottom half, and makes the next */
    aio_context_set_thread_pool_params(ctx, 0, 64, &error_abort);
    thread_pool_update_params(pool, ctx);
    thread_pool_free_aio(pool);
    thread_pool_free_aio(NULL);
    CHECK(aio_get_thread_pool(ctx) == aio_get_thread_pool(ctx));
    finish();
}

/* ---- IOThreads ---- */

typedef struct Remote {
    Job jobs[4];
    int left;
    QemuSemaphore done;
} Remote;

static void remote_done(void *opaque, int ret)
{
    Remote *remote = opaque;

    if (--remote->left == 0) {
        qemu_sem_post(&remote->done);
    }
}

static void remote_bh(void *opaque)
{
    Remote *remote = opaque;

    for (int i = 0; i < 4; i++) {
        thread_pool_submit_aio(job_run, &remote->jobs[i], remote_done, remote);
    }
}

static void test_iothread(const ScenarioArgs *args)
{
    IOThread *iothread = iothread_create("io", &error_abort);
    Remote remote = {.left = 4};

    qemu_sem_init(&remote.done, 0);
    aio_bh_schedule_oneshot(iothread_get_aio_context(iothread), remote_bh,
                            &remote);
    qemu_sem_wait(&remote.done);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(remote.jobs[i].n, 1);
    }
    iothread_destroy(iothread); /* and its pool, with idle threads */
    qemu_sem_destroy(&remote.done);
}

/* ---- Misuse ---- */

static void *submit_thread(void *opaque)
{
    Job job = {0};

    thread_pool_submit_aio(job_run, &job, NULL, NULL);
    return NULL;
}

static void abort_no_context(const ScenarioArgs *args)
{
    QemuThread thread;

    qemu_thread_create(&thread, "stranger", submit_thread, NULL,
                       QEMU_THREAD_JOINABLE);
    qemu_thread_join(&thread);
}

static void abort_busy(const ScenarioArgs *args)
{
    static Job job;

    setup(0, 1);
    submit(&job, 'A');
    thread_pool_free_aio(aio_get_thread_pool(ctx));
}

static const LoopTest tests[] = {
    {"/thread-pool/submit", test_submit, TEST_THREADS},
    {"/thread-pool/submit-co", test_submit_co, TEST_THREADS},
    {"/thread-pool/submit-many", test_many, TEST_THREADS},
    {"/thread-pool/order", test_order, TEST_THREADS},
    {"/thread-pool/nested", test_nested, TEST_THREADS},
    {"/thread-pool/defer-call", test_defer, TEST_THREADS},
    {"/thread-pool/cancel", test_cancel, TEST_THREADS},
    {"/thread-pool/cancel-async", test_cancel_async, TEST_THREADS},
    {"/thread-pool/cancel-done", test_cancel_done, TEST_THREADS},
    {"/thread-pool/max", test_max, TEST_THREADS},
    {"/thread-pool/second-thread", test_second_thread, TEST_THREADS},
    {"/thread-pool/idle", test_idle, TEST_THREADS | TEST_TAKES_TIME},
    {"/thread-pool/params", test_params, TEST_THREADS},
    {"/thread-pool/iothread", test_iothread, TEST_THREADS},
    {NULL},
};

static const AbortTest aborts[] = {
    {"/thread-pool/no-context", abort_no_context, "Assertion `ctx'"},
    {"/thread-pool/busy", abort_busy, "QLIST_EMPTY(&pool->all)"},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, aborts);
}
