/* SPDX-License-Identifier: MIT */
/*
 * Where the panes are: a pure function of the size.
 *
 *   +- contexts --+- loop ------+
 *   +- coroutines +             |     The first row is the title, the last
 *   +- block -----+- source ----+     the footer.  Neighbours share a border.
 *   +- log, or choices ---------+
 *   +- time --------------------+
 *
 * The waits are a page of their own.
 */
#include "view.h"

/* Cuts @rows off the top of @rest; the two share the border between them. */
static Rect take_rows(Rect *rest, int rows)
{
    Rect top = *rest;

    top.rows = MIN(rows, rest->rows);
    rest->row += top.rows - 1;
    rest->rows -= top.rows - 1;
    return top;
}

void layout(int rows, int cols, PaneId focus, bool zoom, Rect rects[PANE_MAX])
{
    Rect body = {1, 0, rows - 2, cols}, upper, left, right;
    int upper_rows, time_rows;

    memset(rects, 0, PANE_MAX * sizeof(*rects));
    if (zoom || focus == PANE_WAITS) {
        rects[focus] = body;
        return;
    }
    time_rows = rows >= 36 ? 6 : 4;
    upper_rows = (body.rows - time_rows) * 6 / 10 + 1;
    upper = take_rows(&body, upper_rows);
    rects[PANE_LOG] = take_rows(&body, body.rows - time_rows + 1);
    rects[PANE_TIME] = body;
    if (focus == PANE_CHOICES) {
        rects[PANE_CHOICES] = rects[PANE_LOG];
        rects[PANE_LOG] = (Rect){.rows = 0};
    }

    left = right = upper;
    left.cols = MAX(26, cols * 3 / 10);
    right.col = left.cols - 1;
    right.cols = cols - right.col;
    rects[PANE_CONTEXTS] = take_rows(&left, MAX(4, upper.rows * 3 / 10));
    rects[PANE_COROUTINES] = take_rows(&left, MAX(4, left.rows * 6 / 10));
    rects[PANE_BLOCK] = left;
    rects[PANE_LOOP] = take_rows(&right, MAX(5, upper.rows * 6 / 10));
    rects[PANE_SOURCE] = right;
}
