/* SPDX-License-Identifier: MIT */
/*
 * s2-qcow2-open: an open waits for a coroutine that it has only scheduled.
 *
 * From the sources of QEMU, block/qcow2.c: qcow2_open() gives its work to a
 * coroutine, by aio_co_enter(), and polls until that has a result.  Called in a
 * coroutine, as bdrv_co_create() once did, aio_co_enter() does not enter: it
 * notes what is to run when the caller yields, and the caller polls instead.
 *
 *   buggy  the open polls, whoever called it
 *   fixed  in a coroutine it does the work itself
 */
#include "aiolab/scenario.h"
#include "aiolab/wait-reason.h"

typedef struct QCow2OpenCo {
    int ret;
    bool asks_who_called;
    bool caller_finished;
} QCow2OpenCo;

static void coroutine_fn qcow2_open_entry(void *opaque)
{
    QCow2OpenCo *qoc = opaque;

    qoc->ret = 0; /* qcow2_do_open() */
    aio_wait_kick();
}

static int qcow2_open(QCow2OpenCo *qoc)
{
    qoc->ret = -EINPROGRESS;
    if (qoc->asks_who_called && qemu_in_coroutine()) {
        qcow2_open_entry(qoc);
    } else {
        Coroutine *co = qemu_coroutine_create(qcow2_open_entry, qoc);
        WaitReason opened;

        wait_reason_init(&opened, "qcow2_open_entry()");
        wait_reason_by_coroutine(&opened, co);
        aio_co_enter(qemu_get_aio_context(), co);
        wait_reason_next(&opened);
        AIO_WAIT_WHILE_UNLOCKED(NULL, qoc->ret == -EINPROGRESS);
    }
    return qoc->ret;
}

static void coroutine_fn qcow2_co_create(void *opaque)
{
    QCow2OpenCo *qoc = opaque;
    int ret = qcow2_open(qoc);

    SCENARIO_CHECK(ret == 0, "opening failed: %d", ret);
    qoc->caller_finished = true;
}

static void run(const ScenarioArgs *args)
{
    QCow2OpenCo qoc = {.asks_who_called = scenario_is_variant(args, "fixed")};

    qemu_coroutine_enter(qemu_coroutine_create(qcow2_co_create, &qoc));
    AIO_WAIT_WHILE_UNLOCKED(NULL, !qoc.caller_finished);
}

SCENARIO(s2_qcow2_open) = {
    .name = "s2-qcow2-open",
    .summary = "qcow2_open() in a coroutine polls for a coroutine that runs "
               "when its caller yields",
    .shows = "aio_co_enter() in a coroutine only queues, and the queue is run "
             "when the caller yields, which it does not while it polls; in a "
             "coroutine the work has to be done directly",
    .variants = (const ScenarioVariant[]){
        {"buggy", "entered by aio_co_enter(), and polled for"},
        {"fixed", "called directly in a coroutine"},
        {NULL}},
    .run = run,
};
