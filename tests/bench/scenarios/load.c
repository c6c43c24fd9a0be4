/* SPDX-License-Identifier: MIT */
/*
 * load: reads without a pause, for measuring what recording them costs.
 *
 * Each thread has a device of its own and keeps "depth" requests in flight:
 * a callback submits the next one.  With threads=0 the main thread does it
 * itself; otherwise that many IOThreads do, and the main thread sleeps until
 * the last of them is done.  (Not in AIO_WAIT_WHILE(): there, each request
 * would kick it.)
 *
 * What was measured goes to standard error, in one line: the CPU time of the
 * threads that read, user and kernel, of all of them together, from each one's
 * first request to its last (cpu_ns); and that of everybody else in the process
 * meanwhile (others_ns), who is the recording's writer.  It is no result of the
 * scenario's: those are the same in a replay.
 */
#include "aiolab/scenario.h"

#include <time.h>

enum { BLOCK = 4096, THREADS_MAX = 16 };

typedef struct Load Load;

typedef struct Request {
    Load *load;
    QEMUIOVector qiov;
} Request;

/* What one thread does. */
struct Load {
    BlockBackend *blk;
    IOThread *iothread; /* NULL: the main thread */
    Request *requests;
    char *memory;
    int64_t length, offset, depth, to_submit, to_complete;
    int64_t cpu_ns, begin_ns, end_ns;
    int error;
};

static int64_t running; /* loads that are not done; the main thread's */
static int64_t process_ns;

static int64_t thread_time(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec;
}

static void request_submit(Request *request);

static void load_done(void *opaque)
{
    running--;
}

static void load_end(Load *load)
{
    load->cpu_ns += thread_time(CLOCK_THREAD_CPUTIME_ID);
    load->end_ns = thread_time(CLOCK_MONOTONIC);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), load_done, NULL);
}

static void request_done(void *opaque, int ret)
{
    Request *request = opaque;
    Load *load = request->load;

    if (ret < 0) {
        load->error = ret;
    }
    load->to_complete--;
    if (load->to_submit) {
        request_submit(request);
    } else if (!load->to_complete) {
        load_end(load);
    }
}

static void request_submit(Request *request)
{
    Load *load = request->load;
    int64_t offset = load->offset;

    load->to_submit--;
    load->offset += BLOCK;
    if (load->offset + BLOCK > load->length) {
        load->offset = 0;
    }
    blk_aio_preadv(load->blk, offset, &request->qiov, 0, request_done, request);
}

static void load_start(void *opaque)
{
    Load *load = opaque;

    load->begin_ns = thread_time(CLOCK_MONOTONIC);
    load->cpu_ns = -thread_time(CLOCK_THREAD_CPUTIME_ID);
    for (int64_t i = 0; i < load->depth && load->to_submit; i++) {
        request_submit(&load->requests[i]);
    }
}

static bool load_prepare(Load *load, const ScenarioArgs *args, AioContext *ctx)
{
    BlockdevOptions options = {
        .driver = scenario_param(args, "driver"),
        .filename = scenario_param(args, "image"),
        .read_only = true,
        .cache_direct = scenario_param_int(args, "direct"),
    };
    Error *err = NULL;
    BlockDriverState *bs = bdrv_open_blockdev(&options, &err);

    if (!bs) {
        scenario_bad_input("%s", error_get_pretty(err));
        error_free(err);
        return false;
    }
    load->blk = blk_new(ctx, "load");
    blk_insert_bs(load->blk, bs);
    bdrv_unref(bs);
    load->length = blk_getlength(load->blk);
    load->depth = scenario_param_int(args, "depth");
    load->to_submit = load->to_complete = scenario_param_int(args, "requests");
    load->requests = g_new0(Request, load->depth);
    load->memory = g_aligned_alloc(load->depth, BLOCK, BLOCK);
    for (int64_t i = 0; i < load->depth; i++) {
        load->requests[i].load = load;
        qemu_iovec_init_buf(&load->requests[i].qiov, load->memory + i * BLOCK,
                            BLOCK);
    }
    if (load->length < BLOCK) {
        scenario_bad_input("the image is smaller than a block");
        return false;
    }
    return true;
}

static void load_finish(Load *load)
{
    if (load->iothread) {
        iothread_destroy(load->iothread);
    }
    if (load->blk) {
        blk_drain(load->blk);
        blk_unref(load->blk);
    }
    g_free(load->requests);
    g_aligned_free(load->memory);
}

/* In the main thread, or in @n IOThreads at once. */
static void run_loads(Load *loads, int64_t n)
{
    process_ns = -thread_time(CLOCK_PROCESS_CPUTIME_ID);
    running = n;
    for (int64_t i = 0; i < n; i++) {
        AioContext *ctx = loads[i].iothread
                              ? iothread_get_aio_context(loads[i].iothread)
                              : qemu_get_aio_context();

        aio_bh_schedule_oneshot(ctx, load_start, &loads[i]);
    }
    while (running) {
        aio_poll(qemu_get_aio_context(), true);
    }
    process_ns += thread_time(CLOCK_PROCESS_CPUTIME_ID);
}

static void report(const Load *loads, int64_t n)
{
    int64_t cpu = 0, begin = INT64_MAX, end = 0;

    for (int64_t i = 0; i < n; i++) {
        SCENARIO_CHECK(!loads[i].error, "a read failed: %s",
                       g_strerror(-loads[i].error));
        cpu += loads[i].cpu_ns;
        begin = MIN(begin, loads[i].begin_ns);
        end = MAX(end, loads[i].end_ns);
    }
    fprintf(stderr, "{\"cpu_ns\":%" PRId64 ",\"others_ns\":%" PRId64
            ",\"wall_ns\":%" PRId64 "}\n", cpu, process_ns - cpu, end - begin);
}

static bool start_threads(Load *loads, const ScenarioArgs *args, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("load%d", (int)i);

        loads[i].iothread = iothread_create(name, &error_abort);
        if (!load_prepare(&loads[i], args,
                          iothread_get_aio_context(loads[i].iothread))) {
            return false;
        }
    }
    return true;
}

static void run(const ScenarioArgs *args)
{
    Load loads[THREADS_MAX] = {{.blk = NULL}};
    int64_t threads = scenario_param_int(args, "threads");
    int64_t n = MAX(threads, 1);
    bool ready;

    if (threads < 0 || threads > THREADS_MAX ||
        scenario_param_int(args, "requests") < 1 ||
        scenario_param_int(args, "depth") < 1) {
        scenario_bad_input("threads goes from 0 to %d; requests and depth are "
                           "at least 1", THREADS_MAX);
        return;
    }
    ready = threads ? start_threads(loads, args, threads)
                    : load_prepare(loads, args, qemu_get_aio_context());
    if (ready) {
        run_loads(loads, n);
        report(loads, n);
    }
    for (int64_t i = 0; i < n; i++) {
        load_finish(&loads[i]);
    }
}

SCENARIO(load) = {
    .name = "load",
    .summary = "reads without a pause, in one thread or in IOThreads",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"driver", "null-co", "null-co or file"},
        {"image", "disk.img", "driver=file: what is read"},
        {"direct", "0", "1: O_DIRECT"},
        {"threads", "0", "IOThreads; 0: the main thread reads"},
        {"requests", "100000", "of each thread"},
        {"depth", "64", "how many of each are in flight"},
        {NULL}},
    .run = run,
};
