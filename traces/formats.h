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

TEXT_FORMAT(csv);
bool csv_recognise(const TraceSample *sample, const char **why);
TEXT_FORMAT(fio);
bool fio2_recognise(const TraceSample *sample, const char **why);
bool fio3_recognise(const TraceSample *sample, const char **why);

/* A table with a row for each request; the argument of table_begin(). */
typedef struct TableFormat {
    const char *spec;     /* of its columns: table-spec.h */
    char separator;
    unsigned least, most; /* so many columns a line has */
    char joint;           /* between the parts of a device's name */
    const char *header;   /* what its title begins with, or NULL */
    bool prose_before;    /* anything may stand before the title */
    bool given;           /* spec and separator are the user's */
    uint16_t quality;     /* of all records */
} TableFormat;

bool blktrace_recognise(const TraceSample *sample, const char **why);
bool blktrace_read(TraceImport *import, TraceSource **sources, unsigned n,
                   Error **errp);

bool vscsi_recognise(const TraceSample *sample, const char **why);
bool vscsi_read(TraceImport *import, TraceSource **sources, unsigned n,
                Error **errp);

TEXT_FORMAT(qemu_log);
bool simpletrace_recognise(const TraceSample *sample, const char **why);
bool simpletrace_read(TraceImport *import, TraceSource **sources, unsigned n,
                      Error **errp);

TEXT_FORMAT(biosnoop);
bool biosnoop_recognise(const TraceSample *sample, const char **why);
TEXT_FORMAT(strace);
TEXT_FORMAT(perf_trace);
TEXT_FORMAT(blkparse);
TEXT_FORMAT(kernel);
TEXT_FORMAT(table);
extern const TableFormat table_msr, table_systor, table_alibaba, table_tencent,
    table_spc, table_fiu, table_mqsim, table_disksim, table_blkreplay,
    table_fio1, table_columns;
bool blkreplay_recognise(const TraceSample *sample, const char **why);

#endif
