/* SPDX-License-Identifier: MIT */
/*
 * Calls whose text a tracer has not finished, because another thread's came
 * between: each thread has at most one.
 */
#ifndef TRACES_BEGUN_CALLS_H
#define TRACES_BEGUN_CALLS_H

#include "syscalls.h"

typedef struct BegunCalls BegunCalls;

BegunCalls *begun_calls_new(void);
void begun_calls_free(BegunCalls *calls);
/* The call's thread, start and place are kept, too. */
void begun_calls_put(BegunCalls *calls, const Call *call, Scan text);
/*
 * More of the text of the call's thread, whose whole text is returned until
 * that thread's next call; the call gets its start and place.  False if the
 * thread has begun none.
 */
bool begun_calls_go_on(BegunCalls *calls, Call *call, Scan rest, Scan *text);
/* It has been understood. */
void begun_calls_end(BegunCalls *calls, const Call *call);

#endif
