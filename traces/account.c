/* SPDX-License-Identifier: MIT */
/* Counting what became of each line. */
#include "account.h"

const TraceReasonInfo trace_reasons[REASON_MAX] = {
#define X(ID, class, hint, name, help) \
    {ACCOUNT_##class, HINT_##hint, name, help},
    TRACE_REASONS(X)
#undef X
};

const char *const account_class_names[3] = {"stored", "skipped", "rejected"};

uint64_t trace_account_total(const TraceAccount *account, AccountClass class)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < REASON_MAX; i++) {
        if (trace_reasons[i].class == class) {
            sum += account->n[i];
        }
    }
    return sum;
}

void trace_account_add(TraceAccount *sum, const TraceAccount *account)
{
    sum->in += account->in;
    for (unsigned i = 0; i < REASON_MAX; i++) {
        sum->n[i] += account->n[i];
    }
}
