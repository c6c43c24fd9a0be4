/* SPDX-License-Identifier: MIT */
/* A recording as a schedule, and the schedules near it. */
#ifndef CLI_EXPLORE_LOG_H
#define CLI_EXPLORE_LOG_H

#include "cli.h"

/* Prints how far the recording can be followed, and the run by its schedule. */
int explore_recording(const char *recording, bool force,
                      const CommonOptions *common);

#endif
