/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of 'aiolab bench', a file for each subject.
 *
 * A benchmark prepares what it needs, calls bench_begin(), performs run->n
 * operations, calls bench_end() and tidies up.  It runs on the live host with
 * the main loop there, unrecorded and with probes off.
 */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "qemu/aio.h"
#include "qemu/osdep.h"

/* What the user gave for all benchmarks. */
typedef struct BenchOptions {
    const char *file; /* that file-... read */
} BenchOptions;

typedef struct BenchRun {
    const BenchOptions *options;
    uint64_t n;       /* operations to perform */
    int arg;          /* of the table's row */
    int64_t wall_ns;  /* set by bench_end() */
    int64_t cpu_ns;   /* of the process, the kernel's included */
} BenchRun;

typedef struct Bench {
    const char *name, *what;
    void (*run)(BenchRun *run);
    int arg;
    uint64_t n; /* operations a round */
} Bench;

void bench_begin(BenchRun *run);
void bench_end(BenchRun *run);

/* bench-coroutine.c */
void bench_coroutine_lifecycle(BenchRun *run);
void bench_coroutine_yield(BenchRun *run);
/* bench-loop.c */
void bench_poll_empty(BenchRun *run);
void bench_bh(BenchRun *run);
void bench_notifier(BenchRun *run);
/* run->arg: how many idle handlers are registered besides. */
void bench_fd_idle(BenchRun *run);
void bench_fd_ready(BenchRun *run);
/* bench-thread.c; run->arg: poll-max-ns */
void bench_bh_thread(BenchRun *run);
/* bench-timer.c */
void bench_timer(BenchRun *run);
void bench_timer_fire(BenchRun *run);
void bench_timer_mod(BenchRun *run);
/* bench-block.c; run->arg: requests in flight. */
void bench_null_co(BenchRun *run);
void bench_null_co_await(BenchRun *run);
void bench_file_buffered(BenchRun *run);
void bench_file_direct(BenchRun *run);

#endif
