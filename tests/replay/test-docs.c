/* SPDX-License-Identifier: MIT */
/*
 * docs/log.md is true: its recordings are made as it says, each of its queries
 * is asked, and the answers must be those that stand there.  With
 * AIOLAB_UPDATE_DOCS=1 they are written there instead.
 *
 * An example is an indented line "$ sqlite3 [-box] FILE "SQL"" and what the
 * program prints for it, to the next empty line.
 */
#include "program.h"
#include "testlib.h"

#include <sqlite3.h>
#include <unistd.h>

#define PAGE AIOLAB_SOURCE_DIR "/docs/log.md"

static char *dir;

/* ---- What sqlite3 prints ---- */

/* Rows of cells, the first with the names. */
static GPtrArray *ask(const char *file, const char *sql)
{
    g_autofree char *path = g_build_filename(dir, file, NULL);
    GPtrArray *rows = g_ptr_array_new_with_free_func(
        (GDestroyNotify)g_strfreev);
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db;
    int n;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        fail_msg("%s, %s: %s", file, sql, sqlite3_errmsg(db));
    }
    n = sqlite3_column_count(stmt);
    for (bool first = true; first || sqlite3_step(stmt) == SQLITE_ROW;
         first = false) {
        char **row = g_new0(char *, n + 1);

        for (int i = 0; i < n; i++) {
            const char *text = first ? sqlite3_column_name(stmt, i)
                : (const char *)sqlite3_column_text(stmt, i);

            row[i] = g_strdup(text ? text : "");
        }
        g_ptr_array_add(rows, row);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return rows;
}

static GArray *column_widths(const GPtrArray *rows)
{
    char **names = g_ptr_array_index(rows, 0);
    GArray *widths = g_array_new(false, true, sizeof(unsigned));

    g_array_set_size(widths, g_strv_length(names));
    for (unsigned r = 0; r < rows->len; r++) {
        for (unsigned i = 0; i < widths->len; i++) {
            char **row = g_ptr_array_index(rows, r);
            unsigned *width = &g_array_index(widths, unsigned, i);

            *width = MAX(*width, g_utf8_strlen(row[i], -1));
        }
    }
    return widths;
}

static void add_rule(GString *out, const GArray *widths, const char *left,
                     const char *middle, const char *right)
{
    g_string_append_printf(out, "    %s", left);
    for (unsigned i = 0; i < widths->len; i++) {
        for (unsigned n = g_array_index(widths, unsigned, i) + 2; n > 0; n--) {
            g_string_append(out, "─");
        }
        g_string_append(out, i + 1 < widths->len ? middle : right);
    }
    g_string_append_c(out, '\n');
}

static void add_row(GString *out, const GArray *widths, char **row, bool centred)
{
    g_string_append(out, "    │");
    for (unsigned i = 0; i < widths->len; i++) {
        int free = g_array_index(widths, unsigned, i) -
                   g_utf8_strlen(row[i], -1);
        int before = centred ? free / 2 : 0;

        g_string_append_printf(out, " %*s%s%*s │", before, "", row[i],
                               free - before, "");
    }
    g_string_append_c(out, '\n');
}

static void add_box(GString *out, const GPtrArray *rows)
{
    GArray *widths = column_widths(rows);

    if (rows->len > 1) {
        add_rule(out, widths, "┌", "┬", "┐");
        add_row(out, widths, g_ptr_array_index(rows, 0), true);
        add_rule(out, widths, "├", "┼", "┤");
        for (unsigned r = 1; r < rows->len; r++) {
            add_row(out, widths, g_ptr_array_index(rows, r), false);
        }
        add_rule(out, widths, "└", "┴", "┘");
    }
    g_array_free(widths, true);
}

static void add_list(GString *out, const GPtrArray *rows)
{
    for (unsigned r = 1; r < rows->len; r++) {
        g_autofree char *line = g_strjoinv("|", g_ptr_array_index(rows, r));

        g_string_append_printf(out, "    %s\n", line);
    }
}

/* ---- The page ---- */

static char **words_of(const char *command)
{
    char **words = NULL;

    if (!g_shell_parse_argv(command, NULL, &words, NULL)) {
        fail_msg("not a command: %s", command);
    }
    return words;
}

static void make_recording(const char *command)
{
    g_auto(GStrv) words = words_of(command);
    GError *err = NULL;
    int status = -1;

    g_free(words[0]);
    words[0] = g_strdup(g_getenv("AIOLAB"));
    if (!g_spawn_sync(dir, words, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                      NULL, NULL, &status, &err) || status != 0) {
        fail_msg("%s: status %d%s", command, status, err ? err->message : "");
    }
}

static void add_answer(GString *out, const char *command)
{
    g_auto(GStrv) words = words_of(command);
    unsigned n = g_strv_length(words);
    GPtrArray *rows = ask(words[n - 2], words[n - 1]);

    if (g_str_equal(words[1], "-box")) {
        add_box(out, rows);
    } else {
        add_list(out, rows);
    }
    if (rows->len == 1) {
        fail_msg("an example without an answer: %s", command);
    }
    g_ptr_array_free(rows, true);
}

