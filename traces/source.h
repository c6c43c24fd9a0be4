/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a captured trace: a file, plain or compressed by gzip, zstd, xz
 * or what else libarchive knows, as lines or as bytes, through one buffer.
 */
#ifndef TRACES_SOURCE_H
#define TRACES_SOURCE_H

#include "qapi/error.h"

enum {
    TRACE_SAMPLE_BYTES = 65536,      /* what formats are detected from */
    TRACE_SET_BUFFER_BYTES = 68 * 1024, /* of a file that is one of several */
    TRACE_BUFFER_BYTES = 256 * 1024, /* of a file that is alone */
};

typedef struct TraceSource TraceSource;

/*
 * @path "-" is the standard input.  @buffer: how many bytes are kept at a time,
 * at least TRACE_SAMPLE_BYTES.  NULL and *errp on failure.
 */
TraceSource *trace_source_open(const char *path, size_t buffer, Error **errp);
/* The same of @len bytes, which are copied. */
TraceSource *trace_source_of_bytes(const void *bytes, size_t len);
void trace_source_close(TraceSource *source);
const char *trace_source_path(const TraceSource *source);
/* "gzip", or NULL for a plain file. */
const char *trace_source_compression(const TraceSource *source);
/* The first error while reading, such as damaged compressed data, or NULL. */
const char *trace_source_failure(const TraceSource *source);
/* False and *errp if there was one. */
bool trace_source_check(const TraceSource *source, Error **errp);
/* For those who show how far it is: of the file, as it is on the disk. */
uint64_t trace_source_size(const TraceSource *source);
uint64_t trace_source_done(const TraceSource *source);

/*
 * What comes next, without taking it: at least @want bytes, at most the buffer,
 * fewer only at the end.  Valid until the next call.
 */
const uint8_t *trace_source_peek(TraceSource *source, size_t want,
                                 size_t *available);
/* Takes @n bytes that were peeked at. */
void trace_source_skip(TraceSource *source, size_t n);
/* How many bytes were taken. */
uint64_t trace_source_offset(const TraceSource *source);

typedef struct TraceLine {
    const char *text, *end; /* without its newline, CR or not */
    uint64_t number;        /* from 1 */
    bool cut;               /* the file ends in it */
    bool too_long;          /* for the buffer: this is its beginning */
} TraceLine;

/* The next line, valid until the next call; false at the end. */
bool trace_source_line(TraceSource *source, TraceLine *line);

#endif
