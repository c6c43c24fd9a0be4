/* SPDX-License-Identifier: MIT */
/* The scenarios that come with aiolab. */
#ifndef LESSONS_BUILTIN_H
#define LESSONS_BUILTIN_H

#include "aiolab/scenario.h"

/* Sorted by name; ends with NULL. */
extern const Scenario *const builtin_scenarios[];

/* One of these, or of the deadlock library (library.h). */
const Scenario *builtin_scenario_find(const char *name);

#endif
