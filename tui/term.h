/* SPDX-License-Identifier: MIT */
/* A terminal: put frames on it, get keys from it. */
#ifndef TUI_TERM_H
#define TUI_TERM_H

#include "frame.h"

typedef struct Term Term;

typedef struct TermOptions {
    bool color;
    FILE *in, *out;   /* NULL: standard input and output */
    const char *type; /* NULL: $TERM */
} TermOptions;

/*
 * Takes the terminal over.  Call it before threads exist: it blocks the
 * signals that it reads itself.  NULL if the terminal is unknown.
 */
Term *term_open(const TermOptions *options);
/* Gives the terminal back as it was. */
void term_close(Term *term);
void term_size(Term *term, int *rows, int *cols);
void term_show(Term *term, const Frame *frame, bool redraw);
/*
 * The next key, KEY_RESIZE_ after a resize, -1 if there is none.  @wait: until
 * there is one.  *stop is set by a signal that asks to end.
 */
int term_key(Term *term, bool wait, bool *stop);

#endif
