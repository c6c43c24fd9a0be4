/* SPDX-License-Identifier: MIT */
/* When a failing run was lost, and what decided it. */
#ifndef EXPLORE_NO_RETURN_H
#define EXPLORE_NO_RETURN_H

#include "finding.h"
#include "observe.h"

/*
 * Fills in the finding's chances, its point of no return, and why.  @schedule
 * is the reduced one, @o its run, @signature what it must end with.
 */
void explain_no_return(Finding *finding, Runner *runner, const Observation *o);

#endif
