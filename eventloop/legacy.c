/* SPDX-License-Identifier: MIT */
/* What QEMU had once; see aiolab/legacy.h. */
#include "aio-internal.h"
#include "aiolab/legacy.h"

/* ---- The AioContext lock ---- */

void aio_context_acquire(AioContext *ctx)
{
    qemu_rec_mutex_lock(&ctx->lock);
}

void aio_context_release(AioContext *ctx)
{
    qemu_rec_mutex_unlock(&ctx->lock);
}

/* Models the loop's body of AIO_WAIT_WHILE() up to QEMU 8.2. */
void aio_legacy_wait_poll(AioContext *ctx)
{
    if (ctx && in_aio_context_home_thread(ctx)) {
        aio_poll(ctx, true);
        return;
    }
    assert(qemu_get_current_aio_context() == qemu_get_aio_context());
    if (ctx) {
        aio_context_release(ctx);
    }
    aio_poll(qemu_get_aio_context(), true);
    if (ctx) {
        aio_context_acquire(ctx);
    }
}

/* ---- External handlers ---- */

bool aio_external_disabled(AioContext *ctx)
{
    return qatomic_read(&ctx->external_disable_cnt);
}

/*
 * A disabled handler is not watched at all: its descriptor may be readable all
 * the time, and the loop would not sleep.
 */
void aio_disable_external(AioContext *ctx)
{
    qemu_mutex_lock(&ctx->list_lock);
    qatomic_set(&ctx->external_disable_cnt, ctx->external_disable_cnt + 1);
    if (ctx->external_disable_cnt == 1) {
        aio_watch_external(ctx, false);
    }
    qemu_mutex_unlock(&ctx->list_lock);
}

void aio_enable_external(AioContext *ctx)
{
    qemu_mutex_lock(&ctx->list_lock);
    assert(ctx->external_disable_cnt > 0);
    qatomic_set(&ctx->external_disable_cnt, ctx->external_disable_cnt - 1);
    if (ctx->external_disable_cnt == 0) {
        aio_watch_external(ctx, true);
    }
    qemu_mutex_unlock(&ctx->list_lock);
    aio_notify(ctx);
}
