/* SPDX-License-Identifier: MIT */
/* Calls of the built program, whose path is in the environment: AIOLAB. */
#ifndef TESTS_PROGRAM_H
#define TESTS_PROGRAM_H

#include "child.h"

/* Runs it with these arguments, up to a NULL. */
ChildResult aiolab(const char *arg, ...) G_GNUC_NULL_TERMINATED;
/* As that, with a limit of @seconds of processor time; 0: none. */
ChildResult aiolab_limited(unsigned seconds, const char *arg, ...)
    G_GNUC_NULL_TERMINATED;

/* A file of @size bytes that are not all zero. */
char *new_image(const char *dir, size_t size);
/* Fails unless the log replays identically. */
void expect_identical(const char *log, const char *what);

#endif
