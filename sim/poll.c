/* SPDX-License-Identifier: MIT */
/*
 * poll() of the simulated machine, which GLib's loops wait with.
 *
 * Monitors and notifiers have virtual descriptors.  Others are the kernel's:
 * GLib's own wake-up eventfd, or a pipe of the program's.  They are asked
 * without waiting; since this is the only thread that could write to them,
 * what they answer is the same every time.
 */
#include "sim-internal.h"

#include <poll.h>

typedef struct SimPoller {
    VThread *thread;
    GPollFD *fds;
    unsigned n;
    QLIST_ENTRY(SimPoller) node;
} SimPoller;

static gushort kernel_revents(const GPollFD *fd)
{
    struct pollfd pfd = {.fd = fd->fd, .events = fd->events};

    return poll(&pfd, 1, 0) > 0 ? pfd.revents : 0;
}

static gushort revents_of(const GPollFD *fd)
{
    HostMonitor *monitor;

    if (fd->fd < SIM_FD_NOTIFIER) {
        return kernel_revents(fd);
    }
    monitor = sim_monitor_by_fd(fd->fd);
    if (monitor ? sim_monitor_has_events(monitor) : sim_fd_readable(fd->fd)) {
        return fd->events & G_IO_IN;
    }
    return 0;
}

static unsigned take_revents(GPollFD *fds, unsigned n)
{
    unsigned ready = 0;

    for (unsigned i = 0; i < n; i++) {
        fds[i].revents = revents_of(&fds[i]);
        ready += fds[i].revents != 0;
    }
    return ready;
}

void sim_poll_wake_ready(void)
{
    SimPoller *poller;

    QLIST_FOREACH(poller, &sim.pollers, node) {
        if (poller->thread->state == VTHREAD_BLOCKED &&
            take_revents(poller->fds, poller->n)) {
            sim_wake(poller->thread);
        }
    }
}

int64_t sim_poll_next_event(void)
{
    int64_t soonest = -1;
    SimPoller *poller;

    QLIST_FOREACH(poller, &sim.pollers, node) {
        for (unsigned i = 0; i < poller->n; i++) {
            HostMonitor *monitor = sim_monitor_by_fd(poller->fds[i].fd);

            if (monitor) {
                soonest = qemu_soonest_timeout(soonest,
                                               sim_monitor_due(monitor));
            }
        }
    }
    return soonest;
}

static void touch(const GPollFD *fds, unsigned n)
{
    for (unsigned i = 0; sim.config.tracer && i < n; i++) {
        HostMonitor *monitor = sim_monitor_by_fd(fds[i].fd);

        if (monitor) {
            sim_monitor_touch(monitor);
        } else {
            sim_fd_touch(fds[i].fd);
        }
    }
}

int sim_poll(GPollFD *fds, unsigned n, int64_t timeout_ns)
{
    SimPoller self = {.thread = machine_current(), .fds = fds, .n = n};
    int64_t deadline;
    unsigned ready;

    sim_point();
    deadline = timeout_ns < 0 ? -1 : sim.now + timeout_ns;
    QLIST_INSERT_HEAD(&sim.pollers, &self, node);
    touch(fds, n);
    while (!(ready = take_revents(fds, n)) && timeout_ns) {
        if (!sim_block(deadline)) {
            ready = take_revents(fds, n);
            break;
        }
        touch(fds, n);
    }
    QLIST_REMOVE(&self, node);
    return ready;
}
