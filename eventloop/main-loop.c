/* SPDX-License-Identifier: MIT */
/*
 * The main loop: two contexts in GLib's default main context
 * (util/main-loop.c).
 *
 *   qemu_aio_context  what AIO_WAIT_WHILE() polls
 *   iohandler_ctx     handlers that must not run inside such a nested poll:
 *                     monitors, network, whatever a guest's user types
 *
 * An iteration of main_loop_wait() polls both, in the order in which they were
 * attached, and gives up the BQL while it waits.  iohandler_ctx is made when
 * somebody first asks for it; a program without such handlers has one context.
 */
#include "aio-internal.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"

static AioContext *qemu_aio_context;
static AioContext *iohandler_ctx;
static bool notify_scheduled;
static GArray *gpollfds;
static NotifierList main_loop_poll_notifiers =
    NOTIFIER_LIST_INITIALIZER(main_loop_poll_notifiers);

/* ---- Begin and end ---- */

static void attach(AioContext *ctx, const char *name)
{
    aio_context_set_name(ctx, name);
    g_source_set_name(&ctx->source, name);
    g_source_attach(&ctx->source, NULL);
}

static void detach(AioContext *ctx)
{
    g_source_destroy(&ctx->source);
    aio_context_unref(ctx);
}

static void notify_main_loop(void *opaque, QEMUClockType type)
{
    qemu_notify_event();
}

int qemu_init_main_loop(Error **errp)
{
    qemu_init_clocks(notify_main_loop);
    bql_init();
    qemu_aio_context = aio_context_new(errp);
    if (!qemu_aio_context) {
        bql_finish();
        return -EINVAL;
    }
    qemu_set_current_aio_context(qemu_aio_context);
    attach(qemu_aio_context, "main");
    gpollfds = g_array_new(false, false, sizeof(GPollFD));
    return 0;
}

void qemu_finish_main_loop(void)
{
    /* Kicks that came after the last wait are still scheduled. */
    while (aio_poll(qemu_aio_context, false)) {
    }
    if (iohandler_ctx) {
        detach(iohandler_ctx);
        iohandler_ctx = NULL;
    }
    qemu_set_current_aio_context(NULL);
    detach(qemu_aio_context);
    qemu_aio_context = NULL;
    notify_scheduled = false;
    g_array_free(gpollfds, true);
    gpollfds = NULL;
    qemu_finish_clocks();
    bql_finish();
}

AioContext *qemu_get_aio_context(void)
{
    return qemu_aio_context;
}

/* ---- The second context ---- */

/* Of two threads that need it first, one throws its own away. */
static AioContext *make_iohandler_context(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    AioContext *first = qatomic_cmpxchg(&iohandler_ctx, NULL, ctx);

    if (first) {
        aio_context_unref(ctx);
        return first;
    }
    attach(ctx, "iohandler");
    return ctx;
}

AioContext *iohandler_get_aio_context(void)
{
    AioContext *ctx = qatomic_load_acquire(&iohandler_ctx);

    return likely(ctx) ? ctx : make_iohandler_context();
}

GSource *iohandler_get_g_source(void)
{
    return aio_get_g_source(iohandler_get_aio_context());
}

bool aio_context_is_iohandler(AioContext *ctx)
{
    return ctx && ctx == iohandler_ctx;
}

void qemu_set_fd_handler(int fd, IOHandler *fd_read, IOHandler *fd_write,
                         void *opaque)
{
    aio_set_fd_handler(iohandler_get_aio_context(), fd, fd_read, fd_write, NULL,
                       NULL, opaque);
}

void event_notifier_set_handler(EventNotifier *e, EventNotifierHandler *handler)
{
    aio_set_event_notifier(iohandler_get_aio_context(), e, handler, NULL, NULL);
}

/* ---- Whose thread is this? ---- */

AioContext *qemu_get_current_aio_context(void)
{
    AioContext *ctx = host_fast()->ctx;

    if (likely(ctx)) {
        return ctx;
    }
    /* A vCPU thread with the BQL acts for the main thread (5f50be9b58). */
    return host_self()->bql_locked ? qemu_aio_context : NULL;
}

void qemu_set_current_aio_context(AioContext *ctx)
{
    HostFast *self = host_fast();

    assert(!ctx || !self->ctx);
    self->ctx = ctx;
    self->trap = (self->trap & ~TRAP_NO_CONTEXT) |
                 (ctx ? 0 : TRAP_NO_CONTEXT);
    if (ctx) {
        PROBE(CTX_HOME, ctx->id, 0, 0, 0);
    }
}

/* iohandler_ctx has no home by this rule, and aio_poll() makes an exception. */
bool in_aio_context_home_thread(AioContext *ctx)
{
    return ctx == qemu_get_current_aio_context() ||
           (unlikely(ctx == qemu_aio_context) && bql_locked());
}

