/* SPDX-License-Identifier: MIT */
/*
 * glib-two: GLib runs three loops at once: the main loop with its two
 * contexts, a GMainContext of a thread of ours, and that of an IOThread; and
 * other IOThreads start and stop beside them.
 *
 * Balls go round between all of them, as bottom halves.
 */
#include "stress.h"

enum { PLAYERS = 4, BALLS = 3 };

typedef struct Player {
    AioContext *ctx;
    Trace trace; /* of the thread that runs the context */
    unsigned index;
} Player;

typedef struct Ball {
    unsigned index, at;
    int64_t left;
} Ball;

static Player players[PLAYERS];
static Ball balls[BALLS];
static int flying; /* any thread */

static void arrive(void *opaque)
{
    Ball *ball = opaque;
    Player *player = &players[ball->at];

    trace_add(&player->trace, ball->index);
    if (ball->left-- <= 0) {
        qatomic_dec(&flying);
        qemu_notify_event();
        return;
    }
    ball->at = (ball->at + 1 + player->trace.hash % (PLAYERS - 1)) % PLAYERS;
    aio_bh_schedule_oneshot(players[ball->at].ctx, arrive, ball);
}

/* ---- A thread of ours that runs GLib's loop over its own context ---- */

typedef struct GlibThread {
    QemuThread thread;
    AioContext *ctx;
    bool stop;       /* of the thread, by a bottom half */
    unsigned idles;  /* of the thread */
} GlibThread;

static gboolean count_idle(gpointer opaque)
{
    GlibThread *glib_thread = opaque;

    return ++glib_thread->idles % 5 != 0;
}

static void *glib_loop(void *opaque)
{
    GlibThread *self = opaque;
    GMainContext *context = g_main_context_new();
    GSource *source = aio_get_g_source(self->ctx);
    GSource *idle = g_idle_source_new();

    qemu_set_current_aio_context(self->ctx);
    g_source_attach(source, context);
    g_source_set_callback(idle, count_idle, self, NULL);
    g_source_attach(idle, context);
    while (!self->stop) {
        g_main_context_iteration(context, true);
    }
    g_source_destroy(idle);
    g_source_unref(idle);
    g_source_destroy(source);
    g_source_unref(source);
    g_main_context_unref(context);
    return NULL;
}

static void stop_glib_thread(void *opaque)
{
    GlibThread *self = opaque;

    self->stop = true;
}

/* ---- IOThreads that come and go ---- */

typedef struct Guest {
    AioContext *home;
    EventNotifier e;
    uint64_t heard; /* of the guest's thread, then of ours */
} Guest;

static void guest_hears(EventNotifier *e)
{
    Guest *guest = container_of(e, Guest, e);

    if (event_notifier_test_and_clear(e)) {
        guest->heard++;
    }
}

static void guest_says(void *opaque)
{
    Guest *guest = opaque;

    event_notifier_set(&guest->e);
}

static uint64_t visit(unsigned i)
{
    IOThread *iothread = iothread_create("guest", &error_fatal);
    Guest guest = {.home = iothread_get_aio_context(iothread)};

    if (i % 2) {
        iothread_get_g_main_context(iothread);
    }
    event_notifier_init(&guest.e, false);
    aio_set_event_notifier(guest.home, &guest.e, guest_hears, NULL, NULL);
    for (unsigned n = 0; n < 3; n++) {
        aio_bh_schedule_oneshot(guest.home, guest_says, &guest);
        main_loop_wait(true);
    }
    iothread_stop(iothread);
    aio_set_event_notifier(guest.home, &guest.e, NULL, NULL, NULL);
    event_notifier_cleanup(&guest.e);
    iothread_destroy(iothread);
    return guest.heard;
}

/* ---- All of it ---- */

static void play(int64_t rounds, Trace *own)
{
    qatomic_set(&flying, BALLS);
    for (unsigned i = 0; i < BALLS; i++) {
        balls[i] = (Ball){.index = i, .at = i, .left = rounds};
        aio_bh_schedule_oneshot(players[i].ctx, arrive, &balls[i]);
    }
    for (unsigned i = 0; qatomic_load_acquire(&flying) > 0; i++) {
        if (i % 64 == 10) {
            trace_add(own, visit(i / 64));
        } else {
            main_loop_wait(i % 3 == 0);
        }
    }
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    GlibThread glib_thread = {.ctx = aio_context_new(&error_fatal)};
    Trace total = {0, 0}, own = {0, 0};
    Lane lanes[2];

    lanes_start(lanes, 2);
    iothread_get_g_main_context(lanes[1].iothread);
    memset(players, 0, sizeof(players));
    players[0].ctx = qemu_get_aio_context();
    players[1].ctx = glib_thread.ctx;
    players[2].ctx = lanes[0].ctx;
    players[3].ctx = lanes[1].ctx;
    qemu_thread_create(&glib_thread.thread, "glib", glib_loop, &glib_thread,
                       QEMU_THREAD_JOINABLE);
    play(rounds, &own);
    aio_bh_schedule_oneshot(glib_thread.ctx, stop_glib_thread, &glib_thread);
    qemu_thread_join(&glib_thread.thread);
    lanes_stop(lanes, 2, &total);
    lanes_destroy(lanes, 2);
    for (unsigned i = 0; i < PLAYERS; i++) {
        trace_fold(&total, &players[i].trace);
    }
    aio_context_unref(glib_thread.ctx);
    SCENARIO_CHECK(total.n == (uint64_t)BALLS * (rounds + 1),
                   "%" PRIu64 " arrivals", total.n);
    trace_fold(&total, &own);
    trace_report(&total);
}

SCENARIO(glib_two) = {
    .name = "glib-two",
    .summary = "three loops of GLib, beside IOThreads that come and go",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "400", "hops of each of three balls"}, {NULL}},
    .run = run,
};
