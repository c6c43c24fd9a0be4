/* SPDX-License-Identifier: MIT */
/* The inside of Syscalls, for the files syscalls*.c and call-text.c. */
#ifndef TRACES_SYSCALLS_INTERNAL_H
#define TRACES_SYSCALLS_INTERNAL_H

#include "open-files.h"
#include "syscalls.h"

struct Syscalls {
    TraceImport *import;
    OpenFiles *files;
};

/* ---- call-text.c ---- */

/* "4" or "4</srv/a.raw>" */
bool call_fd(Word arg, int64_t *fd, Word *path);
/* Argument @arg, which may be behind a pointer; false if there is none (-1). */
bool call_number(const Call *call, int arg, int64_t *value);
bool call_has_text(const Call *call, int arg, const char *text);
/* Where the kernel says that a descriptor is: no socket, pipe or terminal. */
bool call_path_is_file(Word path);

/* ---- syscalls.c ---- */

/* With times, process and device; what and where is yet to be set. */
void syscalls_record(Syscalls *s, const Call *call, const char *path,
                     TraceRecord *record);

/*
 * The file that argument @arg is a descriptor of.  NULL, and why the call is
 * skipped or rejected, if it is of something else.
 */
OpenFile *syscalls_file(Syscalls *s, const Call *call, int arg,
                        TraceReason *reason);

/* ---- syscalls-submit.c ---- */

/* One line, and as many requests as it submits. */
TraceReason syscalls_submit(Syscalls *s, const Call *call);

/* ---- syscalls-files.c ---- */

TraceReason syscalls_open(Syscalls *s, const Call *call);
TraceReason syscalls_dup(Syscalls *s, const Call *call);
TraceReason syscalls_seek(Syscalls *s, const Call *call);
TraceReason syscalls_close(Syscalls *s, const Call *call);
TraceReason syscalls_fork(Syscalls *s, const Call *call);
/* Descriptors of what is no file: the result, or "[3, 4]" in argument @arg. */
TraceReason syscalls_open_other(Syscalls *s, const Call *call);
TraceReason syscalls_open_pair(Syscalls *s, const Call *call, int arg);

#endif