bool qemu_in_main_thread(void)
{
    return qemu_aio_context &&
           qemu_get_current_aio_context() == qemu_aio_context;
}

/* ---- Bottom halves of the main context ---- */

QEMUBH *qemu_bh_new_full(QEMUBHFunc *cb, void *opaque, const char *name,
                         MemReentrancyGuard *guard)
{
    return aio_bh_new_full(qemu_aio_context, cb, opaque, name, guard);
}

static void notify_event_cb(void *opaque)
{
    /* Before the main loop looks again; pairs with qemu_notify_event()'s. */
    qatomic_xchg(&notify_scheduled, false);
}

/* A bottom half, so that aio_poll() returns true, as in QEMU; one at a time. */
void qemu_notify_event(void)
{
    if (qemu_aio_context && !qatomic_xchg(&notify_scheduled, true)) {
        aio_bh_schedule_oneshot(qemu_aio_context, notify_event_cb, NULL);
    }
}

/* ---- An iteration ---- */

void main_loop_poll_add_notifier(Notifier *notify)
{
    notifier_list_add(&main_loop_poll_notifiers, notify);
}

void main_loop_poll_remove_notifier(Notifier *notify)
{
    notifier_remove(notify);
}

/* Appends what GLib wants polled to gpollfds; *timeout_ns may get less. */
static int add_glib_fds(GMainContext *context, int *priority,
                        int64_t *timeout_ns)
{
    unsigned mine = gpollfds->len;
    int n = 0, room, timeout_ms;
    HostThread *self = host_self();

    do {
        room = n;
        g_array_set_size(gpollfds, mine + room);
        n = g_main_context_query(context, *priority, &timeout_ms,
                                 &g_array_index(gpollfds, GPollFD, mine),
                                 room);
    } while (n > room);
    g_array_set_size(gpollfds, mine + n);
    if (timeout_ms >= 0) {
        *timeout_ns = qemu_soonest_timeout(*timeout_ns,
                                           (int64_t)timeout_ms * SCALE_MS);
    }
    *timeout_ns = qemu_soonest_timeout(*timeout_ns, self->glib_timeout_ns);
    self->glib_timeout_ns = -1;
    return n;
}

static int poll_without_bql(int64_t timeout_ns)
{
    bool locked = bql_locked();
    int ret;

    host_glib_leave();
    if (locked) {
        bql_unlock();
    }
    ret = aio_poll_descriptors((GPollFD *)gpollfds->data, gpollfds->len,
                               timeout_ns);
    if (locked) {
        bql_lock();
    }
    host_glib_enter(HOST_GLIB_POLLED);
    return ret;
}

/* The caller owns @context, and is in a section of GLib's. */
static int iterate(GMainContext *context, int64_t timeout_ns)
{
    unsigned mine = gpollfds->len;
    int n, ret, priority;

    host_self()->in_main_loop_wait = true;
    g_main_context_prepare(context, &priority);
    host_self()->in_main_loop_wait = false;
    n = add_glib_fds(context, &priority, &timeout_ns);
    ret = poll_without_bql(timeout_ns);
    if (g_main_context_check(context, priority,
                             &g_array_index(gpollfds, GPollFD, mine), n)) {
        g_main_context_dispatch(context);
    }
    return ret;
}

static int os_host_main_loop_wait(int64_t timeout_ns)
{
    GMainContext *context = g_main_context_default();
    int ret = -EBUSY; /* another thread runs GLib's default context */

    host_glib_enter(HOST_GLIB_LOOP);
    if (g_main_context_acquire(context)) {
        ret = iterate(context, timeout_ns);
        g_main_context_release(context);
    }
    host_glib_leave();
    return ret;
}

void main_loop_wait(int nonblocking)
{
    MainLoopPoll notification = {
        .state = MAIN_LOOP_POLL_FILL,
        .timeout = nonblocking ? 0 : UINT32_MAX,
        .pollfds = gpollfds,
    };
    int64_t timeout_ns;
    int ret;

    g_array_set_size(gpollfds, 0);
    notifier_list_notify(&main_loop_poll_notifiers, &notification);
    timeout_ns = notification.timeout == UINT32_MAX
                     ? -1 : (int64_t)notification.timeout * SCALE_MS;
    timeout_ns = qemu_soonest_timeout(
        timeout_ns, timerlistgroup_deadline_ns(&main_loop_tlg));
    ret = os_host_main_loop_wait(timeout_ns);
    notification.state = ret < 0 ? MAIN_LOOP_POLL_ERR : MAIN_LOOP_POLL_OK;
    notifier_list_notify(&main_loop_poll_notifiers, &notification);
    qemu_clock_run_all_timers();
}
