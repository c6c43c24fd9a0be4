/* SPDX-License-Identifier: MIT */
/* Answers that are computed, and exercises that are run. */
#include "lesson-run.h"

#include "explore.h"
#include "record-log.h"

#include <glib/gstdio.h>

enum { MAX_SCHEDULES = 3000 };

/* ---- Answers ---- */

static char *query_recording(const char *path, const ScenarioSpec *spec,
                             const char *sql, Error **errp)
{
    Log *log = log_open(path, errp);
    Session *session = log ? session_open_log(log, spec, errp) : NULL;
    char *value = NULL;

    log_close(log, NULL);
    if (session && index_log(path, session, errp)) {
        log = log_open(path, errp);
        value = log ? log_query(log, sql, errp) : NULL;
        log_close(log, NULL);
    }
    session_free(session);
    return value;
}

char *lesson_compute(const LessonItem *item, const char *scenario,
                     Error **errp)
{
    g_autofree char *dir = g_dir_make_tmp("aiolab-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir ? dir : "/", "run.aiolog",
                                             NULL);
    RunConfig config = {.sim = {.max_steps = 1000000}};
    ScenarioSpec *spec = run_spec_from_name(scenario, errp);
    char *value = NULL;

    if (spec && record_log(spec, &config, path, true) == 0) {
        value = query_recording(path, spec, item_field(item, "from"), errp);
    }
    scenario_spec_free(spec);
    g_unlink(path);
    if (dir) {
        g_rmdir(dir);
    }
    return value;
}

/* ---- Exercises ---- */

static const char *describe_end(SessionEnd end)
{
    return end == SESSION_STUCK ? "it hangs"
         : end == SESSION_CRASHED ? "it crashes"
         : end == SESSION_BUDGET ? "it does not end" : "a check fails";
}

bool lesson_check_spec(const ScenarioSpec *spec, const char *shown, char **text)
{
    ExploreResult result = explore_all(spec, MAX_SCHEDULES);
    bool ok = !result.found;

    if (ok) {
        *text = g_strdup_printf(
            "passed: %u schedules%s", result.runs,
            result.complete ? ", which are all there are"
                            : " (there are more; these were tried)");
    } else {
        *text = g_strdup_printf(
            "not yet: in schedule %u of those tried, %s%s%s\n"
            "watch it: aiolab tui %s%s%s", result.runs,
            describe_end(result.end), result.text ? ": " : "",
            result.text ? result.text : "", shown,
            *result.choices ? " --choices " : "", result.choices);
    }
    explore_result_finish(&result);
    return ok;
}

char *lesson_work_file(const Lesson *lesson, const LessonItem *item,
                       Error **errp)
{
    g_autofree char *dir = g_build_filename(g_get_user_data_dir(), "aiolab",
                                            "work", NULL);
    g_autofree char *name = g_strconcat(lesson->id, ".c", NULL);
    g_autofree char *original = g_build_filename(
        lesson->dir, item_field(item, "file"), NULL);
    g_autofree char *text = NULL;
    char *path = g_build_filename(dir, name, NULL);

    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        return path; /* the learner's: never written over */
    }
    if (g_mkdir_with_parents(dir, 0755) < 0 ||
        !g_file_get_contents(original, &text, NULL, NULL) ||
        !g_file_set_contents(path, text, -1, NULL)) {
        error_setg(errp, "%s: cannot be written; set XDG_DATA_HOME", path);
        g_free(path);
        return NULL;
    }
    return path;
}

const LessonItem *lesson_find_fix(const Lesson *lesson)
{
    for (unsigned i = 0; i < lesson->items->len; i++) {
        const LessonItem *item = g_ptr_array_index(lesson->items, i);

        if (item->kind == ITEM_FIX) {
            return item;
        }
    }
    return NULL;
}
