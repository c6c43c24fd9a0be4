/* SPDX-License-Identifier: MIT */
/*
 * Damaged logs: whatever byte is changed and wherever the file is cut, replay
 * ends soon, by itself, with a status that its manual knows, and says what is
 * wrong in one line; verify says whole or damaged.
 */
#include "log.h"
#include "program.h"
#include "testlib.h"

#include <unistd.h>

enum { SECONDS = 5, MUTATIONS = 150, PAGE = 4096 };

static char *dir, *whole, *damaged;
static char *bytes;
static gsize size;
static uint64_t rng;
static unsigned statuses[8];

static void record(const char *index)
{
    g_autofree char *image = new_image(dir, 1 << 20);
    g_autofree char *param = g_strconcat("image=", image, NULL);
    ChildResult result = aiolab("record", "file-io", "-p", param, "-p",
                                "requests=12", "-p", "depth=3", "-p",
                                "block=512", index, "-f", "-o", whole, NULL);

    child_expect_ok(&result, "record");
    child_finish(&result);
    g_free(bytes);
    assert_true(g_file_get_contents(whole, &bytes, &size, NULL));
}

static int setup(void **state)
{
    dir = test_dir_new();
    whole = g_build_filename(dir, "whole.aiolog", NULL);
    damaged = g_build_filename(dir, "damaged.aiolog", NULL);
    rng = test_number("AIOLAB_TEST_SEED", 1) * 2654435761u + 1;
    return 0;
}

static int teardown(void **state)
{
    print_message("replay: %u identical, %u damaged, %u diverged\n",
                  statuses[0], statuses[3], statuses[4]);
    test_dir_free(dir);
    g_free(whole);
    g_free(damaged);
    g_free(bytes);
    return 0;
}

static uint64_t next_random(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng >> 11;
}

static unsigned count_lines(const char *text)
{
    unsigned n = 0;

    for (; *text; text++) {
        n += *text == '\n';
    }
    return n;
}

/* Keeps the file for whoever looks into the failure. */
static void QEMU_NORETURN give_up(const ChildResult *result,
                                  const char *command, const char *what)
{
    g_autofree char *kept = g_build_filename(g_get_tmp_dir(),
                                             "damaged.aiolog", NULL);

    if (rename(damaged, kept) == 0) {
        print_message("kept as %s\n", kept);
    }
    fail_msg("%s, %s: status %d, signal %d%s, stderr: %s", what, command,
             result->status, result->signal, result->late ? " (late)" : "",
             result->err);
    abort();
}

static void expect_graceful(const char *data, size_t len, const char *what)
{
    ChildResult result;

    assert_true(g_file_set_contents(damaged, data, len, NULL));
    result = aiolab_limited(SECONDS, "replay", damaged, NULL);
    if (result.late || (result.status != 0 && result.status != 3 &&
                        result.status != 4) ||
        (result.status == 3 && count_lines(result.err) != 1)) {
        give_up(&result, "replay", what);
    }
    statuses[result.status]++;
    child_finish(&result);
    result = aiolab_limited(SECONDS, "verify", damaged, NULL);
    if (result.late || (result.status != 0 && result.status != 3) ||
        (result.status == 3 && count_lines(result.err) != 1)) {
        give_up(&result, "verify", what);
    }
    child_finish(&result);
}

static void expect_refused(const char *data, size_t len, const char *text);

static void flip_at(size_t at)
{
    uint8_t change = 1 << next_random() % 8;
    g_autofree char *what = NULL;

    if (next_random() % 2) {
        change = 1 + next_random() % 255;
    }
    what = g_strdup_printf("byte %zu xor 0x%02x", at, change);
    bytes[at] ^= change;
    expect_graceful(bytes, size, what);
    bytes[at] ^= change;
}

static void flip_some(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        /* Half of them where a page begins: there SQLite's structure is. */
        size_t at = next_random() % size;

        flip_at(i % 2 ? at : at / PAGE * PAGE + at % 128);
    }
}

