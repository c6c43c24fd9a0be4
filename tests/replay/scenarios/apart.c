/* SPDX-License-Identifier: MIT */
/* Two threads that have nothing to do with each other: only order can differ. */
#include "aiolab/scenario.h"

enum { ROUNDS = 5 };

static void *keep_busy(void *opaque)
{
    QemuMutex mutex;

    qemu_mutex_init(&mutex);
    for (unsigned i = 0; i < ROUNDS; i++) {
        qemu_mutex_lock(&mutex);
        scenario_note("%s, round %u", (char *)opaque, i);
        qemu_mutex_unlock(&mutex);
    }
    qemu_mutex_destroy(&mutex);
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    bool swap = scenario_param_int(args, "swap");
    QemuThread threads[2];

    for (unsigned i = 0; i < 2; i++) {
        const char *name = (i == 0) == swap ? "right" : "left";

        qemu_thread_create(&threads[i], name, keep_busy, (void *)name,
                           QEMU_THREAD_JOINABLE);
    }
    qemu_thread_join(&threads[swap]); /* the left one */
    qemu_thread_join(&threads[!swap]);
}

SCENARIO(apart) = {
    .name = "apart",
    .summary = "two threads that share nothing",
    .params = (const ScenarioParam[]){
        {"swap", "0", "1: the right one is created first"}, {NULL}},
    .run = run,
};
