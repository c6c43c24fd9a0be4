/* SPDX-License-Identifier: MIT */
/*
 * The recorder's linux-aio: what the kernel took, and what came back.  A
 * completion is noted like one of a ring, with the data that it brought.
 */
#include "recorder-internal.h"

typedef struct RecordedLaio {
    HostLaio *base;
    PendingTable pending;
} RecordedLaio;

/* What the block layer holds for a HostLaio is one of ours. */
static RecordedLaio *recorded(HostLaio *laio)
{
    return (RecordedLaio *)laio;
}

int rec_laio_setup(uint64_t id, unsigned max_events, EventNotifier *e,
                   HostLaio **laio)
{
    HostLaio *base;
    int ret = rec.base->laio_setup(id, max_events, e, &base);

    if (ret >= 0) {
        RecordedLaio *ours = g_new(RecordedLaio, 1);

        ours->base = base;
        pending_init(&ours->pending);
        *laio = (HostLaio *)ours;
    }
    rec_put(INPUT_LAIO_SETUP, id, (int64_t)ret, 0);
    return ret;
}

void rec_laio_destroy(HostLaio *laio)
{
    rec.base->laio_destroy(recorded(laio)->base);
    pending_finish(&recorded(laio)->pending);
    g_free(laio);
}

int rec_laio_submit(HostLaio *laio, HostLaioRequest **requests, unsigned n)
{
    PendingTable *table = &recorded(laio)->pending;
    int ret;

    /* Before the kernel has them: it may overwrite at once. */
    for (unsigned i = 0; i < n; i++) {
        rec_request_begins(pending_add(table, &requests[i]->handler,
                                       &requests[i]->sqe));
    }
    ret = rec.base->laio_submit(recorded(laio)->base, requests, n);
    for (unsigned i = MAX(ret, 0); i < n; i++) {
        rec_request_is_over(table, requests[i]->handler.cqe.user_data);
    }
    rec_put(INPUT_LAIO_SUBMIT, 0, (int64_t)ret, 0);
    return ret;
}

unsigned rec_laio_getevents(HostLaio *laio, HostLaioRequest **done, unsigned n)
{
    unsigned taken = rec.base->laio_getevents(recorded(laio)->base, done, n);

    rec_put(INPUT_LAIO_EVENTS, 0, taken, 0);
    for (unsigned i = 0; i < taken; i++) {
        rec_put_cqe(&recorded(laio)->pending, &done[i]->handler);
    }
    return taken;
}

/* It is asked by busy polling only, which is noted as a whole. */
bool rec_laio_pending(HostLaio *laio)
{
    return rec.base->laio_pending(recorded(laio)->base);
}
