/* SPDX-License-Identifier: MIT */
/* aiolab learn: a lesson, on the screen or as a conversation (--plain). */
#include "cli.h"

#include "lesson-run.h"
#include "progress.h"
#include "tui.h"

#include <unistd.h>

enum { COLUMNS = 76 };

/* Prints one line of text, folded at words; what is indented keeps that. */
static void print_folded(const char *line)
{
    size_t indent = strspn(line, " "), column = indent;
    g_auto(GStrv) words = g_strsplit(line + indent, " ", 0);

    printf("%*s", (int)indent, "");
    for (char **word = words; *word; word++) {
        size_t len = g_utf8_strlen(*word, -1);

        if (column > indent && column + 1 + len > COLUMNS) {
            printf("\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            putchar(' ');
            column++;
        }
        fputs(*word, stdout);
        column += len;
    }
    putchar('\n');
}

static void print_text(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);

    for (char **line = lines; *line; line++) {
        if (**line || line[1]) {
            print_folded(*line);
        }
    }
}

static bool wants_input(const LessonRun *run)
{
    const LessonItem *item = g_ptr_array_index(run->lesson->items, run->item);

    return !(item->kind == ITEM_TEXT || item->kind == ITEM_SCENARIO);
}

static bool read_line(char *line, size_t size)
{
    fputs("> ", stdout);
    fflush(stdout);
    if (!fgets(line, size, stdin)) {
        putchar('\n');
        return false;
    }
    g_strstrip(line);
    if (!isatty(STDIN_FILENO)) {
        printf("%s\n", line); /* so that a transcript reads like a session */
    }
    return *line != 'q';
}

static void learn_plain(LessonRun *run)
{
    char line[256];

    printf("%s\n\n", run->lesson->title);
    while (!lesson_run_over(run)) {
        g_autofree char *prompt = lesson_run_prompt(run);

        print_text(prompt);
        while (run->feedback && !lesson_run_over(run)) {
            print_text(run->feedback);
            break;
        }
        putchar('\n');
        if (!wants_input(run)) {
            lesson_run_input(run, "");
            continue;
        }
        if (!read_line(line, sizeof(line))) {
            return;
        }
        lesson_run_input(run, line);
        if (run->feedback && (run->answered || run->solved)) {
            print_text(run->feedback);
            putchar('\n');
            lesson_run_input(run, "");
        }
    }
    {
        g_autofree char *prompt = lesson_run_prompt(run);

        print_text(prompt);
    }
}

static char *first_unfinished(Error **errp)
{
    GPtrArray *ids = lesson_ids(errp);
    char *found = NULL;

    for (unsigned i = 0; ids && i < ids->len && !found; i++) {
        g_autofree char *state = progress_get(g_ptr_array_index(ids, i));

        if (!g_str_equal(state, "done")) {
            found = g_strdup(g_ptr_array_index(ids, i));
        }
    }
    if (ids && !found) {
        found = g_strdup(g_ptr_array_index(ids, 0));
    }
    return found;
}

int cmd_learn(int argc, char **argv)
{
    static CommonOptions common;
    gboolean plain = false;
    const GOptionEntry entries[] = {
        {"plain", 0, 0, G_OPTION_ARG_NONE, &plain,
         "as numbered text on standard input and output", NULL},
        {NULL}};
    int status = cli_parse(&argc, &argv, "[LESSON]", "Takes a lesson; without "
                           "a name the first that is not done.", entries,
                           &common);
    g_autofree char *id = NULL;
    LessonRun *run;
    Lesson *lesson;
    Error *err = NULL;

    if (status >= 0) {
        return status;
    }
    id = argc > 1 ? g_strdup(argv[1]) : first_unfinished(&err);
    lesson = id ? lesson_load(id, &err) : NULL;
    if (!lesson) {
        return cli_fail(err, argc > 1 ? STATUS_USAGE : STATUS_BAD_INPUT);
    }
    if (!progress_set(id, "started", &err)) {
        return cli_fail(err, STATUS_MACHINE);
    }
    run = lesson_run_new(lesson);
    if (plain) {
        learn_plain(run);
    } else if (!tui_learn(run, &err)) {
        return cli_fail(err, STATUS_MACHINE);
    }
    if (lesson_run_over(run) && !progress_set(id, "done", &err)) {
        return cli_fail(err, STATUS_MACHINE);
    }
    lesson_run_free(run);
    return STATUS_OK;
}
