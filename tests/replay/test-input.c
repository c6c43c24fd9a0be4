/* SPDX-License-Identifier: MIT */
/*
 * The packed form of inputs: what goes in comes out, in any mixture of kinds,
 * threads and values, and bytes that were not packed so are refused.
 */
#include "child.h"
#include "input.h"
#include "testlib.h"

enum { ROUNDS = 300 };

static uint64_t rng = 1;

static uint64_t next_random(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}

/* Small, near the last one, or anything; the ends of the range included. */
static uint64_t random_value(uint64_t last)
{
    static const uint64_t ends[] = {
        0, 1, 127, 128, INT64_MAX, (uint64_t)INT64_MIN, UINT64_MAX,
    };

    switch (next_random() % 4) {
    case 0:
        return next_random() % 200;
    case 1:
        return last + next_random() % 3 - 1;
    case 2:
        return ends[next_random() % ARRAY_SIZE(ends)];
    default:
        return next_random();
    }
}

/* The same kind again, and often the same difference as before. */
static void like_the_last(Input *in, const Input *last, const Input *before)
{
    uint64_t ticket = in->ticket;
    uint32_t thread = in->thread;

    *in = *last;
    in->ticket = ticket;
    in->thread = thread;
    if (before && before->kind == last->kind &&
        input_table[in->kind].packing[0] == 'd') {
        in->obj += last->obj - before->obj;
    }
}

static Input *random_inputs(unsigned n)
{
    Input *inputs = g_new0(Input, n + 1);
    Input last = {.ticket = next_random() % 1000};

    for (unsigned i = 0; i < n; i++) {
        Input *in = &inputs[i];
        const char *packing;

        in->kind = next_random() % INPUT_KIND_MAX;
        in->ticket = last.ticket + 1 + (next_random() % 3 ? 0
                                                          : next_random() % 99);
        in->thread = next_random() % 4 ? last.thread : next_random() % 300;
        packing = input_table[in->kind].packing;
        in->obj = packing[0] == '-' ? 0 : random_value(last.obj);
        in->a = packing[1] == '-' ? 0 : random_value(last.a);
        in->b = packing[2] == '-' ? 0 : random_value(last.b);
        if (packing[2] == 'h') {
            in->b >>= 16;
        }
        if (next_random() % 2 && i) {
            like_the_last(in, &inputs[i - 1], i > 1 ? &inputs[i - 2] : NULL);
        }
        last = *in;
    }
    return inputs;
}

static void assert_inputs_equal(const Input *x, const Input *y, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(x[i].ticket, y[i].ticket);
        assert_int_equal(x[i].thread, y[i].thread);
        assert_int_equal(x[i].kind, y[i].kind);
        assert_int_equal(x[i].obj, y[i].obj);
        assert_int_equal(x[i].a, y[i].a);
        assert_int_equal(x[i].b, y[i].b);
    }
}

static unsigned random_size(unsigned round)
{
    return round % 10 ? next_random() % 40 : CHUNK_INPUTS;
}

static void test_round_trip(void **state)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned n = random_size(round);
        g_autofree Input *in = random_inputs(n);
        g_autofree Input *out = g_new0(Input, n + 1);
        g_autofree uint8_t *data = g_malloc(n * INPUT_PACKED_MAX + 1);
        size_t len = inputs_pack(in, n, data);

        assert_true(len <= (size_t)n * INPUT_PACKED_MAX);
        assert_true(inputs_unpack(data, len, out, n));
        assert_inputs_equal(in, out, n);
    }
}

static void test_table(void **state)
{
    for (unsigned kind = 0; kind < INPUT_KIND_MAX; kind++) {
        const InputInfo *info = &input_table[kind];

        assert_non_null(info->name);
        assert_int_equal(strlen(info->packing), 3);
        /* What has a meaning is stored, and nothing else is. */
        assert_int_equal(info->obj != NULL, info->packing[0] != '-');
        assert_int_equal(info->a != NULL, info->packing[1] != '-');
        assert_int_equal(info->b != NULL, info->packing[2] != '-');
    }
}

/* In a block of its own size, so that a read past it is seen by sanitizers. */
static bool unpack_exact(const uint8_t *data, size_t len, unsigned n)
{
    g_autofree Input *out = g_new0(Input, n + 1);
    uint8_t *copy = malloc(len ? len : 1);
    bool ok;

    memcpy(copy, data, len);
    ok = inputs_unpack(copy, len, out, n);
    free(copy);
    return ok;
}

static void test_truncated(void **state)
{
    for (unsigned round = 1; round < 40; round++) {
        unsigned n = 1 + next_random() % 20;
        g_autofree Input *in = random_inputs(n);
        g_autofree uint8_t *data = g_malloc(n * INPUT_PACKED_MAX + 1);
        size_t len = inputs_pack(in, n, data);

        assert_true(unpack_exact(data, len, n));
        for (size_t cut = 0; cut < len; cut++) {
            assert_false(unpack_exact(data, cut, n));
        }
        data[len] = 0;
        assert_false(unpack_exact(data, len + 1, n)); /* one byte too many */
        assert_false(unpack_exact(data, len, n - 1));
        assert_false(unpack_exact(data, len, n + 1));
    }
}

static void test_garbage(void **state)
{
    unsigned refused = 0;

    for (unsigned round = 0; round < 3000; round++) {
        uint8_t data[64];
        size_t len = next_random() % sizeof(data);

        for (size_t i = 0; i < len; i++) {
            data[i] = next_random() >> 24;
        }
        refused += !unpack_exact(data, len, next_random() % 8);
    }
    /* Few random strings are a packing of that many inputs. */
    assert_true(refused > 2500);
}

static void test_bad_bytes(void **state)
{
    uint8_t unknown_kind[] = {INPUT_KIND_MAX, 0, 0, 0};
    uint8_t endless[16];

    assert_false(unpack_exact(unknown_kind, sizeof(unknown_kind), 1));
    memset(endless, 0xff, sizeof(endless));
    endless[0] = INPUT_CLOCK; /* then a number that does not end */
    assert_false(unpack_exact(endless, sizeof(endless), 1));
    assert_true(unpack_exact(endless, 0, 0));
}

static void test_crc(void **state)
{
    uint8_t data[] = "some bytes of a chunk";
    uint32_t crc = chunk_crc(data, sizeof(data), 5, 9, 3);

    assert_int_equal(chunk_crc(data, sizeof(data), 5, 9, 3), crc);
    assert_int_not_equal(chunk_crc(data, sizeof(data) - 1, 5, 9, 3), crc);
    assert_int_not_equal(chunk_crc(data, sizeof(data), 6, 9, 3), crc);
    assert_int_not_equal(chunk_crc(data, sizeof(data), 5, 8, 3), crc);
    assert_int_not_equal(chunk_crc(data, sizeof(data), 5, 9, 4), crc);
    data[3] ^= 1;
    assert_int_not_equal(chunk_crc(data, sizeof(data), 5, 9, 3), crc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_bad_bytes),
        cmocka_unit_test(test_crc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
