/* SPDX-License-Identifier: MIT */
/* Who ran when, in a recording. */
#ifndef CLI_THREAD_TURNS_H
#define CLI_THREAD_TURNS_H

#include "cli.h"
#include "input.h"
#include "session.h"

/*
 * One line for each time that another thread went on, over the first @n of
 * @inputs; or one object each into the array that @json is in.
 */
void thread_turns_print(const Session *session, const Input *inputs, size_t n,
                        const CommonOptions *common, JsonBuilder *json);

#endif
