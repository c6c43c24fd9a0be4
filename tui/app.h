/* SPDX-License-Identifier: MIT */
/* What keys do: from a view and a key to the next view.  Draws nothing. */
#ifndef TUI_APP_H
#define TUI_APP_H

#include "view.h"

typedef struct App {
    View view;
    int rows, cols;
    bool quit, redraw;
    bool dump; /* print the last screen when leaving */
} App;

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
