/* SPDX-License-Identifier: MIT */
/* The table of formats, in the order in which they are listed. */
#include "formats.h"

#define TEXT(prefix) \
    .begin = prefix##_begin, .line = prefix##_line, .end = prefix##_end

static const TraceFormat fio2 = {
    "fio2", "fio I/O log, version 2", TRACE_CLOCK_NONE, fio2_recognise,
    TEXT(fio), .argument = GUINT_TO_POINTER(2),
};
static const TraceFormat fio3 = {
    "fio3", "fio I/O log, version 3", TRACE_CLOCK_START, fio3_recognise,
    TEXT(fio), .argument = GUINT_TO_POINTER(3),
};

const TraceFormat *const trace_formats[] = {
    &fio2, &fio3,
};
const unsigned trace_formats_count = ARRAY_SIZE(trace_formats);

const TraceFormat *trace_format_find(const char *name)
{
    for (unsigned i = 0; i < trace_formats_count; i++) {
        if (g_str_equal(trace_formats[i]->name, name)) {
            return trace_formats[i];
        }
    }
    return NULL;
}
