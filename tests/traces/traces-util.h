/* SPDX-License-Identifier: MIT */
/* What the tests of captured traces share. */
#ifndef TESTS_TRACES_UTIL_H
#define TESTS_TRACES_UTIL_H

#include "program.h"

/* Of a file in tests/traces/samples; freed by the caller. */
char *sample_path(const char *name);
/* Fails unless @text is in @out, and says what that was. */
void expect_text(const char *what, const char *out, const char *text);
/*
 * Imports @len bytes (or a string, if -1) from a file in @dir, by @format or
 * detected (NULL), and returns the records as our CSV has them, without its
 * header.  Fails unless the import ends with @status.
 */
char *import_bytes(const char *dir, const char *bytes, gssize len,
                   const char *format, int status);
/* The CSV of a log that is there. */
char *export_csv(const char *dir, const char *log);

#endif
