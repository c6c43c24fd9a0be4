/* SPDX-License-Identifier: MIT */
/* Bytes from a stranger, read by one format: fuzzers and tests share it. */
#ifndef TESTS_ONE_INPUT_H
#define TESTS_ONE_INPUT_H

#include "format.h"

/*
 * Reads all of it, and aborts if the accounts are not those of what was read.
 * Returns how many records were made.
 */
uint64_t one_input(const TraceFormat *format, const void *bytes, size_t len);
/* The same of a source, which it closes. */
uint64_t one_source(const TraceFormat *format, TraceSource *source);

#endif
