/* SPDX-License-Identifier: MIT */
/*
 * A lesson on the screen: its text and question on the left, the loop and the
 * log of the run on the right.
 */
#include "lesson-screen.h"

#include "keymap.h"

/* Writes @text folded into @rect from line *row on. */
static void put_folded(Frame *frame, Rect rect, int *row, Role role,
                       const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);

    for (char **line = lines; *line; line++) {
        size_t indent = strspn(*line, " ");
        g_auto(GStrv) words = g_strsplit(*line + indent, " ", 0);
        int column = indent;

        for (char **word = words; *word; word++) {
            int len = g_utf8_strlen(*word, -1);

            if (column > (int)indent && column + len > rect.cols) {
                (*row)++;
                column = indent;
            }
            if (*row < rect.rows) {
                frame_put(frame, rect.row + *row, rect.col + column,
                          rect.cols - column, role, *word);
            }
            column += len + 1;
        }
        (*row)++;
    }
}

static void draw_text(const LessonRun *run, Frame *frame, Rect rect)
{
    g_autofree char *prompt = lesson_run_prompt(run);
    const GPtrArray *items = run->lesson->items;
    unsigned first = run->item;
    int row = 0;

    /* The paragraphs that lead to the current item stay in view. */
    while (first > 0 && run->item - first < 3 &&
           ((LessonItem *)g_ptr_array_index(items, first - 1))->kind ==
               ITEM_TEXT) {
        first--;
    }
    for (; first < run->item; first++) {
        LessonItem *item = g_ptr_array_index(items, first);

        put_folded(frame, rect, &row, ROLE_DIM, item->text);
        row++;
    }
    put_folded(frame, rect, &row, ROLE_NORMAL, prompt);
    if (run->feedback) {
        row++;
        put_folded(frame, rect, &row, ROLE_TITLE, run->feedback);
    }
}

static void draw_footer(const LessonRun *run, Frame *frame)
{
    const LessonItem *item = lesson_run_over(run)
        ? NULL : g_ptr_array_index(run->lesson->items, run->item);
    const char *keys = "Enter go on   h hint   q quit";

    if (!item) {
        keys = "q leaves";
    } else if (item->kind == ITEM_PREDICT && !run->answered) {
        keys = "1-9 answer   h hint   s skip   q quit";
    } else if (item->kind == ITEM_BREAK && !run->solved) {
        keys = "1-9 choose   h hint   r restart   s skip   q quit";
    } else if (item->kind == ITEM_FIX && !run->solved) {
        keys = "c check   h hint   s skip   q quit";
    }
    frame_put(frame, frame->rows - 1, 1, frame->cols - 2, ROLE_KEY, keys);
}

Frame *lesson_screen(const LessonRun *run, bool ascii, int rows, int cols)
{
    Frame *frame = frame_new(rows, cols, ascii);
    View view = {.session = run->session, .ascii = ascii, .focus = PANE_LOG};
    g_autofree char *title = g_strdup_printf(
        " %s   %u/%u   predictions %u/%u", run->lesson->title, run->item + 1,
        run->lesson->items->len, run->right, run->asked);
    int left_cols = MAX(cols / 2, 30);
    Rect left = {1, 0, rows - 2, left_cols};
    Rect top = {1, left_cols - 1, (rows - 2) / 2, cols - left_cols + 1};
    Rect bottom = {top.row + top.rows - 1, top.col, rows - 1 - top.rows,
                   top.cols};
    Rect *boxes[] = {&left, &top, &bottom};

    if (rows < LAYOUT_MIN_ROWS || cols < LAYOUT_MIN_COLS) {
        frame_put(frame, 0, 0, cols, ROLE_PROBLEM, "too small: 80 x 24");
        return frame;
    }
    frame_box(frame, left, ROLE_FOCUS, "Lesson");
    frame_box(frame, top, ROLE_BORDER, "Loop");
    frame_box(frame, bottom, ROLE_BORDER, "Log");
    frame_finish_borders(frame);
    for (unsigned i = 0; i < ARRAY_SIZE(boxes); i++) {
        *boxes[i] = (Rect){boxes[i]->row + 1, boxes[i]->col + 1,
                           boxes[i]->rows - 2, boxes[i]->cols - 2};
    }
    draw_text(run, frame, left);
    if (run->session) {
        draw_loop(&view, frame, top);
        draw_log(&view, frame, bottom);
    }
    frame_put(frame, 0, 0, cols, ROLE_TITLE, title);
    draw_footer(run, frame);
    return frame;
}

void lesson_key(LessonRun *run, int key)
{
    char input[2] = {0};

    if (key == KEY_ENTER_ || key == ' ' || key == 'n') {
        lesson_run_input(run, "");
    } else if (key > 32 && key < 127) {
        input[0] = key;
        lesson_run_input(run, input);
    }
}
