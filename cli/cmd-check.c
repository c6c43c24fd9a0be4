/* SPDX-License-Identifier: MIT */
/* aiolab check: the learner's exercise, over all schedules. */
#include "cli.h"

#include "lesson-run.h"
#include "run.h"

static int check_lesson(const char *id, gboolean solution,
                        const CommonOptions *common)
{
    Error *err = NULL;
    Lesson *lesson = lesson_load(id, &err);
    const LessonItem *fix = lesson ? lesson_find_fix(lesson) : NULL;
    g_autofree char *path = NULL, *text = NULL;
    ScenarioSpec *spec = NULL;
    bool ok = false;

    if (!lesson) {
        return cli_fail(err, STATUS_USAGE);
    }
    if (!fix) {
        cli_error("lesson '%s' has no exercise", id);
        return STATUS_USAGE;
    }
    path = solution ? g_build_filename(lesson->dir, item_field(fix, "solution"),
                                       NULL)
                    : lesson_work_file(lesson, fix, &err);
    spec = path ? run_spec_from_name(path, &err) : NULL;
    if (!spec) {
        return cli_fail(err, STATUS_FINDING);
    }
    ok = lesson_check_spec(spec, path, &text);
    if (common->json) {
        JsonBuilder *b = json_builder_new();

        json_builder_begin_object(b);
        cli_json_string(b, "id", id);
        cli_json_string(b, "file", path);
        cli_json_bool(b, "passed", ok);
        cli_json_string(b, "text", text);
        json_builder_end_object(b);
        cli_print_json(b);
    } else {
        cli_print(common, "%s: %s\n", id, text);
    }
    scenario_spec_free(spec);
    lesson_free(lesson);
    return ok ? STATUS_OK : STATUS_FINDING;
}

int cmd_check(int argc, char **argv)
{
    static CommonOptions common;
    gboolean solution = false;
    const GOptionEntry entries[] = {
        {"solution", 0, 0, G_OPTION_ARG_NONE, &solution,
         "check the lesson's own solution", NULL},
        {NULL}};
    int status = cli_parse(&argc, &argv, "[LESSON...]", "Checks your solution "
                           "of exercises over all schedules.", entries,
                           &common);
    Error *err = NULL;
    GPtrArray *ids;
    int worst = STATUS_OK;

    if (status >= 0) {
        return status;
    }
    if (!cli_open_output(&common, NULL)) {
        return STATUS_BAD_INPUT;
    }
    if (argc > 1) {
        for (int i = 1; i < argc; i++) {
            status = check_lesson(argv[i], solution, &common);
            worst = MAX(worst, status);
        }
        return worst;
    }
    ids = lesson_ids(&err);
    if (!ids) {
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    for (unsigned i = 0; i < ids->len; i++) {
        status = check_lesson(g_ptr_array_index(ids, i), solution, &common);
        worst = MAX(worst, status);
    }
    g_ptr_array_free(ids, true);
    return worst;
}
