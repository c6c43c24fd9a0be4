/* SPDX-License-Identifier: MIT */
/* Waiting for a descriptor (util/qemu-coroutine-io.c). */
#include "coroutine-internal.h"

typedef struct FdWait {
    AioContext *ctx;
    Coroutine *co;
    int fd;
} FdWait;

static void readable(void *opaque)
{
    FdWait *wait = opaque; /* on the coroutine's stack */

    aio_set_fd_handler(wait->ctx, wait->fd, NULL, NULL, NULL, NULL, NULL);
    qemu_coroutine_enter(wait->co);
}

void coroutine_fn yield_until_fd_readable(int fd)
{
    FdWait wait = {qemu_get_current_aio_context(), qemu_coroutine_self(), fd};

    coroutine_check_inside(wait.co, "yield_until_fd_readable()");
    PROBE_TEXT(CO_WAIT, wait.co->id, 0, 0, 0, "a descriptor");
    aio_set_fd_handler(wait.ctx, fd, readable, NULL, NULL, NULL, &wait);
    qemu_coroutine_yield();
    PROBE(CO_WOKEN, wait.co->id, 0, 0, 0);
}
