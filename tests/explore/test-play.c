/* SPDX-License-Identifier: MIT */
/* Plays of traces are scenarios that can be explored, as any other. */
#include "program.h"
#include "testlib.h"

static char *dir, *trace, *recording, *image;

static int setup(void **state)
{
    g_autofree char *rows = NULL;
    g_autofree char *text = NULL;
    ChildResult result;

    dir = test_dir_new();
    rows = g_build_filename(dir, "rows", NULL);
    trace = g_build_filename(dir, "trace.aiolog", NULL);
    recording = g_build_filename(dir, "play.aiolog", NULL);
    image = g_build_filename(dir, "image", NULL);
    text = g_malloc0(1 << 16);
    assert_true(g_file_set_contents(image, text, 1 << 16, NULL));
    assert_true(g_file_set_contents(
        rows, "0,W,0,4096,1\n0,W,4096,4096,2\n5,R,0,4096,1\n", -1, NULL));
    result = aiolab("import", "--columns", "time:us,op,offset,bytes,pid", rows,
                    "-o", trace, "-q", NULL);
    child_expect_ok(&result, "import");
    child_finish(&result);
    return 0;
}

static int teardown(void **state)
{
    test_dir_free(dir);
    g_free(trace);
    g_free(recording);
    g_free(image);
    return 0;
}

/* All schedules of one request, the same number each time. */
static void test_all_schedules(void **state)
{
    g_autofree char *param = g_strconcat("trace=", trace, NULL);
    g_autofree char *first = NULL;

    for (unsigned i = 0; i < 2; i++) {
        ChildResult result = aiolab(
            "explore", "play", "--param", param, "--param", "device=ssd",
            "--param", "where=seq = 1", "--strategy", "dpor", NULL);

        child_expect_ok(&result, "explore play");
        assert_non_null(strstr(result.out, "play: COMPLETE"));
        if (first) {
            assert_string_equal(result.out, first);
        }
        g_free(first);
        first = g_strdup(result.out);
        child_finish(&result);
    }
}

/* What two IOThreads did on a file, and what they nearly did. */
static void test_near_a_recording(void **state)
{
    ChildResult result = aiolab("play", trace, "--image", image, "--write",
                                "--asap", "--iothreads", "2", "--verify", "-o",
                                recording, "-q", NULL);

    child_expect_ok(&result, "play");
    child_finish(&result);
    result = aiolab("explore", "--neighbourhood", recording, "--max", "300",
                    NULL);
    child_expect_ok(&result, "explore --neighbourhood");
    assert_non_null(strstr(result.out, "play: nothing found  300 schedules, 0 "
                                       "failing"));
    child_finish(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_schedules),
        cmocka_unit_test(test_near_a_recording),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
