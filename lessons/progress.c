/* SPDX-License-Identifier: MIT */
/* The progress file. */
#include "progress.h"

static char *progress_path(void)
{
    return g_build_filename(g_get_user_data_dir(), "aiolab", "progress", NULL);
}

static char **read_lines(void)
{
    g_autofree char *path = progress_path();
    g_autofree char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return g_strsplit(text ? text : "", "\n", 0);
}

static bool is_line_of(const char *line, const char *id)
{
    size_t len = strlen(id);

    return strncmp(line, id, len) == 0 && line[len] == ' ';
}

char *progress_get(const char *id)
{
    g_auto(GStrv) lines = read_lines();

    for (char **line = lines; *line; line++) {
        if (is_line_of(*line, id)) {
            g_auto(GStrv) words = g_strsplit(*line, " ", 3);

            return g_strdup(words[1]);
        }
    }
    return g_strdup("new");
}

bool progress_set(const char *id, const char *state, Error **errp)
{
    g_autofree char *path = progress_path();
    g_autofree char *dir = g_path_get_dirname(path);
    g_auto(GStrv) lines = read_lines();
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *date = g_date_time_format(now, "%F");

    for (char **line = lines; *line; line++) {
        if (**line && !is_line_of(*line, id)) {
            g_string_append_printf(text, "%s\n", *line);
        }
    }
    g_string_append_printf(text, "%s %s %s\n", id, state, date);
    if (g_mkdir_with_parents(dir, 0755) < 0 ||
        !g_file_set_contents(path, text->str, -1, NULL)) {
        error_setg(errp, "%s: cannot be written; set XDG_DATA_HOME", path);
        return false;
    }
    return true;
}
