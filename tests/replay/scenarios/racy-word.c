/* SPDX-License-Identifier: MIT */
/*
 * racy-word: two threads write a plain word in turn, and what they find there
 * decides what they do.  Nobody told the recorder: this is the mistake that a
 * replay must notice, and not a way to write programs.
 *
 * The result "overlaps" counts what can only be seen if both run at once: a
 * word that changes twice while a thread does nothing that is recorded.
 * Replayed on one thread that never happens.
 */
#include "aiolab/scenario.h"

enum { LANES = 2, LOOKS = 400000 };

typedef struct Racer {
    IOThread *iothread;
    AioContext *ctx;
    int name;
    int64_t left, overlaps;
} Racer;

static volatile int word; /* any thread, and there lies the mistake */
static int running;

static void nothing(void *opaque)
{
}

static int64_t look(int name)
{
    int64_t found = 0;

    for (unsigned i = 0; i < LOOKS; i++) {
        if (word != name) {
            word = name;
            found++;
        }
    }
    return found;
}

static void race(void *opaque)
{
    Racer *racer = opaque;
    int64_t found = look(racer->name);

    /* What is done depends on it, thus the events do. */
    for (int64_t i = 0; i < MIN(found, 3); i++) {
        aio_bh_schedule_oneshot(racer->ctx, nothing, NULL);
    }
    racer->overlaps += MAX(found - 1, 0);
    if (--racer->left > 0) {
        aio_bh_schedule_oneshot(racer->ctx, race, racer);
    } else {
        qatomic_dec(&running);
        aio_wait_kick();
    }
}

static void run(const ScenarioArgs *args)
{
    Racer racers[LANES];
    int64_t overlaps = 0;

    qatomic_set(&running, LANES);
    for (int i = 0; i < LANES; i++) {
        g_autofree char *name = g_strdup_printf("racer%d", i);

        racers[i] = (Racer){.name = i + 1,
                            .left = scenario_param_int(args, "rounds")};
        racers[i].iothread = iothread_create(name, &error_fatal);
        racers[i].ctx = iothread_get_aio_context(racers[i].iothread);
    }
    for (int i = 0; i < LANES; i++) {
        aio_bh_schedule_oneshot(racers[i].ctx, race, &racers[i]);
    }
    AIO_WAIT_WHILE_UNLOCKED(NULL, qatomic_read(&running) > 0);
    for (int i = 0; i < LANES; i++) {
        iothread_stop(racers[i].iothread);
        iothread_destroy(racers[i].iothread);
        overlaps += racers[i].overlaps;
    }
    scenario_result("overlaps", overlaps);
}

SCENARIO(racy_word) = {
    .name = "racy-word",
    .summary = "two threads share a word that nobody declared",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "40", "bottom halves of each thread"}, {NULL}},
    .run = run,
};
