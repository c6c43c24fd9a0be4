/* SPDX-License-Identifier: MIT */
/* Cells, text and boxes. */
#include "frame.h"

#include <wchar.h>

enum { UP = 1, DOWN = 2, LEFT = 4, RIGHT = 8 };

static const char *const glyphs[GLYPH_MAX][2] = {
#define G(NAME, utf8, ascii) {utf8, ascii},
    GLYPHS(G)
#undef G
};

/* By the sides that have a line. */
static const char *const lines[16] = {
    [0] = " ", [UP] = "│", [DOWN] = "│", [UP | DOWN] = "│", [LEFT] = "─",
    [RIGHT] = "─", [LEFT | RIGHT] = "─", [DOWN | RIGHT] = "┌",
    [DOWN | LEFT] = "┐", [UP | RIGHT] = "└", [UP | LEFT] = "┘",
    [UP | DOWN | RIGHT] = "├", [UP | DOWN | LEFT] = "┤",
    [DOWN | LEFT | RIGHT] = "┬", [UP | LEFT | RIGHT] = "┴",
    [UP | DOWN | LEFT | RIGHT] = "┼",
};

Frame *frame_new(int rows, int cols, bool ascii)
{
    Frame *frame = g_new0(Frame, 1);

    frame->rows = MAX(rows, 1);
    frame->cols = MAX(cols, 1);
    frame->ascii = ascii;
    frame->cells = g_new0(Cell, frame->rows * frame->cols);
    frame->borders = g_new0(uint8_t, frame->rows * frame->cols);
    for (int i = 0; i < frame->rows * frame->cols; i++) {
        frame->cells[i].text[0] = ' ';
    }
    return frame;
}

void frame_free(Frame *frame)
{
    if (frame) {
        g_free(frame->cells);
        g_free(frame->borders);
        g_free(frame);
    }
}

const char *frame_glyph(const Frame *frame, Glyph glyph)
{
    return glyphs[glyph][frame->ascii];
}

static Cell *cell_at(const Frame *frame, int row, int col)
{
    return row >= 0 && row < frame->rows && col >= 0 && col < frame->cols
               ? &frame->cells[row * frame->cols + col] : NULL;
}

static int char_width(gunichar c)
{
    return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

static int text_width(const char *text)
{
    int width = 0;

    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        width += char_width(g_utf8_get_char(p));
    }
    return width;
}

/* A control character would move the terminal's cursor: it is shown as ?. */
static gunichar printable(const Frame *frame, gunichar c)
{
    return c < 32 || c == 127 || (frame->ascii && c > 126) ? '?' : c;
}

static void put_char(Frame *frame, int row, int col, Role role, gunichar c,
                     int width)
{
    Cell *cell = cell_at(frame, row, col);
    Cell *behind = width == 2 ? cell_at(frame, row, col + 1) : NULL;

    if (!cell) {
        return;
    }
    memset(cell->text, 0, sizeof(cell->text));
    g_unichar_to_utf8(c, cell->text);
    cell->role = role;
    if (behind) {
        behind->text[0] = 0;
        behind->role = role;
    }
}

int frame_put(Frame *frame, int row, int col, int max, Role role,
              const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    bool cut = text_width(valid) > max;
    int used = 0, room = cut ? max - 1 : max;

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = printable(frame, g_utf8_get_char(p));
        int width = char_width(c);

        if (used + width > room) {
            break;
        }
        if (width) {
            put_char(frame, row, col + used, role, c, width);
        }
        used += width;
    }
    if (cut && max > 0) {
        put_char(frame, row, col + used, role,
                 g_utf8_get_char(frame_glyph(frame, GLYPH_MORE)), 1);
        used++;
    }
    return used;
}

static void add_side(Frame *frame, int row, int col, uint8_t sides, Role role)
{
    Cell *cell = cell_at(frame, row, col);

    if (cell) {
        frame->borders[cell - frame->cells] |= sides;
        if (role != ROLE_BORDER || cell->role != ROLE_FOCUS) {
            cell->role = role;
        }
    }
}

void frame_box(Frame *frame, Rect r, Role role, const char *title)
{
    int bottom = r.row + r.rows - 1, right = r.col + r.cols - 1;

    if (r.rows < 2 || r.cols < 2) {
        return;
    }
    for (int col = r.col; col <= right; col++) {
        uint8_t sides = (col > r.col ? LEFT : 0) | (col < right ? RIGHT : 0);

        add_side(frame, r.row, col, sides, role);
        add_side(frame, bottom, col, sides, role);
    }
    for (int row = r.row; row <= bottom; row++) {
        uint8_t sides = (row > r.row ? UP : 0) | (row < bottom ? DOWN : 0);

        add_side(frame, row, r.col, sides, role);
        add_side(frame, row, right, sides, role);
    }
    if (title && r.cols > 6) {
        g_autofree char *padded = g_strdup_printf(" %s ", title);
        int used = frame_put(frame, r.row, r.col + 2, r.cols - 4,
                             role == ROLE_FOCUS ? ROLE_FOCUS : ROLE_TITLE,
                             padded);

        /* The line does not run through the title. */
        for (int i = 0; i < used; i++) {
            Cell *cell = cell_at(frame, r.row, r.col + 2 + i);

            if (cell) {
                frame->borders[cell - frame->cells] |= 0x80;
            }
        }
    }
}

void frame_finish_borders(Frame *frame)
{
    for (int i = 0; i < frame->rows * frame->cols; i++) {
        uint8_t sides = frame->borders[i];
        const char *text = lines[sides & 15];

        if (!sides || sides & 0x80) {
            continue;
        }
        if (frame->ascii) {
            text = sides == (UP | DOWN) || sides == UP || sides == DOWN ? "|"
                 : sides & (UP | DOWN) ? "+" : "-";
        }
        memset(frame->cells[i].text, 0, sizeof(frame->cells[i].text));
        g_strlcpy(frame->cells[i].text, text, sizeof(frame->cells[i].text));
    }
}

char *frame_text(const Frame *frame)
{
    GString *text = g_string_new(NULL);

    for (int row = 0; row < frame->rows; row++) {
        for (int col = 0; col < frame->cols; col++) {
            g_string_append(text, cell_at(frame, row, col)->text);
        }
        while (text->len && text->str[text->len - 1] == ' ') {
            g_string_truncate(text, text->len - 1);
        }
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, false);
}

char *frame_roles(const Frame *frame)
{
    static const char letters[ROLE_MAX + 1] = ".TbFNPcdk";
    GString *text = g_string_new(NULL);

    for (int row = 0; row < frame->rows; row++) {
        for (int col = 0; col < frame->cols; col++) {
            g_string_append_c(text, letters[cell_at(frame, row, col)->role]);
        }
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, false);
}
