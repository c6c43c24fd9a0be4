/* SPDX-License-Identifier: MIT */
/* Backtraces as text. */
#ifndef REPLAY_STACK_LINES_H
#define REPLAY_STACK_LINES_H

#include "session.h"

/*
 * The stacks right after the event at the position, a line each: a thread's or
 * a coroutine's name, then its frames behind two blanks, innermost first.  Of
 * char *; NULL and *errp if the engine cannot give them.
 */
GPtrArray *stack_lines(Session *session, Error **errp);

#endif
