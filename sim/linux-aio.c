/* SPDX-License-Identifier: MIT */
/*
 * Simulated linux-aio: requests go to the same device as those of a ring, but
 * at once, and when one is done the device sets the queue's eventfd.  How many
 * of those that are done one look takes is a choice: the others came a moment
 * later.
 */
#include "sim-internal.h"

typedef struct LaioItem {
    HostLaioRequest *req;
    int64_t due;
    QTAILQ_ENTRY(LaioItem) next;
} LaioItem;

typedef QTAILQ_HEAD(LaioItemList, LaioItem) LaioItemList;

struct HostLaio {
    uint64_t id;
    int event_fd;
    unsigned max_events;
    unsigned in_flight;
    unsigned n_done;
    bool fault; /* the last request failed, see fault.c */
    LaioItemList pending; /* at the device, by due time */
    LaioItemList done;
    QTAILQ_ENTRY(HostLaio) next;
};

int sim_laio_setup(uint64_t id, unsigned max_events, EventNotifier *e,
                   HostLaio **laio)
{
    HostLaio *new_laio = g_new0(HostLaio, 1);

    new_laio->id = id;
    new_laio->event_fd = event_notifier_get_wfd(e);
    new_laio->max_events = max_events;
    QTAILQ_INIT(&new_laio->pending);
    QTAILQ_INIT(&new_laio->done);
    QTAILQ_INSERT_TAIL(&sim.laios, new_laio, next);
    *laio = new_laio;
    return 0;
}

static void drop_items(LaioItemList *list)
{
    LaioItem *item, *next;

    QTAILQ_FOREACH_SAFE(item, list, next, next) {
        g_free(item);
    }
}

void sim_laio_destroy(HostLaio *laio)
{
    drop_items(&laio->pending);
    drop_items(&laio->done);
    QTAILQ_REMOVE(&sim.laios, laio, next);
    g_free(laio);
}

/* Keeps pending sorted; equal times stay in the order of submission. */
static void insert_pending(HostLaio *laio, LaioItem *item)
{
    LaioItem *other;

    QTAILQ_FOREACH(other, &laio->pending, next) {
        if (other->due > item->due) {
            QTAILQ_INSERT_BEFORE(other, item, next);
            return;
        }
    }
    QTAILQ_INSERT_TAIL(&laio->pending, item, next);
}

int sim_laio_submit(HostLaio *laio, HostLaioRequest **requests, unsigned n)
{
    unsigned taken = 0;

    sim_point();
    sim_access(laio, SIM_WRITE);
    for (; taken < n && laio->in_flight < laio->max_events; taken++) {
        LaioItem *item = g_new0(LaioItem, 1);

        item->req = requests[taken];
        item->due = sim.now + sim_latency(&item->req->sqe);
        insert_pending(laio, item);
        laio->in_flight++;
    }
    return taken ? (int)taken : -EAGAIN;
}

int64_t sim_laio_next_event(void)
{
    int64_t soonest = -1;
    HostLaio *laio;

    QTAILQ_FOREACH(laio, &sim.laios, next) {
        LaioItem *item = QTAILQ_FIRST(&laio->pending);

        if (item) {
            soonest = qemu_soonest_timeout(soonest, item->due);
        }
    }
    return soonest;
}

static void complete_due(HostLaio *laio)
{
    LaioItem *item;

    while ((item = QTAILQ_FIRST(&laio->pending)) && item->due <= sim.now) {
        CqeHandler *handler = &item->req->handler;

        sim_access(laio, SIM_WRITE);
        handler->cqe.res = sim_perform(laio->id, &laio->fault,
                                       &item->req->sqe);
        handler->cqe.flags = 0;
        QTAILQ_REMOVE(&laio->pending, item, next);
        QTAILQ_INSERT_TAIL(&laio->done, item, next);
        laio->n_done++;
        sim_fd_set(laio->event_fd);
    }
}

void sim_laio_complete_due(void)
{
    HostLaio *laio;

    QTAILQ_FOREACH(laio, &sim.laios, next) {
        complete_due(laio);
    }
}

unsigned sim_laio_getevents(HostLaio *laio, HostLaioRequest **done, unsigned n)
{
    unsigned taken;

    sim_access(laio, SIM_WRITE);
    complete_due(laio);
    n = sim_choose_batch(laio->id, MIN(n, laio->n_done), false);
    for (taken = 0; taken < n; taken++) {
        LaioItem *item = QTAILQ_FIRST(&laio->done);

        QTAILQ_REMOVE(&laio->done, item, next);
        laio->n_done--;
        laio->in_flight--;
        done[taken] = item->req;
        g_free(item);
    }
    if (laio->n_done) {
        sim_fd_set(laio->event_fd); /* for those that came later */
    }
    return taken;
}

bool sim_laio_pending(HostLaio *laio)
{
    complete_due(laio);
    return laio->n_done > 0;
}
