/* SPDX-License-Identifier: MIT */
/* Finding the files of a set, and what is missing of it. */
#include "blktrace-set.h"

#define INFIX ".blktrace."

enum { CPUS_MAX = 8192 };

/* "sda.blktrace.3" has CPU 3; -1 if the name is no such one. */
static int cpu_of(const char *path)
{
    const char *infix = g_strrstr(path, INFIX);
    const char *digits = infix ? infix + strlen(INFIX) : "";
    char *end;
    gint64 cpu = g_ascii_strtoll(digits, &end, 10);

    return g_ascii_isdigit(*digits) && !*end && cpu < CPUS_MAX ? cpu : -1;
}

static char *name_of(const char *path)
{
    return cpu_of(path) < 0
        ? g_strdup(path) : g_strndup(path, g_strrstr(path, INFIX) - path);
}

char **blktrace_set_files(const char *path)
{
    g_autofree char *name = name_of(path);
    GPtrArray *files = g_ptr_array_new();

    if (cpu_of(path) >= 0 || !g_file_test(path, G_FILE_TEST_EXISTS)) {
        for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) {
            char *file = g_strdup_printf("%s" INFIX "%u", name, cpu);

            if (g_file_test(file, G_FILE_TEST_IS_REGULAR)) {
                g_ptr_array_add(files, file);
            } else {
                g_free(file);
            }
        }
    }
    if (!files->len) {
        g_ptr_array_add(files, g_strdup(path));
    }
    g_ptr_array_add(files, NULL);
    return (char **)g_ptr_array_free(files, false);
}

char *blktrace_set_missing(char *const *paths, unsigned n)
{
    g_autofree bool *there = g_new0(bool, CPUS_MAX + 1);
    GString *text = g_string_new(NULL);
    int last = -1;

    for (unsigned i = 0; i < n; i++) {
        int cpu = cpu_of(paths[i]);

        if (cpu >= 0) {
            there[cpu] = true;
            last = MAX(last, cpu);
        }
    }
    for (int cpu = 0; cpu < last; cpu++) {
        int first = cpu;

        while (!there[cpu]) {
            cpu++;
        }
        if (cpu > first) {
            g_string_append_printf(text, "%s%d", text->len ? ", " : "", first);
            if (cpu - 1 > first) {
                g_string_append_printf(text, "-%d", cpu - 1);
            }
        }
    }
    return g_string_free(text, !text->len);
}
