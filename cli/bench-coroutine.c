/* SPDX-License-Identifier: MIT */
/* Coroutines: what a life costs, and what a switch there and back costs. */
#include "bench.h"

#include "qemu/coroutine.h"

static void coroutine_fn empty_coroutine(void *opaque)
{
}

void bench_coroutine_lifecycle(BenchRun *run)
{
    bench_begin(run);
    for (uint64_t i = 0; i < run->n; i++) {
        qemu_coroutine_enter(qemu_coroutine_create(empty_coroutine, NULL));
    }
    bench_end(run);
}

static void coroutine_fn yield_until_told(void *opaque)
{
    bool *over = opaque;

    while (!*over) {
        qemu_coroutine_yield();
    }
}

void bench_coroutine_yield(BenchRun *run)
{
    bool over = false;
    Coroutine *co = qemu_coroutine_create(yield_until_told, &over);

    bench_begin(run);
    for (uint64_t i = 0; i < run->n; i++) {
        qemu_coroutine_enter(co);
    }
    bench_end(run);
    over = true;
    qemu_coroutine_enter(co);
}
