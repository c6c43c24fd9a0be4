/* SPDX-License-Identifier: MIT */
/*
 * A file descriptor's handler, and the names of the monitors that watch it
 * (util/aio-posix.h).
 *
 * In QEMU a monitor is a table of functions on the context.  Here the table
 * belongs to the host, because a recording and a replay have to come between;
 * what stays is its identity: ctx->fdmon_ops is one of the three.
 */
#ifndef AIO_POSIX_H
#define AIO_POSIX_H

#include "qemu/aio.h"

typedef struct AioPolledEvent {
    int64_t ns; /* moving average of the time waited for it; 0: too long */
} AioPolledEvent;

struct AioHandler {
    GPollFD pfd;
    AioContext *ctx;
    struct HostWatch *watch;
    IOHandler *io_read;
    IOHandler *io_write;
    AioPollFn *io_poll;
    IOHandler *io_poll_ready;
    IOHandler *io_poll_begin;
    IOHandler *io_poll_end;
    void *opaque;
    short revents;   /* of the wait; not dispatched yet */
    bool poll_ready; /* found by polling; not dispatched yet */
    bool poll_active; /* its callback ran in this turn */
    bool poll_idle;   /* polled once more, when poll mode ends */
    bool deleted;
    bool is_external; /* aiolab/legacy.h */
    bool in_gsource; /* its pfd is with GLib */
    uint64_t id;
    AioPolledEvent poll;
    int64_t last_dispatch_timestamp; /* while it is polled */
    QLIST_ENTRY(AioHandler) node;
    QLIST_ENTRY(AioHandler) node_ready;
    QLIST_ENTRY(AioHandler) node_poll;
    QSLIST_ENTRY(AioHandler) node_deleted;
};

extern const FDMonOps fdmon_poll_ops;
extern const FDMonOps fdmon_epoll_ops;
extern const FDMonOps fdmon_io_uring_ops;

#endif
