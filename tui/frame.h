/* SPDX-License-Identifier: MIT */
/*
 * A frame: what one screen looks like, as cells.
 *
 * Everything is drawn into a frame, and a frame can be compared, printed as
 * text, or put on a terminal.  Nothing here knows what a terminal is.
 */
#ifndef TUI_FRAME_H
#define TUI_FRAME_H

#include "qemu/osdep.h"

/* What a cell means; the terminal decides what that looks like. */
typedef enum Role {
    ROLE_NORMAL,
    ROLE_TITLE,   /* of a pane, or of the screen */
    ROLE_BORDER,
    ROLE_FOCUS,   /* border and title of the pane that has the keys */
    ROLE_NOW,     /* what happens at this event */
    ROLE_PROBLEM, /* part of a deadlock or a failure */
    ROLE_CHANGED, /* by this event */
    ROLE_DIM,     /* context, not content */
    ROLE_KEY,     /* in the footer and in help */
    ROLE_MAX
} Role;

/* One table: the name, in UTF-8, in ASCII. */
#define GLYPHS(G)                       \
    G(NOW, "▶", ">")                    \
    G(PROBLEM, "✗", "X")                \
    G(ON, "●", "*")                     \
    G(OFF, "○", "o")                    \
    G(FROM, "←", "<")                   \
    G(LANE, "─", "-")                   \
    G(BUSY, "█", "#")                   \
    G(SLEEP, "░", ".")                  \
    G(HERE, "▲", "^")                   \
    G(MORE, "…", "~")                   \
    G(MICRO, "µ", "u")                  \
    G(BAR1, "▁", "_")                   \
    G(BAR2, "▂", ".")                   \
    G(BAR3, "▃", "-")                   \
    G(BAR4, "▄", "=")                   \
    G(BAR5, "▅", "+")                   \
    G(BAR6, "▆", "*")                   \
    G(BAR7, "▇", "%")                   \
    G(BAR8, "█", "#")                   \
    G(BAR, "│", "|")

typedef enum Glyph {
#define G(NAME, utf8, ascii) GLYPH_##NAME,
    GLYPHS(G)
#undef G
    GLYPH_MAX
} Glyph;

typedef struct Cell {
    char text[8]; /* one character in UTF-8; "" behind a wide one */
    uint8_t role;
} Cell;

typedef struct Rect {
    int row, col, rows, cols;
} Rect;

typedef struct Frame {
    int rows, cols;
    bool ascii;
    Cell *cells;
    uint8_t *borders; /* by cell: which of its four sides have a line */
    int cursor_row, cursor_col; /* the selected row, for screen readers */
} Frame;

Frame *frame_new(int rows, int cols, bool ascii);
void frame_free(Frame *frame);
const char *frame_glyph(const Frame *frame, Glyph glyph);

/*
 * Puts @text at a place, cut at @max columns (with a mark if it was cut).
 * Returns the columns used.  What is outside the frame is not drawn.
 */
int frame_put(Frame *frame, int row, int col, int max, Role role,
              const char *text);
/* A box whose lines join those of its neighbours. */
void frame_box(Frame *frame, Rect rect, Role role, const char *title);
/* Draws the lines of all boxes; after the last frame_box(). */
void frame_finish_borders(Frame *frame);
/* Without trailing blanks, a line a row; freed by the caller. */
char *frame_text(const Frame *frame);
/* One letter a cell for its role, '.' for normal. */
char *frame_roles(const Frame *frame);

#endif
