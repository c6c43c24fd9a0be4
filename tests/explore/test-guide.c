/* SPDX-License-Identifier: MIT */
/*
 * docs/scenario-guide.md and README.md are true: each command is run beside the
 * page's files, and must print what stands there.  With AIOLAB_UPDATE_DOCS=1
 * that is written there instead.  What the guide quotes in C is in its file.
 *
 * An example is an indented line "$ aiolab ..." (or ./lab) and what the program
 * prints for it, indented as well, to the next line that is not.  TOKEN stands
 * for the last schedule that was printed.
 */
#include "program.h"
#include "testlib.h"

#include <glib/gstdio.h>

#define ROOT AIOLAB_SOURCE_DIR "/"
#define GUIDE ROOT "docs/scenario-guide.md"
#define GUIDE_FILES ROOT "docs/scenario-guide"

/* ---- What aiolab prints ---- */

static void keep_token(char **token, const char *text)
{
    const char *at = strstr(text, "aio1-");

    if (at) {
        g_free(*token);
        *token = g_strndup(at, strcspn(at, " \n"));
    }
}

static char *run_command(const char *command, char **token)
{
    char **words = NULL;
    ChildResult result;
    char *out;

    assert_true(g_shell_parse_argv(command, NULL, &words, NULL));
    for (char **word = words; *word; word++) {
        if (g_str_equal(*word, "TOKEN")) {
            g_free(*word);
            *word = g_strdup(*token);
        }
    }
    g_free(words[0]);
    words[0] = g_strdup(g_getenv("AIOLAB"));
    result = child_spawn((const char *const *)words, 0);
    if (result.status < 0 || result.status > 1 || *result.err) {
        fail_msg("%s: status %d: %s", command, result.status, result.err);
    }
    keep_token(token, result.out);
    out = g_strdup(result.out);
    child_finish(&result);
    g_strfreev(words);
    return out;
}

static void add_indented(GString *page, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(g_strchomp((char *)text), "\n", 0);

    for (char **line = lines; *line; line++) {
        g_string_append_printf(page, "%s%s\n", **line ? "    " : "", *line);
    }
}

/* ---- The page ---- */

static bool is_command(const char *line)
{
    return g_str_has_prefix(line, "    $ aiolab ") ||
           g_str_has_prefix(line, "    $ ./lab ");
}

static bool is_answer(const char *line)
{
    return g_str_has_prefix(line, "    ") && !g_str_has_prefix(line, "    $ ");
}

/* Behind an answer, whose empty lines are its own if it goes on after them. */
static char **skip_answer(char **line)
{
    char **end = line;

    for (; *line && (is_answer(*line) || !**line); line++) {
        if (is_answer(*line)) {
            end = line + 1;
        }
    }
    return end;
}

static char *page_with_answers(const char *page, unsigned *commands)
{
    g_auto(GStrv) lines = g_strsplit(page, "\n", 0);
    g_autofree char *token = NULL;
    GString *out = g_string_new(NULL);

    for (char **line = lines; *line;) {
        const char *command = *line++;

        g_string_append_printf(out, "%s%s", command, *line ? "\n" : "");
        if (is_command(command)) {
            g_autofree char *answer = run_command(command + strlen("    $ "),
                                                  &token);

            add_indented(out, answer);
            line = skip_answer(line);
            (*commands)++;
        }
    }
    return g_string_free(out, false);
}

static void check_page(const char *file, const char *dir, unsigned at_least)
{
    g_autofree char *page = NULL, *want = NULL;
    unsigned commands = 0;

    assert_true(g_file_get_contents(file, &page, NULL, NULL));
    assert_int_equal(g_chdir(dir), 0);
    want = page_with_answers(page, &commands);
    assert_true(commands >= at_least);
    if (g_getenv("AIOLAB_UPDATE_DOCS")) {
        assert_true(g_file_set_contents(file, want, -1, NULL));
    } else {
        assert_string_equal(page, want);
    }
}

static void test_guide(void **state)
{
    check_page(GUIDE, GUIDE_FILES, 5);
}

static void test_readme(void **state)
{
    check_page(ROOT "README.md", ROOT, 1);
}

/* ---- What is quoted ---- */

static void test_quotations(void **state)
{
    g_autofree char *page = NULL, *file = NULL;
    g_auto(GStrv) parts = NULL;
    unsigned quoted = 0;

    assert_true(g_file_get_contents(GUIDE, &page, NULL, NULL));
    assert_true(g_file_get_contents(GUIDE_FILES "/drained-end.c", &file, NULL,
                                    NULL));
    parts = g_strsplit(page, "```", 0);
    for (unsigned i = 1; parts[i]; i += 2, quoted++) {
        assert_true(g_str_has_prefix(parts[i], "c\n"));
        if (!strstr(file, parts[i] + strlen("c\n"))) {
            fail_msg("not in the file: %s", parts[i]);
        }
    }
    assert_int_equal(quoted, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guide),
        cmocka_unit_test(test_readme),
        cmocka_unit_test(test_quotations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
