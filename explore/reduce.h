/* SPDX-License-Identifier: MIT */
/* Reducing a failing schedule, with the failure kept the same. */
#ifndef EXPLORE_REDUCE_H
#define EXPLORE_REDUCE_H

#include "observe.h"

/* What has to stay. */
typedef struct Failure {
    Runner *runner;
    ScheduleEnd end;
    const char *signature;
    unsigned length; /* choices of the failing run */
    unsigned tests;  /* runs so far */
    ScheduleOracle *oracle;
} Failure;

/* True if @schedule still fails in that way. */
bool failure_shown_by(Failure *failure, const Schedule *schedule);
/* A schedule that does, with as few deviations as were found. */
Schedule *reduce(Failure *failure, const Schedule *schedule);

#endif
