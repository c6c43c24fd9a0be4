/* SPDX-License-Identifier: MIT */
/*
 * A counter that wakes an event loop: an eventfd on the live host, a virtual
 * one in the simulated machine.  After QEMU's qemu/event_notifier.h.
 */
#ifndef QEMU_EVENT_NOTIFIER_H
#define QEMU_EVENT_NOTIFIER_H

#include "qemu/osdep.h"

struct EventNotifier {
    int rfd;
    int wfd;
    bool initialized;
    uint64_t id; /* ours: the object id, see eventloop/host.h */
};

/* Returns 0, or a negative errno.  @active: readable from the start. */
int event_notifier_init(EventNotifier *e, int active);
/* Takes over @fd, an eventfd; live only. */
void event_notifier_init_fd(EventNotifier *e, int fd);
void event_notifier_cleanup(EventNotifier *e);
int event_notifier_get_fd(const EventNotifier *e);
int event_notifier_get_wfd(const EventNotifier *e);

/* Any thread; async-signal-safe on the live host. */
int event_notifier_set(EventNotifier *e);
/* Clears the counter; returns 1 if it was set. */
int event_notifier_test_and_clear(EventNotifier *e);

#endif
