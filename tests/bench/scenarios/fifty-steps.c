/* SPDX-License-Identifier: MIT */
/* Two threads and some fifty steps: what tests/bench/explore counts. */
#include "aiolab/scenario.h"

typedef struct Shared {
    QemuMutex lock;
    unsigned n;     /* under the lock */
    unsigned words; /* qatomic_*() */
} Shared;

static void *count(void *opaque)
{
    Shared *shared = opaque;

    for (unsigned i = 0; i < 4; i++) {
        qatomic_inc(&shared->words);
        WITH_QEMU_LOCK_GUARD(&shared->lock) {
            shared->n++;
        }
    }
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    Shared shared = {.n = 0};
    QemuThread thread;

    qemu_mutex_init(&shared.lock);
    qemu_thread_create(&thread, "other", count, &shared, QEMU_THREAD_JOINABLE);
    count(&shared);
    qemu_thread_join(&thread);
    SCENARIO_CHECK(shared.n == 8 && shared.words == 8, "%u, %u", shared.n,
                   shared.words);
    qemu_mutex_destroy(&shared.lock);
}

SCENARIO(fifty_steps) = {
    .name = "fifty-steps",
    .summary = "two threads, two counters",
    .run = run,
};
