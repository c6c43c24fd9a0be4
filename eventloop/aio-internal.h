/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share about an AioContext, beside its fields
 * (qemu/aio.h) and its handlers' (util/aio-posix.h).
 */
#ifndef EVENTLOOP_AIO_INTERNAL_H
#define EVENTLOOP_AIO_INTERNAL_H

#include "host.h"
#include "util/aio-posix.h"

enum {
    BH_PENDING = 1 << 0,   /* is on a list */
    BH_SCHEDULED = 1 << 1, /* call it */
    BH_DELETED = 1 << 2,   /* free it without calling */
    BH_ONESHOT = 1 << 3,   /* free it after calling */
    BH_IDLE = 1 << 4,      /* is no progress, and may wait 10 ms */
};

struct QEMUBH {
    AioContext *ctx;
    const char *name;
    QEMUBHFunc *cb;
    void *opaque;
    QSLIST_ENTRY(QEMUBH) next;
    unsigned flags;
    unsigned replay_pushes; /* HOST_REPLAYS: and not taken yet */
    uint64_t id;
    MemReentrancyGuard *guard; /* or NULL */
};

/* The bottom halves that one aio_bh_poll() took; lives on its stack. */
struct BHListSlice {
    BHList bh_list;
    QSIMPLEQ_ENTRY(BHListSlice) next;
};

static inline uint64_t aio_context_id(AioContext *ctx)
{
    return ctx ? ctx->id : 0;
}

/* timer.c: what the probes call the list's owner. */
void timerlistgroup_set_owner(QEMUTimerListGroup *tlg, uint64_t ctx);
/* aio-handler.c */
void aio_free_deleted_handlers(AioContext *ctx);
/* The object id of the handler of @fd, or 0. */
uint64_t aio_handler_id(AioContext *ctx, int fd);
/* Home thread: it must not be called any more. */
bool aio_handler_is_deleted(const AioHandler *node);
/* Under list_lock: begins or ends to watch external handlers. */
void aio_watch_external(AioContext *ctx, bool watch);
bool aio_dispatch_handlers(AioHandlerList *ready);
/* In front of what is there; out of an outer turn's list, if it is on one. */
void aio_add_ready_handler(AioHandlerList *ready, AioHandler *node);
/* aio-poll.c: one call of the host's wait; puts handlers onto @ready. */
void aio_wait_monitor(AioContext *ctx, int64_t timeout, AioHandlerList *ready);
bool aio_dispatch_cqes(AioContext *ctx);
/* sqe-payload.c, while somebody listens: host->add_sqe(), and its data noted. */
void sqe_payload_add(AioContext *ctx, HostPrepSqe *prep, void *opaque,
                     CqeHandler *handler);
/* What was added to the context's ring is submitted now. */
void sqe_payload_submit(AioContext *ctx);
/* A turn is over: the outermost one frees what was deleted meanwhile. */
void aio_turn_begin(AioContext *ctx);
void aio_turn_end(AioContext *ctx);

/* aio-adaptive.c */
/*
 * Polls instead of sleeping, if that has paid.  What was ready goes onto
 * @ready; then *timeout is 0.  Returns when it began, 0 if it was over before
 * the first look at the clock, -1 if it did not poll.
 */
int64_t aio_try_poll_mode(AioContext *ctx, AioHandlerList *ready,
                          int64_t *timeout);
/* One look, while poll mode goes on; true if something was found. */
bool aio_look_once(AioContext *ctx, AioHandlerList *ready);
/* Ends poll mode before a sleep, and looks once more; as above. */
bool aio_leave_poll_mode(AioContext *ctx, AioHandlerList *ready);
/* A callback of @node is about to run: it is worth polling. */
void aio_handler_is_active(AioContext *ctx, AioHandler *node);
/* After the dispatch that followed a wait of @block_ns, which ended at @now. */
void aio_adjust_polling_time(AioContext *ctx, int64_t block_ns, int64_t now);

/* bottom-half.c */
bool aio_bh_any_scheduled(AioContext *ctx);

/* glib-source.c */
extern GSourceFuncs aio_source_funcs;
/* Under list_lock: GLib must not look at @node's descriptor any more. */
void aio_source_forget(AioContext *ctx, AioHandler *node);
/* Puts handlers that GLib's poll has found onto @ready. */
void aio_source_take_ready(AioContext *ctx, AioHandlerList *ready);
/* GLib's poll function while it runs contexts of ours. */
int aio_poll_descriptors(GPollFD *fds, unsigned n, int64_t timeout_ns);
int aio_glib_poll(GPollFD *fds, guint n, int timeout_ms);

/* async.c */
void aio_context_finalize(GSource *source);

/* main-loop.c */
bool aio_context_is_iohandler(AioContext *ctx);
/* bql.c: with the main loop. */
void bql_init(void);
void bql_finish(void);

#endif
