/* SPDX-License-Identifier: MIT */
/*
 * What units have found, in one SQLite file: tables unit and finding.  Files
 * of many units are merged into one; equal signatures become one finding, with
 * the shortest schedule.
 */
#ifndef EXPLORE_FINDINGS_FILE_H
#define EXPLORE_FINDINGS_FILE_H

#include "search.h"

typedef struct FindingsFile FindingsFile;

/*
 * Refuses an existing file unless @force. It appears when it is closed.
 * @song: of this process's canary (canary.h); the file carries it.
 */
FindingsFile *findings_file_create(const char *path, bool force,
                                   const char *song, Error **errp);
/* @findings: of Finding. */
bool findings_file_add(FindingsFile *file, const char *unit,
                       const SearchStats *stats, const GPtrArray *findings,
                       Error **errp);
/*
 * Adds all that is in the file @path, or nothing: it refuses one that is not
 * whole, whose canary sang another song, or that has a unit which is there.
 */
bool findings_file_merge(FindingsFile *file, const char *path, Error **errp);
/* Frees it in either case. */
bool findings_file_close(FindingsFile *file, Error **errp);

typedef struct FindingsSummary {
    uint64_t units, schedules, steps, failing;
    GPtrArray *findings; /* of Finding, by signature */
} FindingsSummary;

bool findings_file_summary(FindingsFile *file, FindingsSummary *summary,
                           Error **errp);
void findings_summary_finish(FindingsSummary *summary);

#endif
