/* SPDX-License-Identifier: MIT */
/* A session made by hand, so that screens do not change with the program. */
#ifndef TESTS_TUI_WORLD_H
#define TESTS_TUI_WORLD_H

#include "session.h"

/*
 * A context "main" with two bottom halves, a timer, a coroutine that waits for
 * a request, and a nested poll that gets stuck; @idle_turns turns of nothing
 * before that.
 */
Session *world_new(unsigned idle_turns);
/*
 * The same context, a thread "io0", and a choice of each kind; it ends well.
 */
Session *world_with_choices(void);
void world_free(Session *session);

#endif
