/* SPDX-License-Identifier: MIT */
/* GLib's main loop: an idle source an operation, and turns with nothing. */
#include "peer.h"

#include <glib-unix.h>
#include <sys/eventfd.h>

static gboolean ran(gpointer opaque)
{
    return G_SOURCE_REMOVE;
}

static void idle(uint64_t n)
{
    peer_begin();
    for (uint64_t i = 0; i < n; i++) {
        g_idle_add(ran, NULL);
        g_main_context_iteration(NULL, TRUE);
    }
    peer_end();
}

static gboolean never(gint fd, GIOCondition condition, gpointer opaque)
{
    return G_SOURCE_CONTINUE;
}

/* Our context watches one descriptor, its notifier: so does this one. */
static void empty(uint64_t n)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    guint id = g_unix_fd_add(fd, G_IO_IN, never, NULL);

    peer_begin();
    for (uint64_t i = 0; i < n; i++) {
        g_main_context_iteration(NULL, FALSE);
    }
    peer_end();
    g_source_remove(id);
    close(fd);
}

int main(int argc, char **argv)
{
    static const Peer peers[] = {
        {"idle", idle}, {"empty", empty}, {NULL, NULL}};

    return peer_main(argc, argv, peers);
}
