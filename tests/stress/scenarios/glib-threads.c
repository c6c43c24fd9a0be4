/* SPDX-License-Identifier: MIT */
/*
 * glib-threads: GLib's own ways from one thread to another.
 *
 * Threads without a loop send parcels to loops of GLib's, by each way that there
 * is: idle sources, timeouts, g_main_context_invoke(), a ready time, a
 * descriptor.  Some are taken back before they arrive, or not quite before.
 * One loop has an AioContext beside, another none of ours at all; the third is
 * run by two threads in turn, and quit by others.
 */
#include "stress.h"

#include "qemu/main-loop.h"

#include <glib-unix.h>

enum { LOOPS = 3, SENDERS = 3, LAST = LOOPS - 1 };

typedef struct Loop {
    GMainContext *context;
    GMainLoop *loop;
    Trace trace; /* of whoever owns the context */
    int arrived; /* any thread */
} Loop;

static Loop loops[LOOPS];
static bool over;    /* any thread */
static int in_turn;  /* any thread: how many run the last loop */

/* ---- Parcels ---- */

typedef struct Parcel {
    Loop *loop;
    uint64_t number;
} Parcel;

static Parcel *parcel_new(Loop *loop, uint64_t number)
{
    Parcel *parcel = g_new(Parcel, 1);

    *parcel = (Parcel){loop, number};
    return parcel;
}

static gboolean arrive(gpointer opaque)
{
    Parcel *parcel = opaque;

    trace_add(&parcel->loop->trace, parcel->number);
    return G_SOURCE_REMOVE;
}

/* Each parcel ends here once, whether it has arrived or was taken back. */
static void parcel_free(gpointer opaque)
{
    Parcel *parcel = opaque;

    qatomic_inc(&parcel->loop->arrived);
    g_free(parcel);
}

/* A source of our own, which is ready at a time that another thread sets. */
static gboolean dispatch_ready(GSource *source, GSourceFunc callback,
                               gpointer opaque)
{
    return callback(opaque);
}

static GSource *ready_source_new(void)
{
    static GSourceFuncs funcs = {.dispatch = dispatch_ready};

    return g_source_new(&funcs, sizeof(GSource));
}

static GSource *source_of_kind(unsigned kind)
{
    return kind == 0 ? g_idle_source_new()
         : kind == 1 ? g_timeout_source_new(1) : ready_source_new();
}

/* ---- Senders ---- */

typedef struct Sender {
    QemuThread thread;
    Gate *gate;
    int64_t rounds;
    uint64_t rng;
    Trace trace;
} Sender;

static void send_source(Sender *self, Parcel *parcel, unsigned kind)
{
    GSource *source = source_of_kind(kind);

    g_source_set_callback(source, arrive, parcel, parcel_free);
    g_source_attach(source, parcel->loop->context);
    if (kind == 2) {
        g_source_set_ready_time(source, 0);
    }
    if (next_random(&self->rng) % 4 == 0) {
        trace_add(&self->trace, g_source_is_destroyed(source));
        g_source_destroy(source); /* it may be arriving now */
    }
    g_source_unref(source);
}

static void send_one(Sender *self, uint64_t number)
{
    uint64_t chance = next_random(&self->rng);
    Parcel *parcel = parcel_new(&loops[chance % LOOPS], number);

    if (chance / LOOPS % 4 == 3) {
        g_main_context_invoke_full(parcel->loop->context, G_PRIORITY_HIGH,
                                   arrive, parcel, parcel_free);
    } else {
        send_source(self, parcel, chance / LOOPS % 4);
    }
    if (chance % 7 == 0) {
        g_main_loop_quit(loops[LAST].loop);
    }
}

static void *send_all(void *opaque)
{
    Sender *self = opaque;

    gate_pass(self->gate);
    for (int64_t i = 0; i < self->rounds; i++) {
        send_one(self, i);
    }
    return NULL;
}

/* ---- Loops ---- */

