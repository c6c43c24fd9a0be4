/* SPDX-License-Identifier: MIT */
/* What keys do: from a view and a key to the next view.  Draws nothing. */
#ifndef TUI_APP_H
#define TUI_APP_H

#include "view.h"

/* What can be asked of whoever made the session; either may be NULL. */
typedef struct RunSource {
    /*
     * The same run again, its first @n choices answered by @picks, and the
     * others by the default policy.  NULL and *errp if it cannot be had.
     */
    Session *(*fork)(void *opaque, const unsigned *picks, unsigned n,
                     Error **errp);
    /* What a search knows of the run; freed by the caller. */
    Finding *(*explain)(void *opaque, Error **errp);
    void *opaque;
} RunSource;

typedef struct App App;
typedef void AppAnswer(App *app, uint64_t n);

struct App {
    View view;
    const RunSource *source; /* or NULL */
    GPtrArray *former;       /* of Session: the runs that were forked */
    Finding *explained;      /* by the source, or NULL */
    AppAnswer *answer;       /* to the prompt */
    int rows, cols;
    bool quit, redraw;
    bool dump; /* print the last screen when leaving */
};

/* Takes over @session. */
void app_init(App *app, Session *session, bool ascii);
void app_finish(App *app);
/* @key: a Unicode character or one of KEY_*_. */
void app_key(App *app, int key);
/* Loads what the new position needs: the source file. */
void app_update(App *app);
/* Fetches stacks for the position, if the pane wants them. */
void app_fetch_stacks(App *app);

#endif
