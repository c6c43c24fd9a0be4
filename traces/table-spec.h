/* SPDX-License-Identifier: MIT */
/*
 * What the columns of a table mean: "time:us,op,offset:sector,bytes,device".
 * The published data sets are described so, and what users describe with
 * import --columns.
 */
#ifndef TRACES_TABLE_SPEC_H
#define TRACES_TABLE_SPEC_H

#include "qapi/error.h"
#include "scan.h"

/* X(ID, name, unit group, help) */
#define TABLE_FIELDS(X)                                                     \
    X(IGNORE, "-", NONE, "is of no interest")                               \
    X(TIME, "time", TIME, "when the device was asked")                      \
    X(QUEUE, "queue", TIME, "when the application asked")                   \
    X(COMPLETE, "complete", TIME, "when it was done")                       \
    X(LATENCY, "latency", TIME, "how long it took; may be blank")           \
    X(OP, "op", OP, "what it was")                                          \
    X(OFFSET, "offset", SIZE, "where")                                      \
    X(BYTES, "bytes", SIZE, "how much")                                     \
    X(DEVICE, "device", NONE, "of what; several are joined")                \
    X(PID, "pid", NONE, "by which process")                                 \
    X(COMM, "comm", NONE, "its name")                                       \
    X(CPU, "cpu", NONE, "on which processor")

typedef enum TableField {
#define X(ID, name, group, help) TABLE_##ID,
    TABLE_FIELDS(X)
#undef X
    TABLE_FIELD_MAX
} TableField;

/*
 * X(group, name, scale, least, most, fraction, help): what a number is
 * multiplied by (times: to nanoseconds, sizes: to bytes), between which values
 * it is plausible, and whether it has a fraction ('.'), must not ('-'), or may
 * (' ').  The first of a group is what is meant if none is said.
 */
#define TABLE_UNITS(X)                                                         \
    X(NONE, "", 1, 0, INT64_MAX, ' ', "")                                      \
    X(TIME, "s", 1000000000, INT64_MIN, INT64_MAX, ' ', "seconds")             \
    X(TIME, "ms", 1000000, INT64_MIN, INT64_MAX, ' ', "milliseconds")          \
    X(TIME, "us", 1000, INT64_MIN, INT64_MAX, ' ', "microseconds")             \
    X(TIME, "ns", 1, INT64_MIN, INT64_MAX, '-', "nanoseconds")                 \
    X(TIME, "100ns", 100, INT64_MIN, INT64_MAX, '-', "tenths of microseconds") \
    X(TIME, "ms.", 1000000, INT64_MIN, INT64_MAX, '.',                         \
      "milliseconds with a fraction")                                          \
    X(TIME, "unix", 1000000000, TABLE_YEAR_1990, TABLE_YEAR_2100, ' ',         \
      "seconds since 1970")                                                    \
    X(TIME, "unixus", 1000, TABLE_YEAR_1990, TABLE_YEAR_2100, '-',             \
      "microseconds since 1970")                                               \
    X(TIME, "filetime", 100, TABLE_YEAR_1990, TABLE_YEAR_2100, '-',            \
      "tenths of microseconds since 1601")                                     \
    X(SIZE, "b", 1, 0, INT64_MAX, '-', "bytes")                                \
    X(SIZE, "sector", 512, 0, INT64_MAX, '-', "sectors of 512 bytes")          \
    X(SIZE, "k", 1024, 0, INT64_MAX, '-', "kibibytes")                         \
    X(SIZE, "page", 4096, 0, INT64_MAX, '-', "pages of 4096 bytes")            \
    X(OP, "word", TABLE_OP_WORD, 0, 0, ' ', "R, write, trim, 2a of SCSI, ...") \
    X(OP, "rw", TABLE_OP_RW, 0, 0, ' ', "R or W, in either case")              \
    X(OP, "rw*", TABLE_OP_FIRST, 0, 0, ' ', "what begins with R or W")         \
    X(OP, "readwrite", TABLE_OP_READWRITE, 0, 0, ' ', "Read or Write")         \
    X(OP, "0r", TABLE_OP_0R, 0, 0, ' ', "0 is a read, 1 a write")              \
    X(OP, "1r", TABLE_OP_1R, 0, 0, ' ', "1 is a read, 0 a write")              \
    X(OP, "bit0r", TABLE_OP_BIT0R, 0, 0, ' ',                                  \
      "hexadecimal: odd is a read, even a write")

#define TABLE_YEAR_1990 631152000000000000
#define TABLE_YEAR_2100 4102444800000000000

enum {
    TABLE_OP_WORD, TABLE_OP_RW, TABLE_OP_FIRST, TABLE_OP_READWRITE, TABLE_OP_0R,
    TABLE_OP_1R,
    TABLE_OP_BIT0R,
};

typedef struct TableUnit {
    const char *name;
    int64_t scale, least, most;
    char fraction;
} TableUnit;

enum { TABLE_COLUMNS_MAX = 32 };

typedef struct TableSpec {
    unsigned n;
    struct {
        TableField field;
        const TableUnit *unit;
    } columns[TABLE_COLUMNS_MAX];
} TableSpec;

/* False and *errp if @text is not such a description. */
bool table_spec_parse(TableSpec *spec, const char *text, Error **errp);

#endif
