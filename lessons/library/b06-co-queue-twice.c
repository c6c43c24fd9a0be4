/* SPDX-License-Identifier: MIT */
/*
 * b06-co-queue-twice: who waits for a mutex is entered by somebody else.
 *
 * QEMU 141cabe6f1, "nbd: fix the co_queue multi-adding bug" (2014).  To cancel
 * all requests, nbd_recv_coroutines_enter_all() enters each coroutine of
 * recv_coroutine[], which is there to be woken by a reply.  One of them had
 * entered itself there before it had send_mutex, and still waits for that; it
 * finds the mutex locked, and queues itself a second time.  When the mutex is
 * free it is entered twice.
 *
 *   buggy  a request is put into recv_coroutine[] before it has send_mutex
 *   fixed  when it has send_mutex
 *
 * CoMutex is as it was then: a CoQueue, and a flag that is tested in a loop.
 */
#include "aiolab/scenario.h"

enum { MAX_NBD_REQUESTS = 2, MAX_QUEUED = 4 };

typedef struct OldCoMutex {
    bool locked;
    Coroutine *queue[MAX_QUEUED];
    unsigned n;
} OldCoMutex;

typedef struct NbdClientSession {
    OldCoMutex send_mutex;
    Coroutine *recv_coroutine[MAX_NBD_REQUESTS];
    bool registers_late;
    bool shut_down;
} NbdClientSession;

static void coroutine_fn old_co_mutex_lock(OldCoMutex *mutex)
{
    while (mutex->locked) {
        assert(mutex->n < MAX_QUEUED);
        mutex->queue[mutex->n++] = qemu_coroutine_self();
        qemu_coroutine_yield();
    }
    mutex->locked = true;
}

static void coroutine_fn old_co_mutex_unlock(OldCoMutex *mutex)
{
    Coroutine *next = mutex->queue[0];

    mutex->locked = false;
    if (mutex->n) {
        mutex->n--;
        memmove(mutex->queue, mutex->queue + 1, mutex->n * sizeof(next));
        qemu_coroutine_enter(next);
    }
}

static unsigned nbd_coroutine_start(NbdClientSession *s)
{
    unsigned i = s->recv_coroutine[0] ? 1 : 0;

    s->recv_coroutine[i] = qemu_coroutine_self();
    return i;
}

/* Sending blocks once, unless the connection is shut down. */
static void coroutine_fn nbd_co_request(void *opaque)
{
    NbdClientSession *s = opaque;
    unsigned i = s->registers_late ? 0 : nbd_coroutine_start(s);

    old_co_mutex_lock(&s->send_mutex);
    if (s->registers_late) {
        i = nbd_coroutine_start(s);
    }
    if (!s->shut_down) {
        qemu_coroutine_yield(); /* until the socket is writable */
    }
    old_co_mutex_unlock(&s->send_mutex);
    if (!s->shut_down) {
        qemu_coroutine_yield(); /* until the reply is here */
    }
    s->recv_coroutine[i] = NULL;
}

static void nbd_recv_coroutines_enter_all(NbdClientSession *s)
{
    for (unsigned i = 0; i < MAX_NBD_REQUESTS; i++) {
        if (s->recv_coroutine[i]) {
            qemu_coroutine_enter(s->recv_coroutine[i]);
        }
    }
}

static Coroutine *start_request(NbdClientSession *s)
{
    Coroutine *co = qemu_coroutine_create(nbd_co_request, s);

    qemu_coroutine_enter(co);
    return co;
}

static void run(const ScenarioArgs *args)
{
    NbdClientSession s = {.registers_late = scenario_is_variant(args, "fixed")};
    Coroutine *first = start_request(&s);

    qemu_coroutine_enter(first); /* it was sent */
    start_request(&s);           /* is being sent, and has send_mutex */
    qemu_coroutine_enter(first); /* the reply: slot 0 is free again */
    start_request(&s);           /* waits for send_mutex */
    s.shut_down = true;          /* nbd_teardown_connection() */
    nbd_recv_coroutines_enter_all(&s);
}

SCENARIO(b06_co_queue_twice) = {
    .name = "b06-co-queue-twice",
    .summary = "a coroutine that waits for a CoMutex is entered by whoever "
               "cancels requests, and queues itself twice (QEMU 141cabe6f1)",
    .shows = "the request stands in recv_coroutine[] before it has send_mutex, "
             "so it is entered while it waits for that, and entered twice when "
             "it is free; the fix puts it there when it has the mutex",
    .variants = (const ScenarioVariant[]){
        {"buggy", "registered, then locked"},
        {"fixed", "locked, then registered"},
        {NULL}},
    .run = run,
};
