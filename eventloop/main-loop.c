/* SPDX-License-Identifier: MIT */
/* The main thread's context (util/main-loop.c). */
#include "aio-internal.h"
#include "qemu/main-loop.h"

static AioContext *main_context;

int qemu_init_main_loop(Error **errp)
{
    main_context = aio_context_new(errp);
    if (!main_context) {
        return -EINVAL;
    }
    aio_context_set_name(main_context, "main");
    qemu_set_current_aio_context(main_context);
    return 0;
}

void qemu_finish_main_loop(void)
{
    /* Kicks that came after the last wait are still scheduled. */
    while (aio_poll(main_context, false)) {
    }
    qemu_set_current_aio_context(NULL);
    aio_context_unref(main_context);
    main_context = NULL;
}

AioContext *qemu_get_aio_context(void)
{
    return main_context;
}
