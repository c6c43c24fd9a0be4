/* SPDX-License-Identifier: MIT */
/*
 * A thread that polls one context until it is told to stop (iothread.c).
 *
 * It calls aio_poll(), which is the fast way.  Only when somebody asks for its
 * GMainContext does it run a GMainLoop, with the context as a source.
 *
 * The stop is a bottom half, not a flag and a notification: a flag that is
 * tested outside aio_poll() is not protected by aio_notify() (2362a28ea1).
 */
#include "aio-internal.h"
#include "iothread.h"
#include "qapi/error.h"
#include "system/iothread.h"

struct IOThread {
    char *id;
    QemuThread thread;
    AioContext *ctx;
    QemuSemaphore init_done;
    bool running; /* the IOThread's own, after init_done */
    bool stopped;
    GMainContext *worker_context;
    GMainLoop *main_loop;
    bool run_gcontext; /* somebody has asked for worker_context */
    QLIST_ENTRY(IOThread) node;
};

typedef QLIST_HEAD(, IOThread) IOThreadList;

/* By name; main thread, as QEMU's object tree. */
static IOThreadList *iothreads(void)
{
    static IOThreadList list;
    static unsigned run;

    if (run != host_run) {
        QLIST_INIT(&list); /* a stuck run has left its threads where they are */
        run = host_run;
    }
    return &list;
}

/* ---- The thread ---- */

static void *iothread_run(void *opaque)
{
    IOThread *iothread = opaque;

    g_main_context_push_thread_default(iothread->worker_context);
    qemu_set_current_aio_context(iothread->ctx);
    host_self()->in_iothread = true;
    qemu_sem_post(&iothread->init_done);
    while (iothread->running) {
        aio_poll(iothread->ctx, true);
        /*
         * The stop may have come in that very turn, when there was no main
         * loop to quit yet (6c95363d97): look again.
         */
        if (iothread->running && qatomic_read(&iothread->run_gcontext)) {
            g_main_loop_run(iothread->main_loop);
        }
    }
    g_main_context_pop_thread_default(iothread->worker_context);
    return NULL;
}

static void iothread_stop_bh(void *opaque)
{
    IOThread *iothread = opaque;

    iothread->running = false;
    g_main_loop_quit(iothread->main_loop);
}

void iothread_stop(IOThread *iothread)
{
    if (!iothread->stopped) {
        iothread->stopped = true;
        aio_bh_schedule_oneshot(iothread->ctx, iothread_stop_bh, iothread);
        qemu_thread_join(&iothread->thread);
    }
}

bool qemu_in_iothread(void)
{
    return host_self()->in_iothread;
}

/* ---- Its life ---- */

static void init_gcontext(IOThread *iothread)
{
    g_autoptr(GSource) source = aio_get_g_source(iothread->ctx);

    iothread->worker_context = g_main_context_new();
    g_source_attach(source, iothread->worker_context);
    iothread->main_loop = g_main_loop_new(iothread->worker_context, true);
}

static IOThread *create(const char *id, Error **errp)
{
    IOThread *iothread = g_new0(IOThread, 1);

    iothread->ctx = aio_context_new(errp);
    if (!iothread->ctx) {
        g_free(iothread);
        return NULL;
    }
    iothread->id = g_strdup(id);
    iothread->running = true;
    aio_context_set_name(iothread->ctx, id);
    init_gcontext(iothread);
    qemu_sem_init(&iothread->init_done, 0);
    return iothread;
}

static void start(IOThread *iothread)
{
    qemu_thread_create(&iothread->thread, iothread->id, iothread_run, iothread,
                       QEMU_THREAD_JOINABLE);
    qemu_sem_wait(&iothread->init_done);
}

static void destroy(IOThread *iothread)
{
    iothread_stop(iothread);
    qemu_sem_destroy(&iothread->init_done);
    g_source_destroy(&iothread->ctx->source);
    g_main_loop_unref(iothread->main_loop);
    g_main_context_unref(iothread->worker_context);
    aio_context_unref(iothread->ctx);
    g_free(iothread->id);
    g_free(iothread);
}

IOThread *iothread_create(const char *id, Error **errp)
{
    IOThread *iothread;

    if (iothread_by_id(id)) {
        error_setg(errp, "there is an IOThread '%s' already", id);
        return NULL;
    }
    iothread = create(id, errp);
    if (iothread) {
        aio_context_set_poll_params(iothread->ctx, IOTHREAD_POLL_MAX_NS_DEFAULT,
                                    0, 0, 0, &error_abort);
        QLIST_INSERT_HEAD(iothreads(), iothread, node);
        start(iothread);
    }
    return iothread;
}

