/* SPDX-License-Identifier: MIT */
/* Importing in tests, and looking at what came of it. */
#include "traces-util.h"

#include "testlib.h"

char *sample_path(const char *name)
{
    return g_build_filename(g_getenv("SAMPLES"), name, NULL);
}

void expect_text(const char *what, const char *out, const char *text)
{
    if (!strstr(out, text)) {
        fail_msg("%s: no \"%s\" in: %s", what, text, out);
    }
}

char *export_csv(const char *dir, const char *log)
{
    g_autofree char *csv = g_build_filename(dir, "out.csv", NULL);
    ChildResult result = aiolab("export", log, "--format", "csv", "-q", "-o",
                                csv, NULL);
    g_autofree char *text = NULL;
    char *rows;

    child_expect_ok(&result, "export");
    child_finish(&result);
    assert_true(g_file_get_contents(csv, &text, NULL, NULL));
    rows = strchr(text, '\n');
    assert_non_null(rows);
    return g_strdup(rows + 1);
}

char *import_bytes(const char *dir, const char *bytes, gssize len,
                   const char *format, int status)
{
    g_autofree char *in = g_build_filename(dir, "in", NULL);
    g_autofree char *log = g_build_filename(dir, "in.aiolog", NULL);
    ChildResult result;

    assert_true(g_file_set_contents(in, bytes, len, NULL));
    result = aiolab("import", in, "-f", "-q", "-o", log,
                    format ? "--format" : NULL, format, NULL);
    if (result.status != status) {
        fail_msg("status %d, not %d: %s%s\n%s", result.status, status,
                 result.out, result.err, bytes);
    }
    child_finish(&result);
    return export_csv(dir, log);
}
