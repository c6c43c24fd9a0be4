/* SPDX-License-Identifier: MIT */
/*
 * One test function, many hosts.
 *
 * A test is a scenario's run function.  The harness calls it on each host that
 * the program is asked for: live over io_uring, over epoll and over poll(),
 * simulated by the default policy and by random schedules, and replayed:
 * recorded on either host, then run again from the log, which compares every
 * digest.
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include "aiolab/scenario.h"
#include "child.h"

typedef enum TestFlags {
    TEST_THREADS = 1,   /* starts threads: more schedules */
    TEST_LIVE_ONLY = 2, /* needs descriptors of the kernel */
    TEST_SPINS = 4,     /* waits without sleeping: not for the default policy,
                           which never leaves a thread that can go on */
    TEST_TAKES_TIME = 8, /* of which there is plenty when simulated only */
} TestFlags;

typedef struct LoopTest {
    const char *name;
    void (*run)(const ScenarioArgs *args);
    TestFlags flags;
    unsigned seeds; /* random schedules when simulated; 0: the usual number */
} LoopTest;

/* "aborts": run on the epoll host must end by abort() with that message. */
typedef struct AbortTest {
    const char *name;
    void (*run)(const ScenarioArgs *args);
    const char *message;
} AbortTest;

/*
 * argv[1] is uring, epoll, poll, sim or replay.  Both tables end with a NULL
 * name; @aborts may be NULL.  Returns main()'s status: 77 means skipped.
 */
int harness_main(int argc, char **argv, const LoopTest *tests,
                 const AbortTest *aborts);

/* For tests that need files: the running test's own directory. */
const char *harness_dir(void);

/* Runs until nothing is ready. */
static inline void poll_until_idle(AioContext *ctx)
{
    while (aio_poll(ctx, false)) {
    }
}

/* Events in the order in which they happened, one letter each. */
typedef struct Trace {
    char text[64];
    unsigned n;
} Trace;

static inline void trace(Trace *t, char letter)
{
    CHECK(t->n + 1 < sizeof(t->text));
    t->text[t->n++] = letter;
    t->text[t->n] = '\0';
}

#endif
