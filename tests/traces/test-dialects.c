/* SPDX-License-Identifier: MIT */
/*
 * What tracers print with options, versions and devices that are not the usual
 * ones.  Each NAME.txt in samples/dialects is recognised without being told
 * what it is, nothing in it is rejected, and its records are those of the
 * NAME.csv beside it, which has the columns of test-formats.c.
 */
#include "traces-util.h"
#include "testlib.h"

static char *dir, *dialects;
static GPtrArray *names; /* of char * */

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char **)a, *(char **)b);
}

static int setup(void **state)
{
    const char *name;
    GDir *samples;

    dialects = g_build_filename(g_getenv("SAMPLES"), "dialects", NULL);
    samples = g_dir_open(dialects, 0, NULL);
    dir = test_dir_new();
    names = g_ptr_array_new_with_free_func(g_free);
    while (samples && (name = g_dir_read_name(samples))) {
        if (g_str_has_suffix(name, ".txt")) {
            g_ptr_array_add(names, g_strndup(name, strlen(name) - 4));
        }
    }
    g_clear_pointer(&samples, g_dir_close);
    g_ptr_array_sort(names, by_name);
    return 0;
}

static int teardown(void **state)
{
    g_ptr_array_free(names, true);
    g_free(dialects);
    test_dir_free(dir);
    return 0;
}

static char *read_sample(const char *name, const char *suffix)
{
    g_autofree char *file = g_strconcat(name, suffix, NULL);
    g_autofree char *path = g_build_filename(dialects, file, NULL);
    char *text;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        fail_msg("%s cannot be read", path);
    }
    return text;
}

static void test_records(void **state)
{
    assert_true(names->len >= 28);
    for (unsigned i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *text = read_sample(name, ".txt");
        g_autofree char *want = read_sample(name, ".csv");
        g_autofree char *got = import_bytes(dir, text, -1, NULL, 0);

        if (strcmp(got, want)) {
            fail_msg("of %s it makes\n%snot\n%s", name, got, want);
        }
    }
}

/* What says nothing of requests is told apart from what is wrong. */
static void test_none_rejected(void **state)
{
    for (unsigned i = 0; i < names->len; i++) {
        g_autofree char *file = g_strconcat(names->pdata[i], ".txt", NULL);
        g_autofree char *path = g_build_filename(dialects, file, NULL);
        g_autofree char *log = g_build_filename(dir, "d.aiolog", NULL);
        ChildResult result = aiolab("import", path, "-f", "-o", log, NULL);

        child_expect_ok(&result, file);
        expect_text(file, result.out, " skipped + 0 rejected");
        child_finish(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_none_rejected),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
