/* SPDX-License-Identifier: MIT */
/*
 * What QEMU had once and has no more, for scenarios about its old deadlocks.
 *
 * Include it after the other headers.  It gives the file that does the API of
 * QEMU 4 to 8:
 *
 *   the AioContext lock      until 9.0 (b49f4755c7); recursive, and released
 *                            once by AIO_WAIT_WHILE() for another context
 *   external handlers        until 8.1 (60f782b6b7); is_external is a parameter
 *                            of aio_set_fd_handler() again, and such handlers
 *                            are not served between aio_disable_external() and
 *                            aio_enable_external(), nested polls included
 *   the main context's API   until 2.1: qemu_aio_wait() and its fellows
 */
#ifndef AIOLAB_LEGACY_H
#define AIOLAB_LEGACY_H

#include "qemu/aio-wait.h"
#include "qemu/aio.h"
#include "qemu/main-loop.h"

/* ---- The AioContext lock ---- */

/* Any thread; as often released as acquired. */
void aio_context_acquire(AioContext *ctx);
void aio_context_release(AioContext *ctx);

/*
 * The lock is given up once around the poll: a caller that has it twice keeps
 * it, and whoever could make @cond false may wait for it for ever.
 */
#undef AIO_WAIT_WHILE
#define AIO_WAIT_WHILE(ctx, cond)                                          \
    ({                                                                     \
        bool legacy_waited_ = false;                                       \
        AioContext *legacy_ctx_ = (ctx);                                   \
        static const ProbeSite legacy_site_ = {__FILE__, __LINE__,         \
                                               __func__};                  \
        aio_wait_begin(legacy_ctx_, #cond, &legacy_site_);                 \
        while ((cond)) {                                                   \
            aio_legacy_wait_poll(legacy_ctx_);                             \
            legacy_waited_ = true;                                         \
        }                                                                  \
        aio_wait_end();                                                    \
        legacy_waited_;                                                    \
    })
void aio_legacy_wait_poll(AioContext *ctx);

/* ---- External handlers ---- */

/* Home thread, as the drains that called them; they count. */
void aio_disable_external(AioContext *ctx);
void aio_enable_external(AioContext *ctx);
bool aio_external_disabled(AioContext *ctx);

void aio_legacy_set_fd_handler(AioContext *ctx, int fd, bool is_external,
                               IOHandler *io_read, IOHandler *io_write,
                               AioPollFn *io_poll, IOHandler *io_poll_ready,
                               void *opaque);
void aio_legacy_set_event_notifier(AioContext *ctx, EventNotifier *notifier,
                                   bool is_external,
                                   EventNotifierHandler *io_read,
                                   AioPollFn *io_poll,
                                   EventNotifierHandler *io_poll_ready);
#define aio_set_fd_handler aio_legacy_set_fd_handler
#define aio_set_event_notifier aio_legacy_set_event_notifier

/* ---- The main context ---- */

static inline bool qemu_aio_wait(void)
{
    return aio_poll(qemu_get_aio_context(), true);
}

static inline void qemu_aio_set_fd_handler(int fd, IOHandler *io_read,
                                           IOHandler *io_write, void *opaque)
{
    aio_legacy_set_fd_handler(qemu_get_aio_context(), fd, false, io_read,
                              io_write, NULL, NULL, opaque);
}

static inline void qemu_aio_set_event_notifier(EventNotifier *notifier,
                                               EventNotifierHandler *io_read)
{
    aio_legacy_set_event_notifier(qemu_get_aio_context(), notifier, false,
                                  io_read, NULL, NULL);
}

#endif
