/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of the processes in a trace of system calls, and what they are
 * of: several may be of one open file, which has one position.
 */
#ifndef TRACES_OPEN_FILES_H
#define TRACES_OPEN_FILES_H

#include "scan.h"

typedef struct OpenFile {
    unsigned users;
    uint64_t position;
    bool append, known; /* known: the position is not guessed */
    bool other; /* a socket, a pipe, or the like */
    bool named; /* else the path is made up */
    char *path;
} OpenFile;

typedef struct OpenFiles OpenFiles;

OpenFiles *open_files_new(void);
void open_files_free(OpenFiles *files);
/*
 * What @fd of thread @tid is of; made if its opening was not seen, or @path, if
 * it is not empty, says that it is of another file by now.  A file whose opening
 * did not tell its name gets it from @path.
 */
OpenFile *open_files_get(OpenFiles *files, int64_t tid, int64_t fd, Word path);
/* The same, or NULL if it is not known. */
OpenFile *open_files_find(OpenFiles *files, int64_t tid, int64_t fd);
/* A file that was just opened; @path may be empty. */
OpenFile *open_files_open(OpenFiles *files, int64_t tid, int64_t fd, Word path);
/* @to is of what @from is of, if that is known. */
void open_files_dup(OpenFiles *files, int64_t tid, int64_t from, int64_t to);
void open_files_close(OpenFiles *files, int64_t tid, int64_t fd);
/* @child has the descriptors of @parent, or copies of them. */
void open_files_fork(OpenFiles *files, int64_t parent, int64_t child,
                     bool shared);

#endif
