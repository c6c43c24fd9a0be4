/* SPDX-License-Identifier: MIT */
/*
 * What is looked at, and how: everything that a screen is a function of.
 */
#ifndef TUI_VIEW_H
#define TUI_VIEW_H

#include "frame.h"
#include "finding.h"
#include "session.h"

typedef enum PaneId {
    PANE_CONTEXTS,
    PANE_COROUTINES,
    PANE_BLOCK,
    PANE_LOOP,
    PANE_SOURCE,
    PANE_LOG,
    PANE_TIME,
    PANE_CHOICES, /* where the log is, while it has the keys */
    PANE_WAITS, /* in place of all others */
    PANE_MAX
} PaneId;

typedef struct View {
    Session *session; /* its model is at the position */
    PaneId focus, focus_before; /* before: to return to from the waits */
    bool zoom, help, ascii;
    int scroll[PANE_MAX];
    char *prompt;     /* what was typed behind prompt_label, or NULL */
    char *prompt_label;
    char *message;    /* why nothing happened, or NULL */
    bool breakpoints[PROBE_KIND_MAX];

    GArray *choices;  /* of uint64_t: the events that are choices */
    unsigned forks;   /* this run is the former one's, with another choice */
    const Finding *finding; /* what is known of its chances, or NULL */

    /* The source file of the event; loaded by whoever moves the position. */
    char *source_file;
    char **source_lines; /* or NULL */

    /* Named stacks of the event, or NULL if they were not fetched. */
    GPtrArray *stacks;   /* of char *, a line each */
    uint64_t stacks_at;
} View;

/* A pane draws its inside: @rect is without the border. */
typedef struct Pane {
    const char *title;
    void (*draw)(const View *view, Frame *frame, Rect rect);
} Pane;

extern const Pane panes[PANE_MAX];

/* layout.c: where each pane is, borders included; rows 0: not shown. */
void layout(int rows, int cols, PaneId focus, bool zoom, Rect rects[PANE_MAX]);
enum { LAYOUT_MIN_ROWS = 24, LAYOUT_MIN_COLS = 80 };

/* screen.c: the whole screen; freed by the caller. */
Frame *screen(const View *view, int rows, int cols);

/* help.c */
void draw_help(Frame *frame);

/* pane.c: one line of a pane's inside, if it is visible. */
void pane_line(const View *view, PaneId pane, Frame *frame, Rect rect,
               int *line, Role role, const char *fmt, ...)
    G_GNUC_PRINTF_(7, 8);
/* The thread of the event at the position, or NULL. */
const ModelThread *view_thread(const View *view);
/*
 * The line of source that the event is about, or NULL.  A thread that is stuck
 * is shown where it waits, not where the machine noticed.
 */
const ProbeSite *view_site(const View *view);

/* pane-choices.c: the newest choice at the position, from 0; -1: none. */
int view_choice(const View *view);
/* "main", "time", "2 completions": option @i of a choice; freed by the caller. */
char *choice_option_text(const Model *model, const ProbeEvent *choice,
                         unsigned i);
/*
 * chances.c: of 100 random continuations of this run after event @n, how many
 * fail; -1 if that is not known.
 */
int view_chance(const View *view, uint64_t n);
/* A line of the chances at the events from @first on, in @rect's first row. */
void draw_chances(const View *view, Frame *frame, Rect rect, int64_t first);

void draw_choices(const View *view, Frame *frame, Rect rect);
void draw_contexts(const View *view, Frame *frame, Rect rect);
void draw_coroutines(const View *view, Frame *frame, Rect rect);
void draw_block(const View *view, Frame *frame, Rect rect);
void draw_loop(const View *view, Frame *frame, Rect rect);
void draw_source(const View *view, Frame *frame, Rect rect);
void draw_log(const View *view, Frame *frame, Rect rect);
void draw_time(const View *view, Frame *frame, Rect rect);
void draw_waits(const View *view, Frame *frame, Rect rect);

#endif
