/* SPDX-License-Identifier: MIT */
/* A captured trace by its name: a log of one, or a file of some format. */
#ifndef CLI_OPEN_TRACE_H
#define CLI_OPEN_TRACE_H

#include "cli.h"
#include "load.h"

/*
 * A log is opened; anything else is imported into one that is gone when it is
 * closed.  NULL after having printed the error, with *status set.
 */
Log *open_trace_by_name(const char *name, const LoadOptions *options,
                        const CommonOptions *common, int *status);

#endif
