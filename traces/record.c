/* SPDX-License-Identifier: MIT */
/* Names of what a record can say. */
#include "record.h"

const char *const trace_op_names[TRACE_OP_MAX] = {
#define X(ID, name, help) name,
    TRACE_OPS(X)
#undef X
};

const char *const trace_flag_names[TRACE_FLAG_COUNT] = {
#define X(ID, name, help) name,
    TRACE_FLAGS(X)
#undef X
};

const char *const trace_quality_names[TRACE_QUALITY_COUNT] = {
#define X(ID, name, help) name,
    TRACE_QUALITIES(X)
#undef X
};

const char *const trace_clock_names[TRACE_CLOCK_MAX] = {
#define X(ID, name, help) name,
    TRACE_CLOCKS(X)
#undef X
};

const char *const trace_at_names[2] = {
    [TRACE_AT_QUEUE] = "queue", [TRACE_AT_ISSUE] = "issue",
};

TraceOp trace_op_find(const char *name)
{
    for (unsigned op = 0; op < TRACE_OP_MAX; op++) {
        if (g_str_equal(trace_op_names[op], name)) {
            return op;
        }
    }
    return TRACE_OP_MAX;
}

char *trace_bits_text(unsigned bits, const char *const *names, unsigned count)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < count; i++) {
        if (bits & 1u << i) {
            g_string_append_printf(text, "%s%s", text->len ? "," : "",
                                   names[i]);
        }
    }
    return g_string_free(text, false);
}
