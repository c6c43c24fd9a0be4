/* SPDX-License-Identifier: MIT */
/* What the files that act on keys share. */
#ifndef TUI_APP_INTERNAL_H
#define TUI_APP_INTERNAL_H

#include "app.h"
#include "keymap.h"

/* A sentence in the footer, until the next key. */
void app_say(App *app, const char *fmt, ...) G_GNUC_PRINTF_(2, 3);
/* Moves to event @n; if that is 0, says @otherwise. */
void app_move_to(App *app, uint64_t n, const char *otherwise);
/* movements.c: a step, turn, callback ... forwards or back. */
void app_move(App *app, Action action, bool back);
/* Shows @session, at its position, instead of the former one. */
void app_show_session(App *app, Session *session);
/* Asks for a number; @answer gets it. Takes over @label. */
void app_ask(App *app, char *label, AppAnswer *answer);

/* fork.c: 'x' and 'X', and the arrows in the list of choices. */
void app_fork(App *app, bool back);
void app_next_choice(App *app, bool back);
/* 'l' */
void app_fetch_chances(App *app);

#endif
