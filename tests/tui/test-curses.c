/* SPDX-License-Identifier: MIT */
/* The ncurses backend in this process, without a terminal: what is put on its
 * screen can be read back. */
#include "testlib.h"

#include "app.h"
#include "term.h"
#include "world.h"

#include <locale.h>
#include <ncurses.h>

static Term *open_null(FILE *null, const char *type, bool color)
{
    TermOptions options = {
        .in = null, .out = null, .type = type, .color = color,
    };

    setenv("LINES", "24", 1);
    setenv("COLUMNS", "80", 1);
    return term_open(&options);
}

/* Row @row of the terminal as text. */
static char *row_text(int row)
{
    GString *text = g_string_new(NULL);

    for (int col = 0; col < COLS;) {
        cchar_t cell;
        wchar_t chars[CCHARW_MAX] = {0};
        attr_t attributes;
        short pair;

        mvwin_wch(curscr, row, col, &cell);
        getcchar(&cell, chars, &attributes, &pair, NULL);
        g_string_append_unichar(text, chars[0] ? (gunichar)chars[0] : ' ');
        col += g_unichar_iswide(chars[0]) ? 2 : 1;
    }
    return g_string_free(text, false);
}

static void test_what_is_shown(void **state)
{
    FILE *null = fopen("/dev/null", "r+");
    Term *term = open_null(null, "xterm-256color", true);
    g_autofree char *title = NULL;
    int rows, cols;
    Frame *frame;
    App app;

    assert_non_null(term);
    app_init(&app, world_new(2), false);
    term_size(term, &rows, &cols);
    frame = screen(&app.view, rows, cols);
    term_show(term, frame, false);
    for (int row = 0; row < rows; row++) {
        g_autofree char *shown = row_text(row);
        g_autofree char *all = frame_text(frame);
        g_auto(GStrv) lines = g_strsplit(all, "\n", 0);

        g_strchomp(shown);
        assert_string_equal(shown, lines[row]);
    }
    title = row_text(0);
    assert_non_null(strstr(title, "DEADLOCK"));
    frame_free(frame);
    term_close(term);
    app_finish(&app);
    fclose(null);
}

static void test_unknown_terminal(void **state)
{
    FILE *null = fopen("/dev/null", "r+");

    assert_null(open_null(null, "no-such-terminal", true));
    fclose(null);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_shown),
        cmocka_unit_test(test_unknown_terminal),
    };

    if (!setlocale(LC_ALL, "C.UTF-8")) {
        return 77;
    }
    return cmocka_run_group_tests_name("curses", tests, NULL, NULL);
}
