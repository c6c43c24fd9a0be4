/* SPDX-License-Identifier: MIT */
/*
 * How fast a text format is parsed: "parse FORMAT FILE" reads it again and again
 * for a second or more, and stores nothing.  Prints lines, records, and seconds
 * of processor time of the pass that other work has disturbed least.
 */
#include "one-input.h"

#include <stdio.h>
#include <time.h>

enum { AT_LEAST_NS = 1000000000 };

static int64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static uint64_t count_lines(const char *path)
{
    TraceSource *source = trace_source_open(path, TRACE_BUFFER_BYTES, NULL);
    uint64_t lines = 0;
    TraceLine line;

    while (source && trace_source_line(source, &line)) {
        lines++;
    }
    trace_source_close(source);
    return lines;
}

static void measure(const TraceFormat *format, const char *path)
{
    uint64_t records = 0;
    int64_t least = INT64_MAX, begin = cpu_ns(), before, now = begin;

    do {
        TraceSource *source = trace_source_open(path, TRACE_BUFFER_BYTES,
                                                NULL);

        before = now;
        records = source ? one_source(format, source) : 0;
        now = cpu_ns();
        least = MIN(least, now - before);
    } while (now - begin < AT_LEAST_NS);
    printf("%" PRIu64 " %" PRIu64 " %.4f\n", count_lines(path), records,
           least / 1e9);
}

int main(int argc, char **argv)
{
    const TraceFormat *format = argc == 3 ? trace_format_find(argv[1]) : NULL;

    if (!format) {
        fprintf(stderr, "usage: parse FORMAT FILE\n");
        return 2;
    }
    measure(format, argv[2]);
    return 0;
}
