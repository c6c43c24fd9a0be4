/* SPDX-License-Identifier: MIT */
/*
 * A scenario: a small program for the event loop, which can be run live,
 * simulated, recorded, replayed and explored without a change.
 *
 * Write one file:
 *
 *   #include "aiolab/scenario.h"
 *
 *   static void run(const ScenarioArgs *args)
 *   {
 *       int64_t n = scenario_param_int(args, "n");
 *       ... qemu_get_aio_context() is polled by this thread ...
 *       SCENARIO_CHECK(done == n, "only %d of %d are done", done, n);
 *   }
 *
 *   SCENARIO(my_scenario) = {
 *       .name = "my-scenario",
 *       .summary = "what it shows, in one sentence",
 *       .params = (const ScenarioParam[]){{"n", "3", "how many"}, {NULL}},
 *       .run = run,
 *   };
 *
 * and run it with "aiolab run my-scenario.c -p n=5".
 */
#ifndef AIOLAB_SCENARIO_H
#define AIOLAB_SCENARIO_H

#include "aiolab/assert.h"
#include "aiolab/probe.h"
#include "block/block.h"
#include "qapi/error.h"
#include "qemu/aio-wait.h"
#include "qemu/aio.h"
#include "qemu/coroutine.h"
#include "qemu/main-loop.h"
#include "system/block-backend.h"
#include "system/iothread.h"
#include "system/replay.h"

typedef struct ScenarioArgs ScenarioArgs;

typedef struct ScenarioParam {
    const char *name;
    const char *value; /* the default */
    const char *help;
} ScenarioParam;

typedef struct ScenarioVariant {
    const char *name;
    const char *help;
} ScenarioVariant;

typedef struct Scenario {
    const char *name;
    const char *summary;
    const char *shows;               /* what to look at, or NULL */
    const ScenarioVariant *variants; /* the first is the default; or NULL */
    const ScenarioParam *params;     /* or NULL */
    const char *host;                /* where it is run if nobody says:
                                        "live" or "sim" (NULL) */
    const char *own_log;             /* a parameter that names a log: once
                                        recorded, it is the recording itself,
                                        if that holds a trace; or NULL */
    /* In the main thread, whose context exists and is its own. */
    void (*run)(const ScenarioArgs *args);
} Scenario;

#ifdef AIOLAB_BUILTIN
#define SCENARIO(ident) const Scenario scenario_##ident
#else
#define SCENARIO(ident)                                             \
    extern const Scenario scenario_##ident;                         \
    const Scenario *const aiolab_user_scenario = &scenario_##ident; \
    const Scenario scenario_##ident
#endif

/* The value given with -p, else the default. */
const char *scenario_param(const ScenarioArgs *args, const char *name);
/* As a number; suffixes k, M, G mean powers of 1024. */
int64_t scenario_param_int(const ScenarioArgs *args, const char *name);
bool scenario_is_variant(const ScenarioArgs *args, const char *name);

/*
 * A result that reports and logs show, such as the number of requests; a
 * replay must come to the same.  This and the next three: any thread.
 */
void scenario_result(const char *name, int64_t value);
/*
 * A line in the log, at this event.  It is compared when the run is replayed, so
 * it must not say what differs there: an address, a process's number.
 */
void scenario_note(const char *fmt, ...) G_GNUC_PRINTF_(1, 2);

/*
 * The run cannot begin, because of what the user gave: says so (exit status 3)
 * instead of a result.  The first call counts; return from run() after it.
 */
void scenario_bad_input(const char *fmt, ...) G_GNUC_PRINTF_(1, 2);

/* Fails the run with a sentence, and goes on. */
#define SCENARIO_CHECK(cond, ...)                                     \
    do {                                                              \
        if (!(cond)) {                                                \
            static const ProbeSite site_ = {__FILE__, __LINE__,       \
                                            __func__};                \
            scenario_check_failed(&site_, #cond, __VA_ARGS__);        \
        }                                                             \
    } while (0)
void scenario_check_failed(const ProbeSite *site, const char *condition,
                           const char *fmt, ...) G_GNUC_PRINTF_(3, 4);

#endif
