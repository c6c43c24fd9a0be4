/* SPDX-License-Identifier: MIT */
/* Event notifiers: the host has them, we give them names. */
#include "host.h"

int event_notifier_init(EventNotifier *e, int active)
{
    int ret;

    *e = (EventNotifier){.rfd = -1, .wfd = -1, .id = host_new_id()};
    ret = host->notifier_init(e, active);
    e->initialized = ret == 0;
    return ret;
}

void event_notifier_init_fd(EventNotifier *e, int fd)
{
    *e = (EventNotifier){
        .rfd = fd, .wfd = fd, .initialized = true, .id = host_new_id(),
    };
}

void event_notifier_cleanup(EventNotifier *e)
{
    if (e->initialized) {
        host->notifier_cleanup(e);
        e->initialized = false;
    }
}

int event_notifier_get_fd(const EventNotifier *e)
{
    return e->rfd;
}

int event_notifier_get_wfd(const EventNotifier *e)
{
    return e->wfd;
}

int event_notifier_set(EventNotifier *e)
{
    PROBE(NOTIFIER_SET, e->id, 0, 0, 0);
    host->notifier_set(e);
    return 0;
}

int event_notifier_test_and_clear(EventNotifier *e)
{
    bool was_set = host->notifier_clear(e);

    PROBE(NOTIFIER_CLEAR, e->id, was_set, 0, 0);
    return was_set;
}
