/* SPDX-License-Identifier: MIT */
/*
 * System calls to requests, for the formats that list them: which moved data of
 * a file, where, and what the file was.
 *
 * read(), write() and lseek() need the position of the file, so descriptors are
 * tracked: opened, duplicated, inherited and closed.  The size is what a call
 * returned, not what was asked for.
 */
#ifndef TRACES_SYSCALLS_H
#define TRACES_SYSCALLS_H

#include "import.h"

enum { CALL_ARGS = 8 };

typedef struct Call {
    Word name, comm;
    Word args[CALL_ARGS]; /* as text, in the order of the call */
    unsigned n_args;
    int64_t tid;
    int64_t start_ns, took_ns; /* took_ns TRACE_NO_TIME: not known */
    int64_t result;
    bool has_result, failed;
    bool time_synth; /* there were no times */
    Word result_path; /* "4</etc/passwd>": what the descriptor is, or empty */
    uint64_t place;   /* of its first line */
} Call;

typedef struct Syscalls Syscalls;

Syscalls *syscalls_new(TraceImport *import);
void syscalls_free(Syscalls *syscalls);
/* Accounts for the line that the call ends in. */
void syscalls_take(Syscalls *syscalls, const Call *call);

/* "4096", "-1", or "0x1000" of a pointer or of strace -e raw=all. */
bool syscalls_number(Scan *scan, int64_t *value);

/* The last " = " in the line whose = is before @before, or NULL. */
const char *syscalls_last_equals(Scan line, const char *before);

/*
 * Splits "4, "a, b"..., 4096, 0" at commas outside of strings and brackets;
 * returns how many, at most CALL_ARGS.
 */
unsigned syscalls_split(Scan scan, Word *args);

#endif
