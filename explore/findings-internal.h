/* SPDX-License-Identifier: MIT */
/* What the files that know the tables of findings share. */
#ifndef EXPLORE_FINDINGS_INTERNAL_H
#define EXPLORE_FINDINGS_INTERNAL_H

#include "findings-file.h"

#include <sqlite3.h>

struct FindingsFile {
    sqlite3 *db;
    char *path, *partial, *song;
};

/* Always false; *errp says what SQLite says. */
bool findings_failed(FindingsFile *file, Error **errp);
/* NULL is NULL there, too. */
void findings_bind_text(sqlite3_stmt *statement, int at, const char *text);
sqlite3_stmt *findings_prepare(FindingsFile *file, const char *sql);
/* False and *errp if it is there already. */
bool findings_add_unit(FindingsFile *file, const char *unit,
                       const SearchStats *stats, Error **errp);
/* @seen: how many schedules ended like it. */
bool findings_add_finding(FindingsFile *file, const char *unit,
                          const Finding *finding, uint64_t seen,
                          Error **errp);

#endif
