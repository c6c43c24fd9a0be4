/* SPDX-License-Identifier: MIT */
/*
 * Plays on files, by each engine: what may be written, holes, folded offsets,
 * patterns, and recordings that replay.
 */
#include "play-util.h"
#include "play.h"
#include "testlib.h"

#include <sys/stat.h>

static int setup(void **state)
{
    play_begin();
    return 0;
}

static int teardown(void **state)
{
    play_end();
    return 0;
}

static char *image(unsigned mib)
{
    return new_image(play_dir, (size_t)mib << 20);
}

static void test_engines(void **state)
{
    static const char *const engines[] = {"io_uring", "threads"};
    const char *trace = play_trace("engines", 400, 20, 10, 4);
    g_autofree char *file = image(4);

    for (unsigned i = 0; i < ARRAY_SIZE(engines); i++) {
        const char *log = play_file(engines[i]);

        g_free(play(0, trace, "--image", file, "--write", "--aio", engines[i],
                    "--iothreads", "2", "--verify", "-o", log, NULL));
        expect_identical(log, engines[i]);
        assert_int_equal(play_sql(log, "SELECT count(*) FROM play_request "
                                  "WHERE state = 'done' AND result = 0"), 400);
    }
}

static void test_unrecorded(void **state)
{
    const char *trace = play_trace("plain", 400, 20, 10, 4);
    g_autofree char *file = image(4);
    static const char *const waiters[] = {"sleep", "hybrid", "spin"};

    for (unsigned i = 0; i < ARRAY_SIZE(waiters); i++) {
        g_autofree char *out = play(0, trace, "--image", file, "--write",
                                    "--waiter", waiters[i], NULL);

        assert_non_null(strstr(out, "400 succeeded, 0 failed, 0 dropped"));
    }
}

static void test_refuses_to_write(void **state)
{
    const char *trace = play_trace_of("w", "100 file write 8192 4096\n"
                                      "200 file trim 16384 4096\n");
    g_autofree char *file = image(1);
    g_autofree char *before = NULL, *after = NULL;
    g_autofree char *err = NULL;
    size_t len;

    assert_true(g_file_get_contents(file, &before, &len, NULL));
    err = play_error(2, trace, "--image", file, NULL);
    assert_non_null(strstr(err, file));
    assert_non_null(strstr(err, "1 writes of 4096 bytes and 1 discards, "
                           "between byte 8192 and 20480"));
    assert_true(g_file_get_contents(file, &after, &len, NULL));
    assert_memory_equal(before, after, len);
    /* Reads of the same trace need no permission. */
    g_free(play_error(3, trace, "--image", file, "--where", "op = 'read'",
                      NULL));
}

/* Zeroes where the hole is, and what was there beside it; also in a replay. */
static void test_holes(void **state)
{
    const char *trace = play_trace_of("holes", "100 file trim 65536 131072\n"
                                      "9000 file read 65536 4096\n"
                                      "18000 file sync 0 0\n");
    const char *log = play_file("holes.play");
    g_autofree char *file = image(1);
    g_autofree char *before = NULL, *after = NULL;
    struct stat st;
    size_t len;

    assert_true(g_file_get_contents(file, &before, &len, NULL));
    g_free(play(0, trace, "--image", file, "--write", "--data", "hash", "-o",
                log, NULL));
    assert_true(g_file_get_contents(file, &after, &len, NULL));
    memset(before + 65536, 0, 131072);
    assert_memory_equal(before, after, len);
    assert_int_equal(stat(file, &st), 0);
    assert_true(st.st_blocks * 512 < (1 << 20));
    expect_identical(log, "a hole");
}

static void test_fold(void **state)
{
    const char *trace = play_trace("fold", 200, 20, 10, 64);
    g_autofree char *file = image(2);
    g_autofree char *err = play_error(3, trace, "--image", file, "--write",
                                      NULL);
    static const char *const ways[] = {"wrap", "scale"};

    assert_non_null(strstr(err, "give a larger one, or --fold"));
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        g_autofree char *out = play(0, trace, "--image", file, "--write",
                                    "--fold", ways[i], NULL);

        assert_non_null(strstr(out, "200 succeeded, 0 failed, 0 dropped, 0 "));
    }
    g_free(play(0, trace, "--image", file, "--write", "--fold", "skip", "-o",
                play_file("skip.play"), NULL));
    assert_int_equal(
        play_sql(play_file("skip.play"), "SELECT count(*) FROM play_request "
                 "WHERE (state = 'outside') != (offset + bytes > 2097152)"), 0);
}

static void test_map(void **state)
{
    const char *trace = play_file("map");
    g_autofree char *source = g_strconcat(trace, ".csv", NULL);
    g_autofree char *file = image(1);
    g_autofree char *map = g_strconcat("a=", file, NULL);
    const char *log = play_file("map.play");
    ChildResult result;

    assert_true(g_file_set_contents(source, "0,R,0,512,a\n10,R,512,512,b\n"
                                    "20,R,1024,512,a\n", -1, NULL));
    result = aiolab("import", "--columns", "time:us,op,offset,bytes,device",
                    source, "-o", trace, "-q", NULL);
    child_expect_status(&result, 0, "import");
    child_finish(&result);
    g_free(play(0, trace, "--map", map, "-o", log, NULL));
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_request"), 2);
    g_free(play(0, trace, "--map", map, "--image", file, "-f", "-o", log,
                NULL));
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_request"), 3);
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_target"), 2);
    assert_int_equal(play_sql(log, "SELECT count(*) FROM play_latency "
                              "WHERE device = 'b'"), 1);
    g_free(play_error(2, trace, "--map", "a", NULL));
    g_free(play_error(3, trace, "--map", "a=", "--map", "c=-", NULL));
}

