/* SPDX-License-Identifier: MIT */
/* What the files format-*.c give to the table in formats.c. */
#ifndef TRACES_FORMATS_H
#define TRACES_FORMATS_H

#include "format.h"

/* The functions of a text format that is told by its lines. */
#define TEXT_FORMAT(prefix)                                              \
    void *prefix##_begin(TraceImport *import, const void *argument);     \
    void prefix##_line(TraceImport *import, void *state,                 \
                       const TraceLine *line);                           \
    void prefix##_end(TraceImport *import, void *state)

TEXT_FORMAT(fio);
bool fio2_recognise(const TraceSample *sample, const char **why);
bool fio3_recognise(const TraceSample *sample, const char **why);

#endif
