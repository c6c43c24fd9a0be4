/* SPDX-License-Identifier: MIT */
/* libevent: an event made active by hand, and empty turns. */
#include "peer.h"

#include <event2/event.h>
#include <sys/eventfd.h>

static void ran(evutil_socket_t fd, short what, void *opaque)
{
}

static void active(uint64_t n)
{
    struct event_base *base = event_base_new();
    struct event *event = event_new(base, -1, 0, ran, NULL);

    peer_check(base && event, "libevent");
    peer_begin();
    for (uint64_t i = 0; i < n; i++) {
        event_active(event, 0, 0);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    peer_end();
    event_free(event);
    event_base_free(base);
}

/* One descriptor is watched: without an event a loop returns at once. */
static void empty(uint64_t n)
{
    struct event_base *base = event_base_new();
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct event *event = event_new(base, fd, EV_READ | EV_PERSIST, ran, NULL);

    peer_check(base && event && event_add(event, NULL) == 0, "libevent");
    peer_begin();
    for (uint64_t i = 0; i < n; i++) {
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    peer_end();
    event_free(event);
    event_base_free(base);
    close(fd);
}

int main(int argc, char **argv)
{
    static const Peer peers[] = {
        {"active", active}, {"empty", empty}, {NULL, NULL}};

    return peer_main(argc, argv, peers);
}
