/* SPDX-License-Identifier: MIT */
/* The report of a replay that explicit calls were not enough for. */
#ifndef REPLAY_EXPLICIT_REPORT_H
#define REPLAY_EXPLICIT_REPORT_H

#include "host.h"
#include "input.h"

typedef struct ExplicitReport {
    const char *path;
    uint64_t at;   /* the input, from 1 */
    size_t n;      /* of so many */
    uint64_t events, calls, clocks; /* made, and agreed, so far */
    const Input *expected; /* or NULL: then want says what was */
    const char *want;
    const char *who, *got; /* the thread (or NULL), and what it does instead */
    const Input *last;     /* that agreed, or NULL */
} ExplicitReport;

void explicit_report_begin(void);
void explicit_report_end(void);
/* Each event of the run: names, and what it was that decided. */
void explicit_report_see(const ProbeEvent *event);
/* An input as the call that it stands for; freed by the caller. */
char *explicit_text(InputKind kind, uint64_t obj);
/* Several lines; on the thread that cannot go on. */
char *explicit_report(const ExplicitReport *report);

#endif
