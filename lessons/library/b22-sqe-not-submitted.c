/* SPDX-License-Identifier: MIT */
/*
 * b22-sqe-not-submitted: a request is queued on a ring whose thread sleeps.
 *
 * QEMU 2ae361ef1d, "aio-posix: notify main loop when SQEs are queued" (2026).
 * A vCPU thread that holds the BQL counts as the main thread, and puts its
 * request straight into the main context's ring.  The main loop submits what is
 * in the ring when it goes to sleep, and it sleeps already.  (QEMU's sleeps end
 * after half a second at most, so there it was slow.  Here they do not end.)
 *
 *   buggy  aio_add_sqe() queues
 *   fixed  it notifies the context, too
 */
#include "aiolab/scenario.h"
#include "model-eventfd.h"

typedef struct MainLoop {
    QemuMutex bql;
    ModelEventfd wakeup; /* notifications, and the ring's completions */
    bool notifies;
    unsigned queued;     /* SQEs; with the BQL, as what follows */
    bool completed;
} MainLoop;

static void old_aio_add_sqe(MainLoop *loop)
{
    loop->queued++;
    wait_reason_done(&loop->wakeup.event);
    if (loop->notifies) {
        model_eventfd_set(&loop->wakeup); /* aio_notify() */
    }
}

/* The kernel is done at once, and says so. */
static void submit_queued(MainLoop *loop)
{
    if (loop->queued) {
        loop->queued = 0;
        loop->completed = true;
        model_eventfd_set(&loop->wakeup);
    }
}

/* With the BQL, which it gives up in ppoll(). */
static void old_main_loop_wait(MainLoop *loop)
{
    submit_queued(loop); /* gsource_prepare() */
    qemu_mutex_unlock(&loop->bql);
    model_eventfd_poll(&loop->wakeup);
    qemu_mutex_lock(&loop->bql);
    model_eventfd_test_and_clear(&loop->wakeup);
}

static void *vcpu_thread(void *opaque)
{
    MainLoop *loop = opaque;

    qemu_mutex_lock(&loop->bql);
    old_aio_add_sqe(loop);
    qemu_mutex_unlock(&loop->bql);
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    MainLoop loop = {.notifies = scenario_is_variant(args, "fixed")};
    QemuThread vcpu;

    qemu_mutex_init(&loop.bql);
    model_eventfd_init(&loop.wakeup, "aio_add_sqe()");
    qemu_thread_create(&vcpu, "vcpu", vcpu_thread, &loop, QEMU_THREAD_JOINABLE);
    qemu_mutex_lock(&loop.bql);
    while (!loop.completed) {
        old_main_loop_wait(&loop);
    }
    qemu_mutex_unlock(&loop.bql);
    qemu_thread_join(&vcpu);
    model_eventfd_destroy(&loop.wakeup);
    qemu_mutex_destroy(&loop.bql);
}

SCENARIO(b22_sqe_not_submitted) = {
    .name = "b22-sqe-not-submitted",
    .summary = "a vCPU thread queues a request on the main loop's ring while "
               "the main loop sleeps (QEMU 2ae361ef1d)",
    .shows = "the request is in the ring, and whoever submits it sleeps until "
             "something else happens; the fix notifies the context",
    .variants = (const ScenarioVariant[]){
        {"buggy", "aio_add_sqe() only queues"},
        {"fixed", "it notifies, too"},
        {NULL}},
    .run = run,
};
