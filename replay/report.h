/* SPDX-License-Identifier: MIT */
/* What a run came to, in words; computed from the model. */
#ifndef REPLAY_REPORT_H
#define REPLAY_REPORT_H

#include "session.h"

/* Whether that field of an event is an object, which has a name. */
bool report_field_is_object(const char *field);
/* One line for an event: "fd.begin  fd0 revents 1"; freed by the caller. */
char *report_event(const Model *model, const ProbeEvent *event);
/* What a thread is in the middle of, innermost first; several lines. */
void report_thread(GString *text, const Model *model,
                   const ModelThread *thread);
/* Who waits for what, in a model that is stuck; several lines. */
char *report_stuck(const Session *session);
/* "t=12.400µs" without the unit's letter trouble: "12.400us". */
char *report_time(int64_t ns);

#endif
