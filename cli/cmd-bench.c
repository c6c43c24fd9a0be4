/* SPDX-License-Identifier: MIT */
/*
 * aiolab bench: the event loop's primitives on the live host.
 *
 * One JSON object a line, the median of five rounds.  A bare time says little
 * about another machine: compare ratios of two lines of one run.
 */
#include "cli.h"

#include "live/live.h"
#include "qemu/main-loop.h"
#include "system/block-backend.h"

#include <time.h>

enum { ROUNDS = 5 };

typedef struct Bench {
    const char *name, *what;
    void (*run)(uint64_t n);
    uint64_t n; /* operations a round */
} Bench;

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec;
}

/* ---- The operations ---- */

static void coroutine_fn empty_coroutine(void *opaque)
{
}

static void bench_lifecycle(uint64_t n)
{
    while (n--) {
        qemu_coroutine_enter(qemu_coroutine_create(empty_coroutine, NULL));
    }
}

static void coroutine_fn yield_loop(void *opaque)
{
    for (uint64_t *n = opaque; *n; --*n) {
        qemu_coroutine_yield();
    }
}

static void bench_yield(uint64_t n)
{
    Coroutine *co = qemu_coroutine_create(yield_loop, &n);

    while (n) { /* the coroutine counts, and ends at 0 */
        qemu_coroutine_enter(co);
    }
}

static void bench_empty_poll(uint64_t n)
{
    while (n--) {
        aio_poll(qemu_get_aio_context(), false);
    }
}

static void empty_bh(void *opaque)
{
}

static void bench_bh(uint64_t n)
{
    QEMUBH *bh = qemu_bh_new(empty_bh, NULL);

    while (n--) {
        qemu_bh_schedule(bh);
        aio_poll(qemu_get_aio_context(), true);
    }
    qemu_bh_delete(bh);
    aio_poll(qemu_get_aio_context(), false);
}

static void bench_timer(uint64_t n)
{
    QEMUTimer timer;

    aio_timer_init(qemu_get_aio_context(), &timer, QEMU_CLOCK_REALTIME,
                   SCALE_NS, empty_bh, NULL);
    while (n--) {
        timer_mod_ns(&timer, 1);
        aio_poll(qemu_get_aio_context(), true);
    }
}

static void clear_notifier(EventNotifier *e)
{
    event_notifier_test_and_clear(e);
}

static void bench_notifier(uint64_t n)
{
    EventNotifier e;

    event_notifier_init(&e, false);
    aio_set_event_notifier(qemu_get_aio_context(), &e,
                           clear_notifier, NULL, NULL);
    while (n--) {
        event_notifier_set(&e);
        aio_poll(qemu_get_aio_context(), true);
    }
    aio_set_event_notifier(qemu_get_aio_context(), &e, NULL, NULL, NULL);
    event_notifier_cleanup(&e);
}

typedef struct NullIo {
    BlockBackend *blk;
    uint64_t n;
} NullIo;

static void coroutine_fn null_requests(void *opaque)
{
    NullIo *io = opaque;
    char buf[4096];
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, buf, sizeof(buf));

    while (io->n--) {
        blk_co_preadv(io->blk, 0, sizeof(buf), &qiov, 0);
    }
}

static void bench_null_co(uint64_t n)
{
    BlockdevOptions options = {.driver = "null-co"};
    BlockDriverState *bs = bdrv_open_blockdev(&options, &error_abort);
    NullIo io = {blk_new(qemu_get_aio_context(), "null"), n};

    blk_insert_bs(io.blk, bs);
    bdrv_unref(bs);
    qemu_coroutine_enter(qemu_coroutine_create(null_requests, &io));
    blk_unref(io.blk);
}

static const Bench benches[] = {
    {"coroutine-lifecycle", "create, enter, end", bench_lifecycle, 1000000},
    {"coroutine-yield", "enter and yield", bench_yield, 2000000},
    {"poll-empty", "aio_poll() with nothing to do", bench_empty_poll, 1000000},
    {"bh", "schedule a bottom half and poll", bench_bh, 1000000},
    {"timer", "arm an expired timer and poll", bench_timer, 300000},
    {"notifier", "set an event notifier and poll", bench_notifier, 100000},
    {"null-co", "a 4 KiB read through a BlockBackend", bench_null_co, 1000000},
};

/* ---- Measuring ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure(const Bench *bench, uint64_t n)
{
    double ns[ROUNDS];
    JsonBuilder *b = json_builder_new();

    bench->run(n / 10 + 1);
    for (unsigned i = 0; i < ROUNDS; i++) {
        int64_t begin = now_ns();

        bench->run(n);
        ns[i] = (double)(now_ns() - begin) / n;
    }
    qsort(ns, ROUNDS, sizeof(*ns), by_value);
    json_builder_begin_object(b);
    cli_json_string(b, "name", bench->name);
    cli_json_string(b, "what", bench->what);
    json_builder_set_member_name(b, "ns");
    json_builder_add_double_value(b, ns[ROUNDS / 2]);
    json_builder_set_member_name(b, "ns_min");
    json_builder_add_double_value(b, ns[0]);
    json_builder_end_object(b);
    cli_print_json(b);
    fflush(stdout);
}

int cmd_bench(int argc, char **argv)
{
    static CommonOptions common;
    gboolean quick = false;
    const GOptionEntry entries[] = {
        {"quick", 0, 0, G_OPTION_ARG_NONE, &quick, "a tenth of the work", NULL},
        {NULL}};
    int status = cli_parse(&argc, &argv, "[NAME]", "Measures the event loop's "
                           "primitives; one JSON object a line.", entries,
                           &common);
    bool any = false;

    if (status >= 0) {
        return status;
    }
    if (!cli_open_output(&common, NULL)) {
        return STATUS_BAD_INPUT;
    }
    live_start(LIVE_MONITOR_AUTO, 0);
    if (qemu_init_main_loop(&error_fatal) < 0) {
        return STATUS_MACHINE;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(benches); i++) {
        if (argc < 2 || g_str_equal(argv[1], benches[i].name)) {
            measure(&benches[i], quick ? benches[i].n / 10 : benches[i].n);
            any = true;
        }
    }
    qemu_finish_main_loop();
    live_stop();
    if (!any) {
        cli_error("no benchmark '%s'; without a name all are run", argv[1]);
        return STATUS_USAGE;
    }
    return STATUS_OK;
}
