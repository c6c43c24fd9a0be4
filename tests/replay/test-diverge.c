/* SPDX-License-Identifier: MIT */
/*
 * Logs that are whole and wrong: one input was changed, left out or repeated,
 * and all checksums are right.  Every change of what a replay compares must be
 * noticed, and none may do more harm than to be reported.
 */
#include "child.h"
#include "log.h"
#include "program.h"
#include "testlib.h"

#include <unistd.h>

enum { SECONDS = 5, CHANGES = 120 };

static char *dir, *whole, *changed;
static Input *inputs;
static size_t n_inputs;
static Log *source;
static uint64_t rng;
static unsigned statuses[8];

static uint64_t next_random(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng >> 11;
}

static void setup_log(const char *scenario, const char *host)
{
    g_autofree char *image = new_image(dir, 1 << 20);
    g_autofree char *param = g_strconcat("image=", image, NULL);
    Error *err = NULL;
    ChildResult result =
        g_str_equal(scenario, "file-io")
            ? aiolab("record", scenario, host, "-p", param, "-p", "requests=20",
                     "-p", "depth=3", "-p", "block=512", "--no-index", "-f",
                     "-o", whole, NULL)
            : aiolab("record", scenario, host, "--seed=2", "--no-index", "-f",
                     "-o", whole, NULL);

    child_expect_ok(&result, "record");
    child_finish(&result);
    if (source) {
        log_close(source, NULL);
        g_free(inputs);
    }
    source = log_open(whole, &err);
    assert_non_null(source);
    inputs = log_inputs(source, &n_inputs, &err);
    assert_non_null(inputs);
}

static int setup(void **state)
{
    dir = test_dir_new();
    whole = g_build_filename(dir, "whole.aiolog", NULL);
    changed = g_build_filename(dir, "changed.aiolog", NULL);
    rng = test_number("AIOLAB_TEST_SEED", 1) * 2654435761u + 1;
    return 0;
}

static int teardown(void **state)
{
    print_message("replay: %u identical, %u damaged, %u diverged\n",
                  statuses[0], statuses[3], statuses[4]);
    log_close(source, NULL);
    g_free(inputs);
    test_dir_free(dir);
    g_free(whole);
    g_free(changed);
    return 0;
}

/* ---- Writing a log ---- */

static void copy_meta(const char *name, const char *value, void *opaque)
{
    log_set_meta(opaque, name, value);
}

static void copy_payload(Log *log, uint64_t hash)
{
    size_t len;
    g_autofree void *data = log_payload(source, hash, &len);

    if (data) {
        log_put_payload(log, hash, data, len);
    }
}

static void write_log(const Input *in, size_t n)
{
    Error *err = NULL;
    Log *log = log_create(changed, true, &err);

    assert_non_null(log);
    log_foreach_meta(source, copy_meta, log);
    log_set_meta_int(log, "inputs", n);
    for (size_t i = 0; i < n_inputs; i++) {
        copy_payload(log, inputs[i].b);
    }
    for (size_t i = 0; i < n; i += CHUNK_INPUTS) {
        log_put_chunk(log, 0, in + i, MIN(CHUNK_INPUTS, n - i));
    }
    log_commit(log);
    assert_true(log_close(log, &err));
}

/* Returns the exit status of a replay of these inputs, numbered anew. */
static int replay_changed(Input *in, size_t n, const char *what)
{
    ChildResult result;
    int status;

    for (size_t i = 0; i < n; i++) {
        in[i].ticket = i + 1;
    }
    write_log(in, n);
    result = aiolab_limited(SECONDS, "replay", changed, NULL);
    status = result.status;
    if (status != 0 && status != 3 && status != 4) {
        g_autofree char *kept = g_build_filename(g_get_tmp_dir(),
                                                 "changed.aiolog", NULL);

        g_assert_true(rename(changed, kept) == 0);
        fail_msg("%s: status %d, signal %d, kept as %s, stderr: %s", what,
                 status, result.signal, kept, result.err);
    }
    if (status == 4 && !g_str_has_prefix(result.err, "DIVERGENCE at input ")) {
        fail_msg("%s: no report: %s", what, result.err);
    }
    statuses[status]++;
    child_finish(&result);
    return status;
}

/* ---- Changes ---- */

static Input *copy_inputs(void)
{
    Input *copy = g_new(Input, n_inputs + 1);

    memcpy(copy, inputs, n_inputs * sizeof(Input));
    return copy;
}

static void test_unchanged(void **state)
{
    g_autofree Input *copy = NULL;

    setup_log("file-io", "--host=live");
    copy = copy_inputs();
    assert_int_equal(replay_changed(copy, n_inputs, "unchanged"), 0);
}