/* What has a guest's disk inside is no disk, and is left as it is. */
static void test_image_formats(void **state)
{
    static const char head[] = "QFI\xfb\0\0\0\3";
    const char *trace = play_trace_of("formats", "0 file write 0 512\n");
    const char *file = play_file("guest.qcow2");
    g_autofree char *err = NULL, *after = NULL;
    gsize len;

    assert_true(g_file_set_contents(file, head, sizeof(head), NULL));
    err = play_error(3, trace, "--image", file, "--write", "--fold", "wrap",
                     NULL);
    assert_non_null(strstr(err, "is an image of format qcow2"));
    assert_true(g_file_get_contents(file, &after, &len, NULL));
    assert_int_equal(len, sizeof(head));
    g_free(play_error(3, trace, "--image", play_dir, NULL));
    g_free(play_error(3, trace, "--image", play_file("no-such"), NULL));
}

/* Written, read, zeroed by a hole's writer, and read again. */
static void test_verify(void **state)
{
    const char *trace = play_trace_of("verify",
        "0 file write 0 8192\n9000 file read 0 4096\n"
        "18000 file write 4096 4096\n27000 file read 0 8192\n");
    const char *log = play_file("verify.play");
    g_autofree char *file = image(1);
    g_autofree char *sim = play(0, trace, "--device", "ssd", "--verify", NULL);

    g_free(play(0, trace, "--image", file, "--write", "--verify", "-o", log,
                NULL));
    assert_int_equal(play_sql(log, "SELECT value FROM meta "
                              "WHERE name = 'result.verified'"), 24);
    assert_int_equal(play_sql(log, "SELECT value FROM meta "
                              "WHERE name = 'result.wrong'"), 0);
    expect_identical(log, "patterns");
    assert_non_null(strstr(sim, "4 succeeded"));
}

/* What is not there is found, and what nobody can know is not complained of. */
static void test_wrong_data(void **state)
{
    PlayVerify *v = play_verify_new(3);
    VerifyRange both = {1, 512, 1024}, second = {1, 1024, 512};
    VerifyRange elsewhere = {2, 512, 1024};
    uint8_t data[1024];
    uint64_t sector = 0, wrong;
    void *seen;

    play_verify_write_begin(v, both, 7, data);
    play_verify_write_end(v, both, 7);
    seen = play_verify_read_begin(v, both);
    assert_true(play_verify_read_end(v, both, seen, data, &sector));
    data[1000] ^= 1;
    seen = play_verify_read_begin(v, both);
    assert_false(play_verify_read_end(v, both, seen, data, &sector));
    assert_int_equal(sector, 2);
    seen = play_verify_read_begin(v, elsewhere);
    assert_true(play_verify_read_end(v, elsewhere, seen, data, &sector));
    /* Zeroes, then a write in the middle of the read, then two at once. */
    play_verify_write_begin(v, second, 8, NULL);
    play_verify_write_end(v, second, VERIFY_ZEROES);
    seen = play_verify_read_begin(v, second);
    assert_false(play_verify_read_end(v, second, seen, data, &sector));
    memset(data, 0, 512);
    seen = play_verify_read_begin(v, second);
    assert_true(play_verify_read_end(v, second, seen, data, &sector));
    seen = play_verify_read_begin(v, second);
    play_verify_write_begin(v, second, 9, data);
    play_verify_write_begin(v, second, 10, data);
    play_verify_write_end(v, second, 9);
    play_verify_write_end(v, second, 10);
    assert_true(play_verify_read_end(v, second, seen, data, &sector));
    seen = play_verify_read_begin(v, second);
    assert_true(play_verify_read_end(v, second, seen, data, &sector));
    assert_int_equal(play_verify_checked(v, &wrong), 2 + 2 + 1 + 1);
    assert_int_equal(wrong, 2);
    play_verify_free(v);
}

/* On the fly, from a file that is no log; and it must not stay behind. */
static void test_on_the_fly(void **state)
{
    const char *text = play_file("fly.iolog");
    g_autofree char *out = NULL;

    assert_true(g_file_set_contents(text, "fio version 3 iolog\n0 f add\n"
                                    "0 f open\n5 f read 0 4096\n", -1, NULL));
    out = play(0, text, "--device", "null", NULL);
    assert_non_null(strstr(out, "1 requests"));
    assert_non_null(strstr(out, "1 succeeded"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_engines), TEST(test_unrecorded), TEST(test_refuses_to_write),
        TEST(test_holes), TEST(test_fold), TEST(test_map),
        TEST(test_image_formats), TEST(test_verify),
        TEST(test_wrong_data), TEST(test_on_the_fly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
