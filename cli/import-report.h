/* SPDX-License-Identifier: MIT */
/* What aiolab import says about what it has done. */
#ifndef CLI_IMPORT_REPORT_H
#define CLI_IMPORT_REPORT_H

#include "cli.h"
#include "load.h"

/* What is looked up in the log before it is closed. */
typedef struct ImportSummary {
    int64_t span_ns, size;
    bool timed; /* the trace has times */
    GPtrArray *rejects; /* of char *: the first of them, with their places */
} ImportSummary;

ImportSummary import_summarise(Log *log);
void import_summary_clear(ImportSummary *summary);
/* @log NULL: none was kept. */
void import_print(const CommonOptions *common, const Loaded *loaded,
                  const char *log, const ImportSummary *summary);

/* On a terminal, how far it is. */
void import_progress_start(const CommonOptions *common, LoadOptions *options);
void import_progress_stop(void);

#endif
