/* SPDX-License-Identifier: MIT */
/*
 * How a trace is played: what the command line asks for, which is also what a
 * recorded play's log says.  Each is a parameter of the scenario "play".
 */
#ifndef TRACES_PLAY_CONFIG_H
#define TRACES_PLAY_CONFIG_H

#include "aiolab/scenario.h"
#include "record.h"

/* X(name, default, help); lists have an entry a line. */
#define PLAY_PARAMS(X)                                                         \
    X("trace", "", "the log that holds the trace")                             \
    X("map", "", "DEVICE=FILE for each device, *=FILE for all others")         \
    X("device", "", "null, ssd, hdd or a latency table, instead of files")     \
    X("driver", "", "of devices: file, null-co or null-aio")                   \
    X("aio", "io_uring", "io_uring, native (with direct=1) or threads")        \
    X("direct", "0", "1: O_DIRECT")                                            \
    X("write", "0", "1: files may be written to")                              \
    X("iothreads", "0", "so many IOThreads; 0: the main thread")               \
    X("poll-max-ns", "-1", "adaptive polling; -1: as it is by default")        \
    X("aio-max-batch", "-1", "requests submitted together; -1: the default")   \
    X("timing", "captured",                                                    \
      "captured, asap, closed-loop, dependencies or match-depth")              \
    X("speed", "1", "times are divided by it")                                 \
    X("lag", "catch-up", "what is late: catch-up, slip or drop")               \
    X("max-lag", "10ms", "lag=drop: what is later than that is left out")      \
    X("depth", "0", "requests in flight at most; 0: 32 (asap) or 4096")        \
    X("epsilon", "100us", "dependencies: a request depends on what ended so "  \
      "shortly before it")                                                     \
    X("waiter", "auto", "sleep, hybrid, spin, or what fits")                   \
    X("window", "", "A..B: from time A of the trace to time B")                \
    X("loops", "1", "how often it is played")                                  \
    X("where", "", "an SQL condition on the records")                          \
    X("fold", "", "offsets behind the target's end: wrap, scale or skip")      \
    X("verify", "0", "1: write patterns, and check what is read")              \
    X("seed", "1", "of the patterns")                                          \
    X("drain", "", "AT or AT+HOLD: the devices are drained then")              \
    X("fault", "", "AT:ERROR[:OP[:COUNT]]: the next requests fail")

typedef enum PlayTiming {
    PLAY_CAPTURED,     /* at their times */
    PLAY_ASAP,         /* so many in flight, whatever the times */
    PLAY_CLOSED_LOOP,  /* as long after the process's last completion */
    PLAY_DEPENDENCIES, /* the same after what it seems to have waited for */
    PLAY_MATCH_DEPTH,  /* as many in flight as there were then */
    PLAY_TIMINGS,
} PlayTiming;

typedef enum PlayLag { PLAY_CATCH_UP, PLAY_SLIP, PLAY_DROP } PlayLag;
typedef enum PlayFold {
    FOLD_NONE, FOLD_WRAP, FOLD_SCALE, FOLD_SKIP,
} PlayFold;
typedef enum PlayWaiter {
    WAITER_AUTO, WAITER_SLEEP, WAITER_HYBRID, WAITER_SPIN,
} PlayWaiter;

extern const char *const play_timing_names[PLAY_TIMINGS];

typedef struct PlayDrain {
    int64_t at_ns, hold_ns; /* of the trace's time, and of the play's */
} PlayDrain;

typedef struct PlayFault {
    int64_t at_ns;
    int error;   /* a positive errno */
    TraceOp op;  /* TRACE_OP_MAX: any */
    unsigned count;
} PlayFault;

typedef struct PlayConfig {
    const char *trace, *map, *device, *driver, *aio, *where; /* the caller's */
    bool direct, write, verify;
    unsigned iothreads, depth, loops;
    int64_t poll_max_ns, aio_max_batch;
    PlayTiming timing;
    PlayLag lag;
    PlayFold fold;
    PlayWaiter waiter;
    double speed;
    int64_t max_lag_ns, epsilon_ns;
    int64_t from_ns, to_ns; /* window; to_ns INT64_MAX: to the end */
    uint64_t seed;
    GArray *drains; /* of PlayDrain, by time */
    GArray *faults; /* of PlayFault, by time */
} PlayConfig;

/* The value of a parameter; valid as long as the configuration is. */
typedef const char *PlayGet(const void *opaque, const char *name);

/*
 * False and *errp if one makes no sense.  Free it by play_config_clear() in
 * either case.
 */
bool play_config_parse(PlayConfig *config, PlayGet *get, const void *opaque,
                       Error **errp);
void play_config_clear(PlayConfig *config);
extern const ScenarioParam play_params[];

#endif
