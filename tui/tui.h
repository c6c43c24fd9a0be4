/* SPDX-License-Identifier: MIT */
/* The whole program on a terminal. */
#ifndef TUI_TUI_H
#define TUI_TUI_H

#include "app.h"
#include "lesson-run.h"
#include "session.h"

typedef struct TuiOptions {
    bool ascii, color;
    uint64_t at; /* 0: the last event */
    const RunSource *source; /* or NULL */
    const Finding *finding;  /* what is known of the run, or NULL */
} TuiOptions;

/* Takes over @session.  False and *errp if there is no usable terminal. */
bool tui_run(Session *session, const TuiOptions *options, Error **errp);
/* A lesson; returns when the learner leaves.  The caller keeps @run. */
bool tui_learn(LessonRun *run, Error **errp);
/* The screen as text, without a terminal; freed by the caller. */
char *tui_dump(Session *session, const TuiOptions *options, int rows, int cols);
/* Whether the environment asks for ASCII or for no colour. */
bool tui_wants_ascii(void);
bool tui_wants_color(void);

#endif
