/* SPDX-License-Identifier: MIT */
/*
 * Bytes as a captured trace of the format that FUZZ_FORMAT names: whatever they
 * are, each line or record is accounted for.
 */
#include "one-input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const TraceFormat *format;

    if (!format) {
        const char *name = g_getenv("FUZZ_FORMAT");

        format = name ? trace_format_find(name) : NULL;
        if (!format) {
            fprintf(stderr, "FUZZ_FORMAT must name a format\n");
            abort();
        }
    }
    one_input(format, data, size);
    return 0;
}
