/* SPDX-License-Identifier: MIT */
/* The log that a play takes its trace from. */
#ifndef CLI_PLAY_TRACE_H
#define CLI_PLAY_TRACE_H

#include "cli.h"

/*
 * @path, if it is a log; else a log that is made of it (@format NULL: detected),
 * whose name is in *temporary, too: the caller removes and frees it.  NULL after
 * having printed the error, with *status set.
 */
const char *play_trace_log(const char *path, const char *format,
                           const CommonOptions *common, char **temporary,
                           int *status);

#endif
