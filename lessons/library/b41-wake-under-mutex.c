/* SPDX-License-Identifier: MIT */
/*
 * b41-wake-under-mutex: a callback enters a coroutine with a mutex held.
 *
 * QEMU 1d6610099b, "block/nfs: Do not enter coroutine from CB" (2026).  libnfs
 * calls back inside nfs_service(), with client->mutex held.  aio_co_wake()
 * enters the coroutine at once; it sends its next request, and takes
 * client->mutex for that.
 *
 *   buggy  the callback wakes the coroutine
 *   fixed  it schedules it: the coroutine runs when the mutex is free
 */
#include "aiolab/scenario.h"
#include "qemu/thread.h"

enum { REQUESTS = 2 };

typedef struct NFSClient {
    QemuMutex mutex;
    EventNotifier socket; /* readable: a reply is there */
    bool schedules;
    Coroutine *co;
    bool finished;
} NFSClient;

static void nfs_co_generic_cb(NFSClient *client)
{
    if (client->schedules) {
        aio_co_schedule(qemu_get_aio_context(), client->co);
    } else {
        aio_co_wake(client->co);
    }
}

static void nfs_process_read(EventNotifier *e)
{
    NFSClient *client = container_of(e, NFSClient, socket);

    qemu_mutex_lock(&client->mutex);
    if (event_notifier_test_and_clear(e)) { /* nfs_service() */
        nfs_co_generic_cb(client);
    }
    qemu_mutex_unlock(&client->mutex);
}

/* The server's reply is there at once. */
static void coroutine_fn nfs_co_preadv(NFSClient *client)
{
    qemu_mutex_lock(&client->mutex);
    event_notifier_set(&client->socket); /* nfs_pread_async() */
    qemu_mutex_unlock(&client->mutex);
    qemu_coroutine_yield();
}

static void coroutine_fn requests_entry(void *opaque)
{
    NFSClient *client = opaque;

    for (unsigned i = 0; i < REQUESTS; i++) {
        nfs_co_preadv(client);
    }
    client->finished = true;
}

static void run(const ScenarioArgs *args)
{
    NFSClient client = {.schedules = scenario_is_variant(args, "fixed")};
    AioContext *ctx = qemu_get_aio_context();

    qemu_mutex_init(&client.mutex);
    event_notifier_init(&client.socket, false);
    aio_set_event_notifier(ctx, &client.socket, nfs_process_read, NULL, NULL);
    client.co = qemu_coroutine_create(requests_entry, &client);
    qemu_coroutine_enter(client.co);
    AIO_WAIT_WHILE(ctx, !client.finished);
    aio_set_event_notifier(ctx, &client.socket, NULL, NULL, NULL);
    event_notifier_cleanup(&client.socket);
    qemu_mutex_destroy(&client.mutex);
}

SCENARIO(b41_wake_under_mutex) = {
    .name = "b41-wake-under-mutex",
    .summary = "a callback wakes a coroutine with client->mutex held, and that "
               "sends its next request (QEMU 1d6610099b)",
    .shows = "nfs_process_read() holds the mutex that nfs_co_preadv(), which "
             "it has entered, waits for; the fix schedules the coroutine "
             "instead",
    .variants = (const ScenarioVariant[]){
        {"buggy", "aio_co_wake() in the callback"},
        {"fixed", "aio_co_schedule()"},
        {NULL}},
    .run = run,
};
