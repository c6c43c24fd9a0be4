/* SPDX-License-Identifier: MIT */
/*
 * The recorder's linux-aio: what the kernel took, and what came back.  A
 * completion is noted like one of a ring, with the data that it brought.
 */
#include "recorder-internal.h"

int rec_laio_setup(uint64_t id, unsigned max_events, EventNotifier *e,
                   HostLaio **laio)
{
    int ret = rec.base->laio_setup(id, max_events, e, laio);

    rec_put(INPUT_LAIO_SETUP, id, (int64_t)ret, 0);
    return ret;
}

void rec_laio_destroy(HostLaio *laio)
{
    pending_remove_laio(&rec.pending, laio);
    rec.base->laio_destroy(laio);
}

int rec_laio_submit(HostLaio *laio, HostLaioRequest **requests, unsigned n)
{
    int ret;

    /* Before the kernel has them: it may overwrite at once. */
    for (unsigned i = 0; i < n; i++) {
        Pending *pending = pending_add(&rec.pending, &requests[i]->handler,
                                       &requests[i]->sqe);

        pending->laio = laio;
        rec_note_request(pending);
    }
    ret = rec.base->laio_submit(laio, requests, n);
    for (unsigned i = MAX(ret, 0); i < n; i++) {
        pending_remove(&rec.pending, requests[i]->handler.cqe.user_data);
    }
    rec_put(INPUT_LAIO_SUBMIT, 0, (int64_t)ret, 0);
    return ret;
}

unsigned rec_laio_getevents(HostLaio *laio, HostLaioRequest **done, unsigned n)
{
    unsigned taken = rec.base->laio_getevents(laio, done, n);

    rec_put(INPUT_LAIO_EVENTS, 0, taken, 0);
    for (unsigned i = 0; i < taken; i++) {
        rec_put_cqe(&done[i]->handler);
    }
    return taken;
}

/* It is asked by busy polling only, which is noted as a whole. */
bool rec_laio_pending(HostLaio *laio)
{
    return rec.base->laio_pending(laio);
}
