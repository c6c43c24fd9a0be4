/* SPDX-License-Identifier: MIT */
/* Tables with a line for each request, below one with the columns' names. */
#ifndef TRACES_SNOOP_ROW_H
#define TRACES_SNOOP_ROW_H

#include "import.h"

enum { SNOOP_COLUMNS_MAX = 16 };

typedef enum SnoopField {
    SNOOP_IGNORE, SNOOP_DONE, SNOOP_START, SNOOP_COMM, SNOOP_PID, SNOOP_DISK,
    SNOOP_MINOR, SNOOP_OP, SNOOP_SECTOR, SNOOP_BYTES, SNOOP_QUEUED,
    SNOOP_LATENCY,
} SnoopField;

typedef struct Snoop {
    unsigned n, comm; /* columns, and which of them is the name */
    unsigned column[SNOOP_COLUMNS_MAX]; /* index into the table of names */
} Snoop;

typedef struct SnoopRow {
    int64_t done_ns, start_ns, queued_ns, latency_ns, pid;
    Word comm, disk, minor, op;
    uint64_t sector, bytes;
    bool no_sector; /* -1: a flush, of older kernels */
} SnoopRow;

/* The columns of biosnoop, if there is no line with their names. */
Snoop snoop_usual(void);
/* False, and nothing is changed, if the line is not one of column names. */
bool snoop_scan_columns(Snoop *snoop, Scan scan);
bool snoop_has_field(const Snoop *snoop, SnoopField field);
/* REASON_STORED, or why the line is no row. */
TraceReason snoop_scan_row(const Snoop *snoop, Scan scan, SnoopRow *row);

#endif