static void *run_own(void *opaque)
{
    Loop *loop = opaque;

    g_main_context_push_thread_default(loop->context);
    g_main_loop_run(loop->loop);
    g_main_context_pop_thread_default(loop->context);
    return NULL;
}

/* Two threads do this with one context. */
static void *run_in_turn(void *opaque)
{
    Loop *loop = opaque;

    while (!qatomic_read(&over)) {
        g_main_loop_run(loop->loop);
        g_main_context_iteration(loop->context, false);
    }
    qatomic_dec(&in_turn);
    return NULL;
}

static gboolean quit(gpointer opaque)
{
    g_main_loop_quit(opaque);
    return G_SOURCE_REMOVE;
}

static int sum_arrived(void)
{
    int sum = 0;

    for (unsigned i = 0; i < LOOPS; i++) {
        sum += qatomic_read(&loops[i].arrived);
    }
    return sum;
}

/* Runs GLib's default loop, with its AioContexts, until all have arrived. */
static gboolean look(gpointer opaque)
{
    const int64_t *wanted = opaque;

    if (sum_arrived() == *wanted) {
        qatomic_set(&over, true);
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

static void wait_for_all(int64_t wanted)
{
    guint id = g_timeout_add(1, look, &wanted);

    while (!qatomic_read(&over)) {
        main_loop_wait(false);
    }
    SCENARIO_CHECK(!g_main_context_find_source_by_id(NULL, id),
                   "the timeout is still there");
}

/* ---- All of it ---- */

static void loops_start(QemuThread *threads)
{
    memset(loops, 0, sizeof(loops));
    over = false;
    in_turn = 2;
    for (unsigned i = 0; i < LOOPS; i++) {
        loops[i].context = i ? g_main_context_new()
                             : g_main_context_ref(g_main_context_default());
        loops[i].loop = g_main_loop_new(loops[i].context, false);
    }
    qemu_thread_create(&threads[0], "own", run_own, &loops[1],
                       QEMU_THREAD_JOINABLE);
    for (unsigned i = 1; i < 3; i++) {
        qemu_thread_create(&threads[i], "in turn", run_in_turn, &loops[LAST],
                           QEMU_THREAD_JOINABLE);
    }
}

/* A loop that begins after it was told to quit runs. */
static void join_turns(QemuThread *threads)
{
    while (qatomic_read(&in_turn)) {
        g_main_loop_quit(loops[LAST].loop);
    }
    qemu_thread_join(&threads[1]);
    qemu_thread_join(&threads[2]);
}

static void loops_stop(QemuThread *threads, Trace *total)
{
    g_main_context_invoke(loops[1].context, quit, loops[1].loop);
    qemu_thread_join(&threads[0]);
    join_turns(threads);
    for (unsigned i = 0; i < LOOPS; i++) {
        while (g_main_context_iteration(loops[i].context, false)) {
        }
        g_main_loop_unref(loops[i].loop);
        g_main_context_unref(loops[i].context);
        trace_fold(total, &loops[i].trace);
    }
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    Sender senders[SENDERS];
    QemuThread threads[3];
    Trace total = {0, 0};
    Gate gate;

    gate_init(&gate);
    loops_start(threads);
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (Sender){
            .gate = &gate, .rounds = rounds, .rng = random_seed(i),
        };
        qemu_thread_create(&senders[i].thread, "sender", send_all, &senders[i],
                           QEMU_THREAD_JOINABLE);
    }
    gate_open(&gate);
    wait_for_all(rounds * SENDERS);
    for (unsigned i = 0; i < SENDERS; i++) {
        qemu_thread_join(&senders[i].thread);
        trace_fold(&total, &senders[i].trace);
    }
    gate_destroy(&gate);
    loops_stop(threads, &total);
    SCENARIO_CHECK(sum_arrived() == rounds * SENDERS, "%d parcels ended",
                   sum_arrived());
    trace_report(&total);
}

SCENARIO(glib_threads) = {
    .name = "glib-threads",
    .summary = "sources that other threads attach and destroy, loops they quit",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "300", "parcels that each of three threads sends"}, {NULL}},
    .run = run,
};
