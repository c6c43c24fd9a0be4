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
    const char *name;     /* of the trace, as the user has it */
    GPtrArray *settings;  /* of a grid: "name=value"; or NULL */
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
/* Only whether the parameters make sense. */
bool play_job_check(PlayJob *job, Error **errp);
/* Plays it, in a process of its own; the plan has the results then. */
int play_job_run(PlayJob *job);
/* The same, recorded into @path. */
int play_job_record(PlayJob *job, const char *path);
/* Frees plan and configuration; the job can be loaded again. */
void play_job_unload(PlayJob *job);

/*
 * play-image.c: false, and said why, if requests cannot go to that file as it
 * is: no file, or one of a format that has a guest's disk inside.
 */
bool play_image_check(const char *path);

/* play-print.c */
void play_print(const PlayJob *job, const PlayStats *stats);
void play_print_json(const PlayJob *job, const PlayStats *stats);
/* The slowest requests and why, if the log's events tell. */
void play_print_slowest(const CommonOptions *common, const char *path);

/* play-grid.c: @sets has "name=value,value,..." each. */
int play_grid(PlayJob *job, char *const *sets);
/* The first value that a set has for @name, for g_free; or NULL. */
char *play_grid_first(char *const *sets, const char *name);

#endif
