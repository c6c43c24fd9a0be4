/* SPDX-License-Identifier: MIT */
/*
 * aiolab bench: the event loop's primitives on the live host.
 *
 * One JSON object a line, the median of five rounds.  A bare time says little
 * about another machine: compare ratios of two lines of one run, or let
 * tests/bench/compare measure a peer in turn.
 */
#include "bench.h"
#include "cli.h"

#include "live/live.h"
#include "qemu/main-loop.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#ifdef AIOLAB_VALGRIND
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION ((void)0)
#define CALLGRIND_STOP_INSTRUMENTATION ((void)0)
#endif

static const Bench benches[] = {
    {"coroutine-lifecycle", "create, enter and end a coroutine",
     bench_coroutine_lifecycle, 0, 2000000},
    {"coroutine-yield", "enter a coroutine, which yields",
     bench_coroutine_yield, 0, 4000000},
    {"poll-empty", "aio_poll() with nothing to do",
     bench_poll_empty, 0, 2000000},
    {"bh", "schedule a bottom half and poll", bench_bh, 0, 2000000},
    {"bh-thread", "a bottom half in an IOThread, and one back",
     bench_bh_thread, 0, 20000},
    {"bh-thread-polled", "the same, with poll-max-ns=32768",
     bench_bh_thread, 32768, 300000},
    {"timer", "arm an expired timer and poll", bench_timer, 0, 300000},
    {"timer-fire", "arm timers with random deadlines, and fire them all",
     bench_timer_fire, 0, 1000000},
    {"timer-mod", "arm one of a million armed timers again",
     bench_timer_mod, 0, 500000},
    {"notifier", "set an event notifier and poll",
     bench_notifier, 0, 100000},
    {"poll-idle-10", "aio_poll() beside 10 idle handlers",
     bench_fd_idle, 10, 1000000},
    {"poll-idle-10000", "aio_poll() beside 10,000 idle handlers",
     bench_fd_idle, 10000, 1000000},
    {"notifier-idle-10", "set a notifier and poll, beside 10 idle handlers",
     bench_fd_ready, 10, 100000},
    {"notifier-idle-10000",
     "set a notifier and poll, beside 10,000 idle handlers",
     bench_fd_ready, 10000, 100000},
    {"null-co-await", "a 4 KiB read of null-co that a coroutine waits for",
     bench_null_co_await, 0, 1000000},
    {"null-co-d1", "4 KiB reads of null-co, one in flight",
     bench_null_co, 1, 1000000},
    {"null-co-d64", "4 KiB reads of null-co, 64 in flight",
     bench_null_co, 64, 1000000},
    {"file-buffered-d1", "4 KiB reads of a cached file, one in flight",
     bench_file_buffered, 1, 100000},
    {"file-buffered-d64", "4 KiB reads of a cached file, 64 in flight",
     bench_file_buffered, 64, 200000},
    {"file-direct-d1", "4 KiB reads with O_DIRECT, one in flight",
     bench_file_direct, 1, 5000},
    {"file-direct-d64", "4 KiB reads with O_DIRECT, 64 in flight",
     bench_file_direct, 64, 20000},
};

/* ---- Measuring ---- */

static int64_t clock_ns(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec;
}

void bench_begin(BenchRun *run)
{
    run->cpu_ns = -clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    run->wall_ns = -clock_ns(CLOCK_MONOTONIC);
    /* So that callgrind counts the operations, and nothing else. */
    CALLGRIND_START_INSTRUMENTATION;
}

void bench_end(BenchRun *run)
{
    CALLGRIND_STOP_INSTRUMENTATION;
    run->wall_ns += clock_ns(CLOCK_MONOTONIC);
    run->cpu_ns += clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, unsigned n)
{
    qsort(values, n, sizeof(*values), by_value);
    return values[n / 2];
}

static void measure(const Bench *bench, const BenchOptions *options,
                    uint64_t n, unsigned rounds)
{
    g_autofree double *wall = g_new(double, rounds);
    g_autofree double *cpu = g_new(double, rounds);
    double median_ns;

    for (unsigned i = 0; i < rounds; i++) {
        BenchRun run = {.options = options, .arg = bench->arg, .n = n};

        bench->run(&run);
        wall[i] = (double)run.wall_ns / n;
        cpu[i] = (double)run.cpu_ns / n;
    }
    median_ns = median(wall, rounds);
    printf("{\"name\":\"%s\",\"what\":\"%s\",\"operations\":%" PRIu64
           ",\"ns\":%.2f,\"ns_min\":%.2f,\"cpu_ns\":%.2f}\n",
           bench->name, bench->what, n, median_ns, wall[0],
           median(cpu, rounds));
    fflush(stdout);
}

/* ---- What the benchmarks need ---- */

enum { OWN_FILE_SIZE = 64 * 1024 * 1024 };

