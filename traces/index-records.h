/* SPDX-License-Identifier: MIT */
/* A captured trace's tables and views, made from its chunks. */
#ifndef TRACES_INDEX_RECORDS_H
#define TRACES_INDEX_RECORDS_H

#include "store.h"

/*
 * Makes the table record and the views of traces/views.sql anew, in @log, which
 * was opened for writing.  False and *errp if the log is damaged.
 */
bool trace_index_records(Log *log, Error **errp);

#endif
