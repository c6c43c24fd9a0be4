/* SPDX-License-Identifier: MIT */
/* One run of a scenario, on either host, recorded or not. */
#ifndef REPLAY_RUN_H
#define REPLAY_RUN_H

#include "live/live.h"
#include "recorder.h"
#include "scenario.h"
#include "sim.h"

/* How long commands wait for detached threads. */
#define RUN_DETACHED_NS NANOSECONDS_PER_SECOND

typedef struct RunConfig {
    bool live;
    LiveMonitorKind monitor; /* live */
    SimConfig sim;           /* simulated */
    Log *log;                /* NULL: not recorded */
    BlackBox *box;           /* recorded: the parent's, or NULL */
    DataPolicy policy;
    CaptureKind capture;     /* recorded */
    int64_t flight;          /* recorded: keep so many inputs; 0: all */
    int64_t detached_ns;     /* live: how long to wait, when the main thread
                                has ended, for detached ones; 0: for ever */
    /* recorded: puts what the scenario needs into the log; or NULL */
    bool (*prepare)(Log *log, void *opaque, Error **errp);
    void *prepare_opaque;
    ProbeSink *sink;         /* simulated and not recorded; or NULL */
    void *sink_opaque;
} RunConfig;

typedef struct RunResult {
    SimResult sim;      /* of a live run: SIM_DONE */
    ScenarioOutcome scenario;
    bool io_uring;      /* live: what carried the I/O */
    bool left_detached; /* live: some still run, on this host, which goes into
                           what is left of the log: end the process */
} RunResult;

/* In a process that nothing else needs.  False and *errp: it did not begin. */
bool run_scenario(const ScenarioSpec *spec, const RunConfig *config,
                  RunResult *result, Error **errp);

/* SIM_EXITED, as the log's meta "exit" says it. */
char *run_exit_text(const SimResult *result);

/* What to run again, from a log's meta table. */
ScenarioSpec *run_spec_from_log(Log *log, Error **errp);

/*
 * Finds a scenario by name: "name", "name/variant", or a user's "file.c" or
 * "file.so" (with "/variant" behind it, if it has any).  The registry of
 * built-in ones is set by whoever knows them.
 */
typedef const Scenario *ScenarioLookup(const char *name);
extern ScenarioLookup *run_lookup;
ScenarioSpec *run_spec_from_name(const char *name, Error **errp);
/* More flags to compile a user's file with; NULL, or ends with NULL. */
extern const char *const *run_compiler_flags;
/* The digest of a user's file, as text; "" if it cannot be read. */
char *run_source_digest(const char *path);

#endif
