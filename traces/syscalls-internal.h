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
/* Not a terminal, socket, or standard stream. */
bool call_is_file(Word path, int64_t fd);

/* ---- syscalls.c ---- */

/* With times, process and device; what and where is yet to be set. */
void syscalls_record(Syscalls *s, const Call *call, const char *path,
                     TraceRecord *record);

/* ---- syscalls-submit.c ---- */

/* One line, and as many requests as it submits. */
TraceReason syscalls_submit(Syscalls *s, const Call *call);

/* ---- syscalls-files.c ---- */

TraceReason syscalls_open(Syscalls *s, const Call *call);
TraceReason syscalls_dup(Syscalls *s, const Call *call);
TraceReason syscalls_seek(Syscalls *s, const Call *call);
TraceReason syscalls_close(Syscalls *s, const Call *call);
TraceReason syscalls_fork(Syscalls *s, const Call *call);

#endif
