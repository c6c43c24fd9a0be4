/* SPDX-License-Identifier: MIT */
/* One format, one input, nothing stored. */
#include "one-input.h"

static uint64_t checked(const TraceAccount *account, uint64_t lines)
{
    uint64_t sum = trace_account_total(account, ACCOUNT_STORED) +
                   trace_account_total(account, ACCOUNT_SKIPPED) +
                   trace_account_total(account, ACCOUNT_REJECTED);

    /* A line of several requests counts as so many. */
    if (sum != account->in || account->in < lines) {
        abort();
    }
    return account->n[REASON_STORED];
}

uint64_t one_source(const TraceFormat *format, TraceSource *source)
{
    TraceImport import = {
        .columns = "time:us,op,offset:sector,bytes,device,latency,pid,comm",
    };
    uint64_t lines = 0;
    TraceLine line;

    if (format->read) {
        Error *err = NULL;

        format->read(&import, &source, 1, &err);
        error_free(err);
    } else {
        void *state = format->begin(&import, format->argument);

        while (trace_source_line(source, &line)) {
            import.place = line.number;
            format->line(&import, state, &line);
            lines++;
        }
        format->end(&import, state);
    }
    trace_source_close(source);
    return checked(&import.account, lines);
}

uint64_t one_input(const TraceFormat *format, const void *bytes, size_t len)
{
    return one_source(format, trace_source_of_bytes(bytes, len));
}
