/* SPDX-License-Identifier: MIT */
/* aiolab lessons: the list, with progress. */
#include "cli.h"

#include "lesson.h"
#include "progress.h"

int cmd_lessons(int argc, char **argv)
{
    static CommonOptions common;
    int status = cli_parse(&argc, &argv, "", "Lists the lessons, with your "
                           "progress.", NULL, &common);
    Error *err = NULL;
    GPtrArray *ids;
    JsonBuilder *b;

    if (status >= 0) {
        return status;
    }
    ids = lesson_ids(&err);
    if (!ids || !cli_open_output(&common, NULL)) {
        return err ? cli_fail(err, STATUS_BAD_INPUT) : STATUS_BAD_INPUT;
    }
    b = json_builder_new();
    json_builder_begin_array(b);
    for (unsigned i = 0; i < ids->len; i++) {
        Lesson *lesson = lesson_load(g_ptr_array_index(ids, i), &err);
        g_autofree char *state = lesson ? progress_get(lesson->id) : NULL;

        if (!lesson) {
            return cli_fail(err, STATUS_BAD_INPUT);
        }
        if (!common.json) {
            cli_print(&common, "%-18s %-8s %s (%d min)\n", lesson->id, state,
                      lesson->title, lesson->minutes);
        }
        json_builder_begin_object(b);
        cli_json_string(b, "id", lesson->id);
        cli_json_string(b, "title", lesson->title);
        cli_json_string(b, "state", state);
        cli_json_int(b, "minutes", lesson->minutes);
        json_builder_end_object(b);
        lesson_free(lesson);
    }
    json_builder_end_array(b);
    if (common.json) {
        cli_print_json(b);
    }
    g_ptr_array_free(ids, true);
    return STATUS_OK;
}
