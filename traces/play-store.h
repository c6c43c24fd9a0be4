/* SPDX-License-Identifier: MIT */
/* A play in its log: the trace that was played, and what became of it. */
#ifndef TRACES_PLAY_STORE_H
#define TRACES_PLAY_STORE_H

#include "log.h"
#include "play-plan.h"

/*
 * Copies the trace of the log at @from into @log, which was just created, so
 * that it needs no other file.  False and *errp if @from cannot be read.
 */
bool play_copy_trace(Log *log, const char *from, Error **errp);
/* Writes play_request and its views; errors are the log's. */
bool play_store(Log *log, const PlayPlan *plan, const PlayConfig *config,
                Error **errp);

/* ---- Reading ---- */

typedef struct PlayedRequest {
    uint64_t seq;
    uint32_t record, loop;
    int64_t planned_ns, issued_ns, completed_ns, captured_ns;
    int32_t result;
    bool done;
    char op[16];
} PlayedRequest;

typedef struct PlayedReader PlayedReader;

/* In the order of loops and records.  NULL and *errp if there is no play. */
PlayedReader *played_reader_new(Log *log, Error **errp);
bool played_reader_next(PlayedReader *reader, PlayedRequest *request);
void played_reader_free(PlayedReader *reader);

#endif