/* The page as it should be; @queries: how many were asked. */
static char *page_with_answers(const char *page, unsigned *queries)
{
    g_auto(GStrv) lines = g_strsplit(page, "\n", 0);
    GString *out = g_string_new(NULL);

    for (char **line = lines; *line; line++) {
        g_string_append_printf(out, "%s%s", *line, line[1] ? "\n" : "");
        if (g_str_has_prefix(*line, "    aiolab ")) {
            make_recording(*line);
        } else if (g_str_has_prefix(*line, "    $ sqlite3 ")) {
            add_answer(out, *line + strlen("    $ "));
            (*queries)++;
            while (g_str_has_prefix(line[1], "    ")) {
                line++;
            }
        }
    }
    return g_string_free(out, false);
}

/* Says which line is another one. */
static void expect_same(const char *page, const char *want)
{
    g_auto(GStrv) is = g_strsplit(page, "\n", 0);
    g_auto(GStrv) should = g_strsplit(want, "\n", 0);

    for (unsigned i = 0; is[i] || should[i]; i++) {
        if (g_strcmp0(is[i], should[i]) != 0) {
            fail_msg("docs/log.md:%u is\n%s\nand should be\n%s\n"
                     "AIOLAB_UPDATE_DOCS=1 writes it there", i + 1,
                     is[i] ? is[i] : "(end)", should[i] ? should[i] : "(end)");
        }
    }
}

static void test_examples(void **state)
{
    g_autofree char *page = NULL, *want = NULL;
    unsigned queries = 0;

    assert_true(g_file_get_contents(PAGE, &page, NULL, NULL));
    want = page_with_answers(page, &queries);
    assert_true(queries >= 11);
    if (g_getenv("AIOLAB_UPDATE_DOCS")) {
        assert_true(g_file_set_contents(PAGE, want, -1, NULL));
    } else {
        expect_same(page, want);
    }
}

/* ---- The views ---- */

static void expect_documented(const char *page, const char *file,
                              const char *view)
{
    g_autofree char *title = g_strdup_printf("\n### %s\n", view);
    g_autofree char *sql = g_strdup_printf("SELECT * FROM %s LIMIT 0", view);
    const char *section = strstr(page, title);
    GPtrArray *rows = ask(file, sql);
    g_autofree char *text = NULL;

    if (!section) {
        fail_msg("docs/log.md has no section for the view %s", view);
    }
    section += strlen(title);
    text = strstr(section, "\n### ")
        ? g_strndup(section, strstr(section, "\n### ") - section)
        : g_strdup(section);
    for (char **name = g_ptr_array_index(rows, 0); *name; name++) {
        g_autofree char *quoted = g_strdup_printf("`%s`", *name);

        if (!strstr(text, quoted)) {
            fail_msg("docs/log.md: %s has a column %s, and does not say so",
                     view, *name);
        }
    }
    g_ptr_array_free(rows, true);
}

/* Through indexes all the way: a scan of events for each row is for ever. */
static void expect_quick(const char *view)
{
    g_autofree char *sql =
        g_strdup_printf("EXPLAIN QUERY PLAN SELECT * FROM %s", view);
    GPtrArray *rows = ask("drain.aiolog", sql);

    for (unsigned r = 1; r < rows->len; r++) {
        const char *step = ((char **)g_ptr_array_index(rows, r))[3];

        if (strstr(step, "SCAN") || strstr(step, "AUTOMATIC")) {
            fail_msg("%s: %s", view, step);
        }
    }
    g_ptr_array_free(rows, true);
}

static void test_views(void **state)
{
    GPtrArray *views = ask("drain.aiolog", "SELECT name FROM sqlite_schema "
                                           "WHERE type = 'view'");
    g_autofree char *page = NULL;

    assert_true(g_file_get_contents(PAGE, &page, NULL, NULL));
    assert_int_equal(views->len, 1 + 8);
    for (unsigned r = 1; r < views->len; r++) {
        char **row = g_ptr_array_index(views, r);

        expect_documented(page, "drain.aiolog", row[0]);
        expect_quick(row[0]);
    }
    g_ptr_array_free(views, true);
}

/* Those of captured traces go over all records, which is what they are for. */
static void test_trace_views(void **state)
{
    GPtrArray *views = ask("loop0.aiolog",
                           "SELECT name FROM sqlite_schema WHERE type = 'view' "
                           "AND (name LIKE 'request%' OR name = 'queue_depth')");
    g_autofree char *page = NULL;

    assert_true(g_file_get_contents(PAGE, &page, NULL, NULL));
    assert_int_equal(views->len, 1 + 6);
    for (unsigned r = 1; r < views->len; r++) {
        expect_documented(page, "loop0.aiolog",
                          ((char **)g_ptr_array_index(views, r))[0]);
    }
    expect_documented(page, "loop0.aiolog", "record");
    g_ptr_array_free(views, true);
}

/* The sample that the page imports. */
static void copy_sample(const char *name)
{
    g_autofree char *from = g_build_filename(
        AIOLAB_SOURCE_DIR "/tests/traces/samples", name, NULL);
    g_autofree char *to = g_build_filename(dir, name, NULL);
    g_autofree char *data = NULL;
    gsize len;

    assert_true(g_file_get_contents(from, &data, &len, NULL));
    assert_true(g_file_set_contents(to, data, len, NULL));
}

static int setup(void **state)
{
    g_unsetenv("AIOLAB_FDMON");
    dir = test_dir_new();
    copy_sample("loop0.blkparse.txt.xz");
    return 0;
}

static int teardown(void **state)
{
    test_dir_free(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_trace_views),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
