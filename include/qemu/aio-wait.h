/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a condition while the loop goes on, after qemu/aio-wait.h.
 *
 *   AIO_WAIT_WHILE(ctx, cond)
 *
 * polls until @cond is false.  Called in @ctx's home thread it polls @ctx.
 * Called in the main thread for another context (or NULL) it polls the main
 * context; then whoever makes @cond false must call aio_wait_kick() *after*
 * the change, or the main thread sleeps on.
 *
 * The text of the condition and its place are kept while we wait, so that a
 * deadlock can be explained in the words of the code.
 */
#ifndef QEMU_AIO_WAIT_H
#define QEMU_AIO_WAIT_H

#include "aiolab/probe.h"
#include "qemu/aio.h"
#include "qemu/main-loop.h"

typedef struct AioWait {
    unsigned num_waiters; /* pairs: see aio_wait_kick() */
} AioWait;

extern AioWait global_aio_wait;

/* @site is static: it outlives the wait. */
void aio_wait_begin(AioContext *ctx, const char *condition,
                    const ProbeSite *site);
void aio_wait_end(void);

#define AIO_WAIT_WHILE_TEXT_(ctx, cond, text)                               \
    ({                                                                      \
        bool waited_ = false;                                               \
        AioContext *ctx_ = (ctx);                                           \
        static const ProbeSite site_ = {__FILE__, __LINE__, __func__};      \
        aio_wait_begin(ctx_, text, &site_);                                 \
        if (ctx_ && in_aio_context_home_thread(ctx_)) {                     \
            while ((cond)) {                                                \
                aio_poll(ctx_, true);                                       \
                waited_ = true;                                             \
            }                                                               \
        } else {                                                            \
            assert(qemu_get_current_aio_context() ==                        \
                   qemu_get_aio_context());                                 \
            while ((cond)) {                                                \
                aio_poll(qemu_get_aio_context(), true);                     \
                waited_ = true;                                             \
            }                                                               \
        }                                                                   \
        aio_wait_end();                                                     \
        waited_;                                                            \
    })

/* They differed while contexts had locks (until QEMU 9.0). */
#define AIO_WAIT_WHILE(ctx, cond) AIO_WAIT_WHILE_TEXT_(ctx, cond, #cond)
#define AIO_WAIT_WHILE_UNLOCKED(ctx, cond) \
    AIO_WAIT_WHILE_TEXT_(ctx, cond, #cond)
#define AIO_WAIT_WHILE_INTERNAL(ctx, cond) \
    AIO_WAIT_WHILE_TEXT_(ctx, cond, #cond)

/* Wakes waiters in the main thread; any thread, after the change. */
void aio_wait_kick(void);
/* Runs @cb in @ctx and waits for it; main context only. */
void aio_wait_bh_oneshot(AioContext *ctx, QEMUBHFunc *cb, void *opaque);

#endif
