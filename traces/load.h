/* SPDX-License-Identifier: MIT */
/* Importing: files of captured traces into a log that was just created. */
#ifndef TRACES_LOAD_H
#define TRACES_LOAD_H

#include "format.h"

typedef struct LoadOptions {
    const TraceFormat *format; /* NULL: detected, file by file */
    TraceAt at;
    bool at_given;
    unsigned n_set; /* files of one blktrace set, some of which may be empty */
    const char *columns; /* for the format "columns" */
    /* The import ends, and its log is not one, when this is set; or NULL. */
    const volatile int *stop;
    /* Called now and then; @of is 0 if the size is not known.  May be NULL. */
    void (*progress)(uint64_t bytes, uint64_t of, uint64_t records);
} LoadOptions;

typedef struct LoadedFile {
    char *path;
    const TraceFormat *format;
    char *why;               /* how that was told */
    const char *compression; /* or NULL */
    TraceAccount account;    /* binary files are read together: the first's */
} LoadedFile;

typedef struct Loaded {
    GArray *files;        /* of LoadedFile */
    TraceAccount account; /* of all */
    uint64_t ops[TRACE_OP_MAX]; /* records, by operation */
    uint64_t preflush_writes;
    uint64_t largest_end;       /* the byte behind the furthest range */
    TraceAt at;
    GPtrArray *notes;     /* of char * */
} Loaded;

/*
 * Reads all files and ends the trace in @log, which stays open.  False and
 * *errp if one cannot be read, or its format is not known; errors of writing
 * are the log's.  @loaded is filled in either way; free it by loaded_clear().
 */
bool trace_load(Log *log, char *const *paths, unsigned n,
                const LoadOptions *options, Loaded *loaded, Error **errp);
void loaded_clear(Loaded *loaded);
/* How many records there are. */
uint64_t loaded_records(const Loaded *loaded);

#endif
