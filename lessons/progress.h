/* SPDX-License-Identifier: MIT */
/*
 * What the learner has done: one line a lesson, "id state date", in
 * $XDG_DATA_HOME/aiolab/progress.  Lines of other versions are kept.
 */
#ifndef LESSONS_PROGRESS_H
#define LESSONS_PROGRESS_H

#include "qapi/error.h"

/* "new", "started" or "done"; freed by the caller. */
char *progress_get(const char *id);
/* False and *errp if the file cannot be written. */
bool progress_set(const char *id, const char *state, Error **errp);

#endif
