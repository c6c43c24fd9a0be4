/* SPDX-License-Identifier: MIT */
/*
 * b29-request-before-count: a coroutine exists, and is not counted yet.
 *
 * QEMU 9c707525cb, "nbd/server: Fix race in draining the export" (2024).  A
 * drain of an export stops new requests and waits for nb_requests to be 0.  The
 * coroutine of the next request is created and scheduled, and counts itself
 * when it runs; in between the drain sees nothing to wait for.
 *
 *   buggy  nbd_trip() counts itself
 *   fixed  whoever creates it does
 */
#include "aiolab/scenario.h"
#include "qemu/thread.h"

typedef struct NBDClient {
    QemuMutex lock;
    bool creator_counts;
    unsigned nb_requests; /* with the lock, as what follows */
    bool quiescing;
    Coroutine *recv_coroutine;
} NBDClient;

static void coroutine_fn nbd_trip(void *opaque)
{
    NBDClient *client = opaque;

    qemu_mutex_lock(&client->lock);
    if (!client->creator_counts) {
        client->nb_requests++;
    }
    qemu_mutex_unlock(&client->lock);
    /* Here the request is received and carried out. */
    qemu_mutex_lock(&client->lock);
    client->recv_coroutine = NULL;
    client->nb_requests--;
    qemu_mutex_unlock(&client->lock);
    aio_wait_kick();
}

static void nbd_client_receive_next_request(NBDClient *client)
{
    qemu_mutex_lock(&client->lock);
    if (!client->quiescing) {
        if (client->creator_counts) {
            client->nb_requests++;
        }
        client->recv_coroutine = qemu_coroutine_create(nbd_trip, client);
    }
    qemu_mutex_unlock(&client->lock);
}

/* What is scheduled in one turn of its loop runs in the next. */
static void *iothread_run(void *opaque)
{
    NBDClient *client = opaque;

    nbd_client_receive_next_request(client);
    if (client->recv_coroutine) {
        qemu_coroutine_enter(client->recv_coroutine);
    }
    return NULL;
}

static bool nbd_drained_poll(NBDClient *client)
{
    bool busy;

    qemu_mutex_lock(&client->lock);
    busy = client->nb_requests > 0;
    qemu_mutex_unlock(&client->lock);
    return busy;
}

static void blk_aio_attached(NBDClient *client)
{
    qemu_mutex_lock(&client->lock);
    SCENARIO_CHECK(!client->recv_coroutine,
                   "a request is being received in a drained section");
    qemu_mutex_unlock(&client->lock);
}

static void run(const ScenarioArgs *args)
{
    NBDClient client = {.creator_counts = scenario_is_variant(args, "fixed")};
    QemuThread iothread;

    qemu_mutex_init(&client.lock);
    qemu_thread_create(&iothread, "iothread", iothread_run, &client,
                       QEMU_THREAD_JOINABLE);
    qemu_mutex_lock(&client.lock); /* nbd_drained_begin() */
    client.quiescing = true;
    qemu_mutex_unlock(&client.lock);
    AIO_WAIT_WHILE_UNLOCKED(NULL, nbd_drained_poll(&client));
    blk_aio_attached(&client);
    qemu_thread_join(&iothread);
    qemu_mutex_destroy(&client.lock);
}

SCENARIO(b29_request_before_count) = {
    .name = "b29-request-before-count",
    .summary = "a drain does not wait for a request whose coroutine has not "
               "begun (QEMU 9c707525cb)",
    .shows = "recv_coroutine is scheduled and nb_requests is still 0 when the "
             "drain looks; the fix counts the request where its coroutine is "
             "created",
    .variants = (const ScenarioVariant[]){
        {"buggy", "counted when it runs"},
        {"fixed", "counted when it is created"},
        {NULL}},
    .run = run,
};