void iothread_destroy(IOThread *iothread)
{
    QLIST_REMOVE(iothread, node);
    destroy(iothread);
}

/* Numbered, so that two runs call them the same. */
IOThread *iothread_new(void)
{
    g_autofree char *id = g_strdup_printf("iothread%u",
                                          host_self()->next_iothread++);
    IOThread *iothread = create(id, &error_abort);

    start(iothread);
    return iothread;
}

void iothread_join(IOThread *iothread)
{
    destroy(iothread);
}

/* ---- What it has ---- */

IOThread *iothread_by_id(const char *id)
{
    IOThread *iothread;

    QLIST_FOREACH(iothread, iothreads(), node) {
        if (g_str_equal(iothread->id, id)) {
            return iothread;
        }
    }
    return NULL;
}

char *iothread_get_id(IOThread *iothread)
{
    return g_strdup(iothread->id);
}

AioContext *iothread_get_aio_context(IOThread *iothread)
{
    return iothread->ctx;
}

GMainContext *iothread_get_g_main_context(IOThread *iothread)
{
    qatomic_set(&iothread->run_gcontext, true);
    /* It evaluates the flag after its next turn. */
    aio_notify(iothread->ctx);
    return iothread->worker_context;
}

/* ---- Parameters ---- */

typedef struct Parameters {
    int64_t max_ns, grow, shrink, weight, max_batch, pool_min, pool_max;
} Parameters;

static const struct {
    const char *name;
    size_t offset;
} parameters[] = {
    {"poll-max-ns", offsetof(Parameters, max_ns)},
    {"poll-grow", offsetof(Parameters, grow)},
    {"poll-shrink", offsetof(Parameters, shrink)},
    {"poll-weight", offsetof(Parameters, weight)},
    {"aio-max-batch", offsetof(Parameters, max_batch)},
    {"thread-pool-min", offsetof(Parameters, pool_min)},
    {"thread-pool-max", offsetof(Parameters, pool_max)},
};

static Parameters get_parameters(const AioContext *ctx)
{
    return (Parameters){
        ctx->poll_max_ns, ctx->poll_grow, ctx->poll_shrink, ctx->poll_weight,
        ctx->aio_max_batch, ctx->thread_pool_min, ctx->thread_pool_max,
    };
}

static bool set_parameters(AioContext *ctx, const Parameters *p, Error **errp)
{
    Error *err = NULL;

    aio_context_set_poll_params(ctx, p->max_ns, p->grow, p->shrink, p->weight,
                                &err);
    if (!err) {
        aio_context_set_aio_params(ctx, p->max_batch);
        aio_context_set_thread_pool_params(ctx, p->pool_min, p->pool_max, &err);
    }
    error_propagate(errp, err);
    return !err;
}

static int64_t *find_parameter(Parameters *p, const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(parameters); i++) {
        if (g_str_equal(parameters[i].name, name)) {
            return (int64_t *)((char *)p + parameters[i].offset);
        }
    }
    return NULL;
}

typedef struct SetParameters {
    AioContext *ctx;
    Parameters values;
    QemuSemaphore done;
    Error *err;
} SetParameters;

/* In the IOThread: the polling state is its own. */
static void set_parameters_bh(void *opaque)
{
    SetParameters *set = opaque;

    set_parameters(set->ctx, &set->values, &set->err);
    qemu_sem_post(&set->done);
}

bool iothread_set_parameter(IOThread *iothread, const char *name,
                            int64_t value, Error **errp)
{
    SetParameters set = {
        .ctx = iothread->ctx, .values = get_parameters(iothread->ctx),
    };
    int64_t *field = find_parameter(&set.values, name);

    if (!field) {
        error_setg(errp, "IOThread '%s' has no parameter '%s'", iothread->id,
                   name);
        return false;
    }
    *field = value;
    if (in_aio_context_home_thread(iothread->ctx) || iothread->stopped) {
        return set_parameters(iothread->ctx, &set.values, errp);
    }
    qemu_sem_init(&set.done, 0);
    aio_bh_schedule_oneshot(iothread->ctx, set_parameters_bh, &set);
    qemu_sem_wait(&set.done);
    qemu_sem_destroy(&set.done);
    error_propagate(errp, set.err);
    return !set.err;
}

int64_t iothread_get_parameter(IOThread *iothread, const char *name)
{
    Parameters p = get_parameters(iothread->ctx);
    int64_t *field = find_parameter(&p, name);

    return field ? *field : -1;
}
