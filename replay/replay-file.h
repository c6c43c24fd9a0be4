/* SPDX-License-Identifier: MIT */
/* What a replayed run reads: from the log, or from the image as it was. */
#ifndef REPLAY_REPLAY_FILE_H
#define REPLAY_REPLAY_FILE_H

#include "log.h"
#include "pending.h"

typedef struct ReplayFiles ReplayFiles;

ReplayFiles *replay_files_new(Log *log, const Input *inputs, size_t n);
void replay_files_free(ReplayFiles *files);

/* The file with this ordinal is @path. */
void replay_files_open(ReplayFiles *files, unsigned ordinal, const char *path);
/*
 * Fills a read that completed with @len bytes, whose hash was @hash: the name
 * of a content of the log's if @named, else input_hash() of it.  The file is
 * @ordinal.  False and *errp if that content cannot be had.
 */
bool replay_files_read(ReplayFiles *files, unsigned ordinal,
                       const Pending *read, size_t len, uint64_t hash, bool named,
                       Error **errp);
/* Remembers a write that completed, for later reads. */
void replay_files_write(ReplayFiles *files, unsigned ordinal,
                        const Pending *write, size_t len);

#endif
