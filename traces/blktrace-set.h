/* SPDX-License-Identifier: MIT */
/* Per-CPU files of one blktrace: NAME.blktrace.0, .1 and so on. */
#ifndef TRACES_BLKTRACE_SET_H
#define TRACES_BLKTRACE_SET_H

#include "qemu/osdep.h"

/*
 * All files of the set that @path is one of, or NAME of, in the order of their
 * CPUs; or @path alone.  For g_strfreev.
 */
char **blktrace_set_files(const char *path);
/*
 * "1, 3-5": the CPUs below the highest that have no file among @paths; NULL if
 * none is missing, or they are not such a set.  For g_free.
 */
char *blktrace_set_missing(char *const *paths, unsigned n);

#endif
