/* SPDX-License-Identifier: MIT */
/*
 * Formats of captured traces: a row of the table in formats.c each.
 *
 * A text format is given line after line; a binary one reads its files itself,
 * because what they hold may have to be merged.  Both tell the import what
 * became of each line or record (import.h).
 */
#ifndef TRACES_FORMAT_H
#define TRACES_FORMAT_H

#include "import.h"
#include "record.h"
#include "source.h"

typedef struct TraceSample {
    const char *text, *end; /* the first bytes of the file */
    bool whole;             /* there are no more */
} TraceSample;

typedef struct TraceFormat {
    const char *name, *title;
    TraceClock clock;
    /*
     * Whether the first bytes can be of no other format; *why says what was
     * seen.  NULL: what tells is how many lines can be read.
     */
    bool (*recognise)(const TraceSample *sample, const char **why);
    bool by_lines; /* by its lines, too, if not by its first bytes */
    unsigned enough; /* per cent of them that tell; 0: as of most formats */
    /* State of one file; freed by end().  @argument: the row's own. */
    void *(*begin)(TraceImport *import, const void *argument);
    const void *argument;
    void (*line)(TraceImport *import, void *state, const TraceLine *line);
    /* The file is over; nothing is stored if it was only tried. */
    void (*end)(TraceImport *import, void *state);
    /* Binary: all files at once; false and *errp if one cannot be read. */
    bool (*read)(TraceImport *import, TraceSource **sources, unsigned n,
                 Error **errp);
} TraceFormat;

extern const TraceFormat *const trace_formats[];
extern const unsigned trace_formats_count;

/* NULL if there is none called so. */
const TraceFormat *trace_format_find(const char *name);

/* ---- detect.c ---- */

/*
 * What the sample is of; *why says how that was told, for g_free.  NULL and
 * *errp, with the --format options that could be meant, if it is not sure.
 */
const TraceFormat *trace_format_detect(const TraceSample *sample,
                                       const char *path, char **why,
                                       Error **errp);

#endif
