/* SPDX-License-Identifier: MIT */
/* Traces of the tests' own, plays of them, and questions to their logs. */
#ifndef TESTS_PLAY_UTIL_H
#define TESTS_PLAY_UTIL_H

#include "program.h"

/* A directory of this test's, for all files below; set by play_begin(). */
extern char *play_dir;
void play_begin(void);
void play_end(void);
/* PLAY_DIR/@name; kept until the end. */
const char *play_file(const char *name);

/*
 * A log with @n reads and writes of 4 KiB in the first @mib MiB, @gap_us apart,
 * each of which took @took_us; the same each time.
 */
const char *play_trace(const char *name, unsigned n, unsigned gap_us,
                       unsigned took_us, unsigned mib);
/* A log of fio's lines "TIME_US file OP OFFSET BYTES". */
const char *play_trace_of(const char *name, const char *lines);

/* "aiolab play ARGS", which must end with @status; its output. */
char *play(int status, const char *arg, ...) G_GNUC_NULL_TERMINATED;
/* What it complained of, which must be @status. */
char *play_error(int status, const char *arg, ...) G_GNUC_NULL_TERMINATED;
/* One value out of a log. */
int64_t play_sql(const char *log, const char *sql);
/* The hash that a play has printed, which is part of @out. */
const char *play_hash_line(const char *out);

#endif
