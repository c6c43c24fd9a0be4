/* SPDX-License-Identifier: MIT */
/* What waits are for, as events; see aiolab/wait-reason.h. */
#include "aiolab/wait-reason.h"

#include "aio-internal.h"

void wait_reason_init(WaitReason *reason, const char *what)
{
    reason->id = host_new_id();
    PROBE_SHOW_TEXT(REASON_NEW, reason->id, 0, 0, 0, what);
}

static void done_by(const WaitReason *reason, uint64_t by)
{
    PROBE_SHOW(REASON_BY, reason->id, by, 0, 0);
}

void wait_reason_by_bh(const WaitReason *reason, const QEMUBH *bh)
{
    done_by(reason, bh->id);
}

void wait_reason_by_timer(const WaitReason *reason, const QEMUTimer *timer)
{
    done_by(reason, timer->id);
}

void wait_reason_by_coroutine(const WaitReason *reason, const Coroutine *co)
{
    done_by(reason, co->id);
}

void wait_reason_by_thread(const WaitReason *reason, const QemuThread *thread)
{
    done_by(reason, thread->number);
}

void wait_reason_by_request(const WaitReason *reason, const CqeHandler *cqe)
{
    done_by(reason, cqe->cqe.user_data);
}

void wait_reason_by_context(const WaitReason *reason, AioContext *ctx)
{
    done_by(reason, ctx->id);
}

void wait_reason_by_notifier(const WaitReason *reason, AioContext *ctx,
                             const EventNotifier *e)
{
    uint64_t handler = aio_handler_id(ctx, e->rfd);

    PROBE_SHOW_TEXT(REASON_BY, reason->id, handler, 0, 0, "handler");
}

void wait_reason_by_reason(const WaitReason *reason, const WaitReason *other)
{
    done_by(reason, other->id);
}

void wait_reason_held(const WaitReason *reason, unsigned position, unsigned of)
{
    assert(position >= 1 && position <= of);
    PROBE_SHOW(REASON_BY, reason->id, 0, position, of);
}

void wait_reason_begun(const WaitReason *reason)
{
    done_by(reason, 0);
}

void wait_reason_done(const WaitReason *reason)
{
    PROBE_SHOW(REASON_DONE, reason->id, 0, 0, 0);
}

void wait_reason_next(const WaitReason *reason)
{
    PROBE_SHOW(REASON_WAIT, reason->id, 0, 0, 0);
}