static void test_flips(void **state)
{
    unsigned n = test_number("AIOLAB_TEST_MUTATIONS", MUTATIONS);

    record("--no-index");
    expect_graceful(bytes, size, "unchanged");
    assert_int_equal(statuses[0], 1);
    flip_some(n * 2 / 3);
    record("-q"); /* with its tables */
    flip_some(n / 6);
}

/* Where the packed inputs stand in the file; the log is one chunk. */
static size_t find_chunk(size_t *len)
{
    g_autofree uint8_t *packed = NULL;
    g_autofree Input *inputs = NULL;
    Error *err = NULL;
    Log *log = log_open(whole, &err);
    char *at;
    size_t n;

    assert_non_null(log);
    inputs = log_inputs(log, &n, &err);
    assert_non_null(inputs);
    assert_true(n <= CHUNK_INPUTS);
    log_close(log, NULL);
    packed = g_malloc(n * INPUT_PACKED_MAX);
    *len = inputs_pack(inputs, n, packed);
    /* A long chunk goes on in another page: its beginning is enough. */
    *len = MIN(*len, 64);
    at = memmem(bytes, size, packed, *len);
    assert_non_null(at);
    return at - bytes;
}

/* A changed input is damage, whether or not a replay would notice. */
static void test_checksum(void **state)
{
    size_t len, at;

    record("--no-index");
    at = find_chunk(&len);
    for (size_t i = 0; i < len; i++) {
        bytes[at + i] ^= 1 << i % 8;
        expect_refused(bytes, size, "damaged");
        bytes[at + i] ^= 1 << i % 8;
    }
}

static void test_truncations(void **state)
{
    unsigned n = test_number("AIOLAB_TEST_MUTATIONS", MUTATIONS) / 6;

    record("--no-index");
    for (unsigned i = 0; i < n; i++) {
        size_t len = i % 2 ? next_random() % size
                           : next_random() % (size / PAGE) * PAGE;
        g_autofree char *what = g_strdup_printf("cut at %zu", len);

        expect_graceful(bytes, len, what);
    }
}

static void expect_refused(const char *data, size_t len, const char *text)
{
    ChildResult result;

    assert_true(g_file_set_contents(damaged, data, len, NULL));
    for (int i = 0; i < 2; i++) {
        result = aiolab_limited(SECONDS, i ? "verify" : "replay", damaged,
                                NULL);
        child_expect_status(&result, 3, text);
        assert_int_equal(count_lines(result.err), 1);
        assert_string_equal(result.out, "");
        if (!strstr(result.err, text) || !strstr(result.err, damaged)) {
            fail_msg("it does not say \"%s\": %s", text, result.err);
        }
        child_finish(&result);
    }
}

static void test_not_a_log(void **state)
{
    static const char jpeg[] = "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0";
    g_autofree char *zeroes = g_malloc0(8192);

    expect_refused("", 0, "");
    expect_refused(jpeg, sizeof(jpeg) - 1, "");
    expect_refused(zeroes, 8192, "");
    expect_refused("SQLite format 3", 16, "");
}

/* user_version is a big-endian number at byte 60, application_id at 68. */
static void test_versions(void **state)
{
    record("--no-index");
    bytes[63] = 99;
    expect_refused(bytes, size, "99");
    bytes[63] = 0;
    expect_refused(bytes, size, "");
    bytes[63] = LOG_VERSION - 1;
    expect_refused(bytes, size, "use an older aiolab");
    bytes[63] = LOG_VERSION;
    bytes[68] ^= 1;
    expect_refused(bytes, size, "");
    bytes[68] ^= 1;
    expect_graceful(bytes, size, "as it was");
}

static void test_missing(void **state)
{
    ChildResult result;

    unlink(damaged);
    result = aiolab("replay", damaged, NULL);
    child_expect_status(&result, 3, "no such file");
    assert_int_equal(count_lines(result.err), 1);
    child_finish(&result);
    assert_false(g_file_test(damaged, G_FILE_TEST_EXISTS));
    result = aiolab("replay", dir, NULL);
    child_expect_status(&result, 3, "a directory");
    assert_int_equal(count_lines(result.err), 1);
    child_finish(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flips),
        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_truncations),
        cmocka_unit_test(test_not_a_log),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_missing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
