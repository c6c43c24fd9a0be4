/* SPDX-License-Identifier: MIT */
/*
 * A scenario for tests of recording itself: threads that take inputs as fast
 * as they can, until they are killed or have done their rounds.
 *
 * Each says outside of the recording how far it is: the environment's
 * AIOLAB_STAMPS names a file with a number for each thread, which it counts up
 * after each explicit event (input replay.bh).  So whatever the file says must
 * be in the log.  A replay has no such file, and does the same without it.
 */
#include "aiolab/scenario.h"

#include "qemu/thread.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { THREADS_MAX = 64 };

static uint64_t own_stamps[THREADS_MAX];
static uint64_t *stamps = own_stamps;
static int64_t rounds;
static unsigned ran[THREADS_MAX];

static void map_stamps(void)
{
    const char *path = getenv("AIOLAB_STAMPS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (fd >= 0) {
        void *map = mmap(NULL, sizeof(own_stamps), PROT_READ | PROT_WRITE,
                         MAP_SHARED, fd, 0);

        stamps = map == MAP_FAILED ? own_stamps : map;
        close(fd);
    }
}

static void count_run(void *opaque)
{
    (*(unsigned *)opaque)++;
}

static void take_inputs(AioContext *ctx, unsigned self)
{
    for (int64_t i = 0; i < rounds; i++) {
        replay_bh_schedule_oneshot_event(ctx, count_run, &ran[self]);
        __atomic_store_n(&stamps[self], i + 1, __ATOMIC_RELEASE);
        aio_poll(ctx, false);
        if (i % 16 == 0) {
            qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
        }
    }
    while (aio_poll(ctx, false)) {
    }
}

static void *worker(void *opaque)
{
    AioContext *ctx = aio_context_new(&error_abort);


    qemu_set_current_aio_context(ctx);
    take_inputs(ctx, (uintptr_t)opaque);
    aio_context_unref(ctx);
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    int64_t n = MIN(scenario_param_int(args, "threads"), THREADS_MAX - 1);
    QemuThread threads[THREADS_MAX];

    map_stamps();
    rounds = scenario_param_int(args, "rounds");
    for (uintptr_t i = 0; i < (uintptr_t)n; i++) {
        qemu_thread_create(&threads[i], "busy", worker, (void *)(i + 1),
                           QEMU_THREAD_JOINABLE);
    }
    take_inputs(qemu_get_aio_context(), 0);
    for (unsigned i = 0; i < n; i++) {
        qemu_thread_join(&threads[i]);
    }
    for (unsigned i = 0; i <= n; i++) {
        SCENARIO_CHECK(ran[i] == rounds, "thread %u ran %u of %" PRId64, i,
                       ran[i], rounds);
    }
}

SCENARIO(busy) = {
    .name = "busy",
    .summary = "takes inputs until it is killed",
    .params = (const ScenarioParam[]){
        {"threads", "0", "beside the main thread"},
        {"rounds", "1000", "of each thread"},
        {NULL}},
    .host = "live",
    .run = run,
};