/* Written, so that direct reads are reads; returns NULL after an error. */
static char *make_file(void)
{
    char *path = g_build_filename(g_getenv("TMPDIR") ?: "/var/tmp",
                                  "aiolab-bench.XXXXXX", NULL);
    g_autofree uint64_t *data = g_malloc(OWN_FILE_SIZE);
    int fd = g_mkstemp(path);

    for (unsigned i = 0; i < OWN_FILE_SIZE / sizeof(*data); i++) {
        data[i] = (i + 1) * 0x9e3779b97f4a7c15ULL;
    }
    if (fd < 0 || write(fd, data, OWN_FILE_SIZE) != OWN_FILE_SIZE ||
        fsync(fd) < 0) {
        cli_error("%s: cannot write a file of 64 MiB: %s; name one by --file",
                  path, g_strerror(errno));
        g_free(path);
        path = NULL;
    }
    if (fd >= 0) {
        close(fd);
    }
    return path;
}

/* Ten thousand handlers are more than most limits allow at first. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static const Bench *find_bench(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(benches); i++) {
        if (g_str_equal(benches[i].name, name)) {
            return &benches[i];
        }
    }
    cli_error("no benchmark '%s'; --list names them", name);
    return NULL;
}

static void list_benches(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(benches); i++) {
        printf("%-20s %s\n", benches[i].name, benches[i].what);
    }
}

/* ---- The command ---- */

typedef struct BenchArgs {
    gboolean quick, list;
    int rounds;
    int64_t count;
    char *file, *fdmon;
    LiveMonitorKind monitor;
    const Bench *chosen[ARRAY_SIZE(benches)];
    unsigned n_chosen;
} BenchArgs;

static bool choose(BenchArgs *args, int argc, char **argv)
{
    for (int i = 1; i < argc && args->n_chosen < ARRAY_SIZE(benches); i++) {
        if (!(args->chosen[args->n_chosen++] = find_bench(argv[i]))) {
            return false;
        }
    }
    for (unsigned i = 0; argc < 2 && i < ARRAY_SIZE(benches); i++) {
        args->chosen[args->n_chosen++] = &benches[i];
    }
    return true;
}

static bool wants_file(const BenchArgs *args)
{
    for (unsigned i = 0; i < args->n_chosen; i++) {
        if (g_str_has_prefix(args->chosen[i]->name, "file-")) {
            return true;
        }
    }
    return false;
}

static void run_chosen(const BenchArgs *args, const char *file)
{
    BenchOptions options = {.file = file};

    for (unsigned i = 0; i < args->n_chosen; i++) {
        const Bench *bench = args->chosen[i];

        measure(bench, &options,
                args->count ? (uint64_t)args->count
                            : args->quick ? bench->n / 10 : bench->n,
                args->rounds);
    }
}

static int run_on_live_host(const BenchArgs *args)
{
    g_autofree char *own_file = NULL;

    if (wants_file(args) && !args->file && !(own_file = make_file())) {
        return STATUS_MACHINE;
    }
    raise_descriptor_limit();
    live_start(args->monitor, 0);
    if (qemu_init_main_loop(&error_fatal) < 0) {
        return STATUS_MACHINE;
    }
    run_chosen(args, args->file ? args->file : own_file);
    qemu_finish_main_loop();
    live_stop();
    if (own_file) {
        unlink(own_file);
    }
    return STATUS_OK;
}

int cmd_bench(int argc, char **argv)
{
    static CommonOptions common;
    static BenchArgs args = {.rounds = 5};
    const GOptionEntry entries[] = {
        {"quick", 0, 0, G_OPTION_ARG_NONE, &args.quick, "a tenth of the work",
         NULL},
        {"list", 0, 0, G_OPTION_ARG_NONE, &args.list, "name the benchmarks",
         NULL},
        {"rounds", 0, 0, G_OPTION_ARG_INT, &args.rounds,
         "the median of N rounds (5)", "N"},
        {"count", 0, 0, G_OPTION_ARG_INT64, &args.count,
         "operations a round", "N"},
        {"file", 0, 0, G_OPTION_ARG_FILENAME, &args.file,
         "what file-... read; by default 64 MiB of their own", "PATH"},
        {"fdmon", 0, 0, G_OPTION_ARG_STRING, &args.fdmon,
         "poll, epoll, io_uring or auto; by default what AIOLAB_FDMON says",
         "MONITOR"},
        {NULL}};
    int status = cli_parse(&argc, &argv, "[NAME...]",
                           "Measures the event loop's primitives; one JSON "
                           "object a line.", entries, &common);

    if (status >= 0) {
        return status;
    }
    if (args.rounds < 1 || args.rounds > 1000 || args.count < 0) {
        cli_error("--rounds is 1 to 1000, and --count at least 1");
        return STATUS_USAGE;
    }
    if (!args.fdmon) {
        args.fdmon = g_strdup(g_getenv("AIOLAB_FDMON") ?: "auto");
    }
    if (!live_monitor_kind(args.fdmon, &args.monitor)) {
        cli_error("no monitor '%s': poll, epoll, io_uring or auto", args.fdmon);
        return STATUS_USAGE;
    }
    if (!choose(&args, argc, argv)) {
        return STATUS_USAGE;
    }
    if (!cli_open_output(&common, NULL)) {
        return STATUS_BAD_INPUT;
    }
    if (args.list) {
        list_benches();
        return STATUS_OK;
    }
    return run_on_live_host(&args);
}
