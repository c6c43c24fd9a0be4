/* SPDX-License-Identifier: MIT */
/*
 * AioContext: QEMU's event loop.
 *
 * One context watches file descriptors, runs bottom halves and timers, and
 * carries I/O.  One thread at a time polls it: its home thread.  Signatures
 * and semantics follow QEMU v11.1 (include/qemu/aio.h).
 */
#ifndef QEMU_AIO_H
#define QEMU_AIO_H

#include "qemu/coroutine.h"
#include "qemu/event_notifier.h"
#include "qemu/osdep.h"
#include "qemu/queue.h"
#include "qemu/timer.h"

#include <liburing.h>

/* ---- Life of a context ---- */

/* NULL and *errp set if the host lacks what a context needs. */
AioContext *aio_context_new(Error **errp);
void aio_context_ref(AioContext *ctx);
/* The last reference frees it; a bottom half left over is a bug and aborts. */
void aio_context_unref(AioContext *ctx);

/* The context that the calling thread polls, or NULL. */
AioContext *qemu_get_current_aio_context(void);
void qemu_set_current_aio_context(AioContext *ctx);
bool in_aio_context_home_thread(AioContext *ctx);

/* ---- The loop ---- */

/*
 * Runs what is ready; if nothing is and @blocking, waits for it.
 * Returns true if a bottom half, a handler or a timer ran.  A blocking call
 * may return false, because aio_notify() woke it.  Home thread only.
 */
bool aio_poll(AioContext *ctx, bool blocking);

/*
 * Makes the loop look again at what it waits for; any thread.  Everything in
 * this header that changes that calls it, so only changes of your own need it.
 */
void aio_notify(AioContext *ctx);
void aio_notify_accept(AioContext *ctx);
/* Nanoseconds that aio_poll() may wait: 0 with work to do, -1 for ever. */
int64_t aio_compute_timeout(AioContext *ctx);

/* ---- File descriptors ---- */

/*
 * Watches @fd.  All callbacks NULL stops watching.  Any thread; a callback
 * may change or remove any handler, its own included.
 */
void aio_set_fd_handler(AioContext *ctx, int fd, IOHandler *io_read,
                        IOHandler *io_write, AioPollFn *io_poll,
                        IOHandler *io_poll_ready, void *opaque);
void aio_set_event_notifier(AioContext *ctx, EventNotifier *notifier,
                            EventNotifierHandler *io_read, AioPollFn *io_poll,
                            EventNotifierHandler *io_poll_ready);

/* ---- I/O on the context's ring (QEMU 10.2, commit 1eebdab3c3) ---- */

/*
 * A completion.  It stays with its owner until @cb has been called; @cqe then
 * holds the result.
 */
struct CqeHandler {
    void (*cb)(CqeHandler *handler);
    QSIMPLEQ_ENTRY(CqeHandler) next;
    struct io_uring_cqe cqe; /* user_data is the host's: the request's id */
};

typedef QSIMPLEQ_HEAD(, CqeHandler) CqeHandlerSimpleQ;

/* True if SQEs go to a kernel's ring or to the simulated one. */
bool aio_has_io_uring(void);
/*
 * Queues one request on the ring of the *current* context.  @prep_sqe fills
 * in the request, except for its user data; what it points to must live until
 * @cqe_handler is called.
 */
void aio_add_sqe(void (*prep_sqe)(struct io_uring_sqe *sqe, void *opaque),
                 void *opaque, CqeHandler *cqe_handler);

/* ---- Bottom halves ---- */

#define aio_bh_new(ctx, cb, opaque) \
    aio_bh_new_full((ctx), (cb), (opaque), (#cb), NULL)
typedef struct MemReentrancyGuard MemReentrancyGuard;
QEMUBH *aio_bh_new_full(AioContext *ctx, QEMUBHFunc *cb, void *opaque,
                        const char *name, MemReentrancyGuard *guard);

/* Runs @cb once, in the next turn of @ctx, then forgets it. */
#define aio_bh_schedule_oneshot(ctx, cb, opaque) \
    aio_bh_schedule_oneshot_full((ctx), (cb), (opaque), (#cb))
void aio_bh_schedule_oneshot_full(AioContext *ctx, QEMUBHFunc *cb, void *opaque,
                                  const char *name);

/* Any thread.  Scheduling twice before it runs is scheduling once. */
void qemu_bh_schedule(QEMUBH *bh);
/* Does not count as progress, and lets the loop sleep up to 10 ms. */
void qemu_bh_schedule_idle(QEMUBH *bh);
void qemu_bh_cancel(QEMUBH *bh);
/* Freed by the loop, later; the callback does not run any more. */
void qemu_bh_delete(QEMUBH *bh);

void aio_bh_call(QEMUBH *bh);
/* Runs what was scheduled before the call; returns 1 if a BH made progress. */
int aio_bh_poll(AioContext *ctx);

/* ---- Coroutines ---- */

/* Enters @co in @ctx from a bottom half; any thread. */
void aio_co_schedule(AioContext *ctx, Coroutine *co);
/* Continues @co in the context in which it yielded; any thread. */
void aio_co_wake(Coroutine *co);
/* Now, when the running coroutine yields, or by a BH of @ctx. */
void aio_co_enter(AioContext *ctx, Coroutine *co);
/* Moves the running coroutine to @new_ctx. */
void coroutine_fn aio_co_reschedule_self(AioContext *new_ctx);

/* ---- Timers ---- */

void aio_timer_init(AioContext *ctx, QEMUTimer *ts, QEMUClockType type,
                    int scale, QEMUTimerCB *cb, void *opaque);
QEMUTimer *aio_timer_new(AioContext *ctx, QEMUClockType type, int scale,
                         QEMUTimerCB *cb, void *opaque);

/* ---- Ours ---- */

/* The name in reports and on the screen ("main", "iothread0"). */
void aio_context_set_name(AioContext *ctx, const char *name);
const char *aio_context_get_name(AioContext *ctx);

#endif
