/* SPDX-License-Identifier: MIT */
/*
 * What a wait is for, told by those who know: optional, and for reports only.
 *
 * AIO_WAIT_WHILE() knows the text of its condition, not who will change it.  A
 * program that says so gets a deadlock explained down to whom it hangs on:
 *
 *   WaitReason b;
 *
 *   wait_reason_init(&b, "request B");
 *   ...
 *   wait_reason_by_request(&b, &req->cqe);     the ring will bring it
 *   ...
 *   wait_reason_held(&b, 2, 2);                fetched, in this callback
 *   ...
 *   wait_reason_next(&b);                      the next wait is for it
 *   AIO_WAIT_WHILE(ctx, !req->done);
 *   ...
 *   wait_reason_done(&b);
 *
 * A later word on who does it replaces the earlier one.  Each call is an event
 * that views show; it is in no digest, so it changes no recording's replay.
 * Any thread; a WaitReason is a number, and needs no end.
 */
#ifndef AIOLAB_WAIT_REASON_H
#define AIOLAB_WAIT_REASON_H

#include "qemu/aio.h"
#include "qemu/coroutine.h"
#include "qemu/thread.h"

typedef struct WaitReason {
    uint64_t id;
} WaitReason;

/* @what is done at last: "request B".  It is copied. */
void wait_reason_init(WaitReason *reason, const char *what);

/* That bottom half, timer, coroutine or thread does it. */
void wait_reason_by_bh(const WaitReason *reason, const QEMUBH *bh);
void wait_reason_by_timer(const WaitReason *reason, const QEMUTimer *timer);
void wait_reason_by_coroutine(const WaitReason *reason, const Coroutine *co);
void wait_reason_by_thread(const WaitReason *reason, const QemuThread *thread);
/* The completion of a request that was added to a ring. */
void wait_reason_by_request(const WaitReason *reason, const CqeHandler *cqe);
/* Something that happens only while somebody polls @ctx. */
void wait_reason_by_context(const WaitReason *reason, AioContext *ctx);
/* The handler of @e in @ctx; if it has none now, that is told. */
void wait_reason_by_notifier(const WaitReason *reason, AioContext *ctx,
                             const EventNotifier *e);
/* Another thing: it is done when that is. */
void wait_reason_by_reason(const WaitReason *reason, const WaitReason *other);

/*
 * The running callback has fetched it, as number @position of a batch of @of,
 * counted from 1: nobody else can go on with it until the callback returns.
 */
void wait_reason_held(const WaitReason *reason, unsigned position, unsigned of);
/* The running callback or coroutine does it, before it returns. */
void wait_reason_begun(const WaitReason *reason);
void wait_reason_done(const WaitReason *reason);

/*
 * The calling thread's next AIO_WAIT_WHILE() or wait for a condition, or its
 * coroutine's next yield, whichever is first, is for @reason.  After several
 * calls it is for all of them.
 */
void wait_reason_next(const WaitReason *reason);

#endif
