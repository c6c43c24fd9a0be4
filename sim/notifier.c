/* SPDX-License-Identifier: MIT */
/* Virtual eventfds. */
#include "sim-internal.h"

typedef struct SimNotifier {
    uint64_t count;
    uint64_t sets;  /* how often it was set, ever */
    uint64_t since; /* when it was set, see sim_fd_readable_since() */
} SimNotifier;

static SimNotifier *find(int fd)
{
    unsigned index = fd - SIM_FD_NOTIFIER;

    return fd >= SIM_FD_NOTIFIER && index < sim.notifiers->len
               ? g_ptr_array_index(sim.notifiers, index)
               : NULL;
}

int sim_notifier_init(EventNotifier *e, bool active)
{
    SimNotifier *n = g_new0(SimNotifier, 1);

    n->count = active;
    e->rfd = e->wfd = SIM_FD_NOTIFIER + sim.notifiers->len;
    g_ptr_array_add(sim.notifiers, n);
    return 0;
}

void sim_notifier_cleanup(EventNotifier *e)
{
    g_free(find(e->rfd));
    g_ptr_array_index(sim.notifiers, e->rfd - SIM_FD_NOTIFIER) = NULL;
}

void sim_fd_touch(int fd)
{
    SimNotifier *n = find(fd);

    if (n) {
        sim_access(n, SIM_READ);
    }
}

void sim_fd_set(int fd)
{
    SimNotifier *n = find(fd);

    sim_access(n, SIM_WRITE);
    sim_monitor_touch_order(fd);
    n->count++;
    n->sets++;
    n->since = sim.next_ready++;
}

void sim_notifier_set(EventNotifier *e)
{
    sim_point();
    sim_fence();
    sim_fd_set(e->wfd);
    sim_monitor_wake_ready();
    sim_poll_wake_ready();
}

bool sim_notifier_clear(EventNotifier *e)
{
    SimNotifier *n = find(e->rfd);
    bool was_set = n->count > 0;

    sim_access(n, SIM_WRITE);
    n->count = 0;
    return was_set;
}

bool sim_fd_readable(int fd)
{
    SimNotifier *n = find(fd);

    return n && n->count;
}

uint64_t sim_fd_readable_since(int fd)
{
    return find(fd)->since;
}

uint64_t sim_fd_sets(int fd)
{
    SimNotifier *n = find(fd);

    return n ? n->sets : 0;
}
