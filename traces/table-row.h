/* SPDX-License-Identifier: MIT */
/* The inside of tables, for format-table.c and table-row.c. */
#ifndef TRACES_TABLE_ROW_H
#define TRACES_TABLE_ROW_H

#include "formats.h"
#include "table-spec.h"

typedef struct Table {
    const TableFormat *format;
    TableSpec spec;
    char separator;
    unsigned least, most;
    bool started;   /* a line was one of the table's */
    int64_t newest; /* the latest time so far */
} Table;

typedef struct TableRow {
    TraceRecord record;
    int64_t latency_ns, pid;
    Word comm;
    char device[128];
    size_t device_len;
    bool no_op;
} TableRow;

/* REASON_STORED if each field is as it must be. */
TraceReason table_row_scan(const Table *table, const TraceLine *line,
                           TableRow *row);

#endif
