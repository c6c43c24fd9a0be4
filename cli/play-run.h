/* SPDX-License-Identifier: MIT */
/* One play: from its parameters to what it measured. */
#ifndef CLI_PLAY_RUN_H
#define CLI_PLAY_RUN_H

#include "cli.h"
#include "play-stats.h"
#include "scenario-options.h"

typedef struct PlayJob {
    ScenarioSpec *spec;   /* of the scenario "play" */
    ScenarioOptions options; /* what recording looks at */
    RunConfig run;
    PlayConfig config;    /* parsed from the spec, which owns its strings */
    PlayPlan *plan;
    bool allow_write;     /* said so, or nothing real is written to */
    CommonOptions *common;
    double cpu_s;         /* unrecorded: of the process that played; or 0 */
} PlayJob;

/*
 * Parses the spec's parameters and loads the plan.  A status after having
 * printed the error, or STATUS_OK.
 */
int play_job_load(PlayJob *job);
/* Plays it, in a process of its own; the plan has the results then. */
int play_job_run(PlayJob *job);
/* The same, recorded into @path. */
int play_job_record(PlayJob *job, const char *path);
/* Frees plan and configuration; the job can be loaded again. */
void play_job_unload(PlayJob *job);

/* play-print.c */
void play_print(const PlayJob *job, const PlayStats *stats);
void play_print_json(const PlayJob *job, const PlayStats *stats);
/* The slowest requests and why, if the log's events tell. */
void play_print_slowest(const CommonOptions *common, const char *path);

/* play-grid.c: @sets has "name=value,value,..." each. */
int play_grid(PlayJob *job, char *const *sets);

#endif
