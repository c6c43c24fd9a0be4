/* SPDX-License-Identifier: MIT */
/* The linux-aio of a replay: requests are kept until the log completes them. */
#include "replay-internal.h"

struct HostLaio {
    char nothing; /* its requests know it by its address */
};

int replay_laio_setup(uint64_t id, unsigned max_events, EventNotifier *e,
                      HostLaio **laio)
{
    int ret = (int)replay_take(INPUT_LAIO_SETUP, id).a;

    *laio = ret < 0 ? NULL : g_new0(HostLaio, 1);
    return ret;
}

void replay_laio_destroy(HostLaio *laio)
{
    pending_remove_laio(&rp.pending, laio);
    g_free(laio);
}

int replay_laio_submit(HostLaio *laio, HostLaioRequest **requests, unsigned n)
{
    int ret = (int)replay_take(INPUT_LAIO_SUBMIT, 0).a;

    if (ret > (int)n) {
        replay_diverge_at_last("fewer requests", NULL);
    }
    for (int i = 0; i < ret; i++) {
        pending_add(&rp.pending, &requests[i]->handler,
                    &requests[i]->sqe)->laio = laio;
    }
    return ret;
}

unsigned replay_laio_getevents(HostLaio *laio, HostLaioRequest **done,
                               unsigned n)
{
    uint64_t taken = replay_take(INPUT_LAIO_EVENTS, 0).a;

    if (taken > n) {
        replay_diverge_at_last("fewer completions", "the log's number is impossible");
    }
    for (uint64_t i = 0; i < taken; i++) {
        done[i] = container_of(replay_take_cqe(laio), HostLaioRequest, handler);
    }
    return taken;
}

/* Nobody asks: the log says what busy polling has found. */
bool replay_laio_pending(HostLaio *laio)
{
    return false;
}