/* Inputs that a replay cannot do without, or with something else. */
static bool must_be_noticed(const Input *in)
{
    return !input_is_skipped(in->kind) && in->kind != INPUT_CLOCK;
}

static void test_left_out(void **state)
{
    for (unsigned i = 0; i < CHANGES / 3; i++) {
        size_t at = next_random() % n_inputs;
        g_autofree Input *copy = copy_inputs();
        g_autofree char *what = g_strdup_printf("without input %zu", at + 1);
        int status;

        memmove(copy + at, copy + at + 1,
                (n_inputs - at - 1) * sizeof(Input));
        status = replay_changed(copy, n_inputs - 1, what);
        if (status == 0 && must_be_noticed(&inputs[at])) {
            fail_msg("%s: not noticed", what);
        }
    }
}

static void test_repeated(void **state)
{
    for (unsigned i = 0; i < CHANGES / 3; i++) {
        size_t at = next_random() % n_inputs;
        g_autofree Input *copy = copy_inputs();
        g_autofree char *what = g_strdup_printf("input %zu twice", at + 1);
        int status;

        memmove(copy + at + 1, copy + at, (n_inputs - at) * sizeof(Input));
        status = replay_changed(copy, n_inputs + 1, what);
        /* What stands behind the end is not looked at. */
        if (status == 0 && must_be_noticed(&inputs[at]) &&
            at + 1 < n_inputs) {
            fail_msg("%s: not noticed", what);
        }
    }
}

static void test_digests(void **state)
{
    for (size_t at = 0; at < n_inputs; at++) {
        g_autofree Input *copy = copy_inputs();
        g_autofree char *what = g_strdup_printf("digest of input %zu", at + 1);

        if (inputs[at].kind == INPUT_TURN || inputs[at].kind == INPUT_END) {
            copy[at].a ^= 1ULL << next_random() % 64;
            assert_int_equal(replay_changed(copy, n_inputs, what), 4);
        }
    }
}

/* Completions that bring other data, or another result, change the run. */
static void test_results(void **state)
{
    for (size_t at = 0; at < n_inputs; at++) {
        g_autofree Input *copy = copy_inputs();
        g_autofree char *what = g_strdup_printf("result of input %zu", at + 1);

        if (inputs[at].kind == INPUT_CQE || inputs[at].kind == INPUT_CQE_DATA ||
            inputs[at].kind == INPUT_CQE_HASH) {
            copy[at].a = next_random() % 2 ? (uint64_t)-EIO : copy[at].a + 1;
            if (replay_changed(copy, n_inputs, what) == 0) {
                fail_msg("%s: not noticed", what);
            }
        }
    }
}

static uint64_t hostile_value(uint64_t value)
{
    static const uint64_t values[] = {
        0, 1, 2, 255, 65535, 65536, 1 << 20, INT32_MAX, (uint64_t)INT32_MIN,
        UINT32_MAX, INT64_MAX, (uint64_t)INT64_MIN, UINT64_MAX, -5ULL,
    };
    unsigned choice = next_random() % (ARRAY_SIZE(values) + 4);

    return choice < ARRAY_SIZE(values) ? values[choice]
         : choice % 2 ? value + 1 : value ^ 1ULL << next_random() % 64;
}

static void make_hostile(Input *in)
{
    switch (next_random() % 5) {
    case 0:
        in->kind = next_random() % INPUT_KIND_MAX;
        break;
    case 1:
        in->thread = next_random() % 2 ? next_random() % 4 : next_random();
        break;
    case 2:
        in->obj = hostile_value(in->obj);
        break;
    case 3:
        in->b = hostile_value(in->b);
        break;
    default:
        in->a = hostile_value(in->a);
        break;
    }
}

static void run_hostile(const char *what_log)
{
    unsigned n = test_number("AIOLAB_TEST_MUTATIONS", CHANGES);

    for (unsigned i = 0; i < n; i++) {
        size_t at = next_random() % n_inputs;
        g_autofree Input *copy = copy_inputs();
        g_autofree char *what = NULL;

        make_hostile(&copy[at]);
        what = g_strdup_printf(
            "%s, input %zu: kind %u thread %u obj %" PRIu64 " a %" PRIu64
            " b %" PRIu64, what_log, at + 1, copy[at].kind, copy[at].thread,
            copy[at].obj, copy[at].a, copy[at].b);
        replay_changed(copy, n_inputs, what);
    }
}

static void test_hostile(void **state)
{
    run_hostile("file-io");
    setup_log("drain", "--host=sim");
    run_hostile("drain");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unchanged),
        cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_digests),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
