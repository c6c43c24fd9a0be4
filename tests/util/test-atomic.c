/* SPDX-License-Identifier: MIT */
/* Atomics: what each operation does and returns, and for which types. */
#include "qemu/atomic.h"
#include "qemu/bitops.h"
#include "qemu/host-utils.h"
#include "qemu/osdep.h"
#include "testlib.h"

typedef enum Colour { RED, GREEN, BLUE } Colour;

static void test_values(void **state)
{
    unsigned x = 12;

    assert_int_equal(qatomic_fetch_inc(&x), 12);
    assert_int_equal(qatomic_fetch_dec(&x), 13);
    assert_int_equal(qatomic_fetch_add(&x, 8), 12);
    assert_int_equal(qatomic_fetch_sub(&x, 8), 20);
    assert_int_equal(qatomic_fetch_and(&x, 6), 12);
    assert_int_equal(qatomic_fetch_or(&x, 3), 4);
    assert_int_equal(qatomic_fetch_xor(&x, 5), 7);
    assert_int_equal(x, 2);

    assert_int_equal(qatomic_inc_fetch(&x), 3);
    assert_int_equal(qatomic_dec_fetch(&x), 2);
    assert_int_equal(qatomic_add_fetch(&x, 10), 12);
    assert_int_equal(qatomic_sub_fetch(&x, 2), 10);
    assert_int_equal(qatomic_and_fetch(&x, 6), 2);
    assert_int_equal(qatomic_or_fetch(&x, 5), 7);
    assert_int_equal(qatomic_xor_fetch(&x, 1), 6);

    qatomic_inc(&x);
    qatomic_dec(&x);
    qatomic_add(&x, 4);
    qatomic_sub(&x, 2);
    qatomic_and(&x, 12);
    qatomic_or(&x, 1);
    qatomic_xor(&x, 2);
    assert_int_equal(x, 11);
}

static void test_exchange(void **state)
{
    int x = 1;

    assert_int_equal(qatomic_xchg(&x, 2), 1);
    assert_int_equal(qatomic_cmpxchg(&x, 3, 4), 2); /* not made */
    assert_int_equal(x, 2);
    assert_int_equal(qatomic_cmpxchg(&x, 2, 4), 2); /* made */
    assert_int_equal(x, 4);
    assert_int_equal(qatomic_xchg__nocheck(&x, 5), 4);
    assert_int_equal(qatomic_cmpxchg__nocheck(&x, 5, 6), 5);
    qatomic_set_mb(&x, 7);
    assert_int_equal(qatomic_read__nocheck(&x), 7);
    qatomic_set__nocheck(&x, 8);
    assert_int_equal(x, 8);
}

/* Loads, stores and exchanges of any type, whatever its qualifiers. */
#define CHECK_TYPE(type, v1, v2)                                      \
    do {                                                              \
        volatile type x_ = (v1);                                      \
        const volatile type *const_x_ = &x_;                          \
        type got_;                                                    \
        assert_true(qatomic_read(&x_) == (v1));                       \
        assert_true(qatomic_read(const_x_) == (v1));                  \
        assert_true(qatomic_load_acquire(const_x_) == (v1));          \
        assert_true(qatomic_rcu_read(&x_) == (v1));                   \
        qatomic_rcu_read__nocheck(&x_, &got_);                        \
        assert_true(got_ == (v1));                                    \
        qatomic_set(&x_, v2);                                         \
        assert_true(x_ == (v2));                                      \
        qatomic_store_release(&x_, v1);                               \
        qatomic_rcu_set(&x_, v1);                                     \
        assert_true(qatomic_cmpxchg(&x_, v1, v2) == (v1));            \
        assert_true(qatomic_xchg(&x_, v1) == (v2));                   \
        assert_true(x_ == (v1));                                      \
    } while (0)

static void test_types(void **state)
{
    static int one, two;
    typedef int *Pointer;

    CHECK_TYPE(bool, true, false);
    CHECK_TYPE(char, 'x', 'y');
    CHECK_TYPE(int8_t, -1, 5);
    CHECK_TYPE(uint16_t, 0xffff, 1);
    CHECK_TYPE(int, -7, 7);
    CHECK_TYPE(uint64_t, UINT64_MAX, 1);
    CHECK_TYPE(Colour, BLUE, RED);
    CHECK_TYPE(Pointer, &one, &two);
    CHECK_TYPE(Pointer, &one, NULL);
}

/* A variable of the stripped type can be written, and has the same size. */
static void test_strip_qual(void **state)
{
    const volatile uint8_t byte = 3;
    const bool flag = true;
    int *const pointer = NULL;
    typeof_strip_qual(byte) b = byte;
    typeof_strip_qual(flag) f = flag;
    typeof_strip_qual(pointer) p = pointer;

    b++;
    f = !f;
    p = (int *)&byte;
    assert_int_equal(sizeof(b), 1);
    assert_int_equal(b, 4);
    assert_false(f);
    assert_non_null(p);
}

static void test_64_bits(void **state)
{
    aligned_int64_t i = -1;
    aligned_uint64_t u = 1;

    assert_true(qatomic_read_i64(&i) == -1);
    qatomic_set_i64(&i, INT64_MIN);
    assert_true(i == INT64_MIN);
    qatomic_set_u64(&u, UINT64_MAX);
    assert_true(qatomic_read_u64(&u) == UINT64_MAX);
}

static void test_barriers(void **state)
{
    barrier();
    signal_barrier();
    smp_mb();
    smp_mb_acquire();
    smp_mb_release();
    smp_rmb();
    smp_wmb();
    smp_mb__before_rmw();
    smp_mb__after_rmw();
    smp_read_barrier_depends();
    cpu_relax();
}

/* ---- The small macros of osdep.h, bitops.h and host-utils.h ---- */

static void test_numbers(void **state)
{
    int calls = 0;

    assert_int_equal(MIN(calls++, 5), 0);
    assert_int_equal(MAX(calls++, 0), 1);
    assert_int_equal(calls, 2);
    assert_int_equal(MAX(1, MIN(9, MAX(3, 4))), 4);
    assert_int_equal(MIN_NON_ZERO(0, 4), 4);
    assert_int_equal(MIN_NON_ZERO(4, 0), 4);
    assert_int_equal(MIN_NON_ZERO(4, 3), 3);
    assert_int_equal(MIN_NON_ZERO(3, 4), 3);
    assert_int_equal(QEMU_ALIGN_UP(13, 6), 18);
    assert_int_equal(QEMU_ALIGN_DOWN(13, 6), 12);
    assert_int_equal(ROUND_UP(13, 8), 16);
    assert_int_equal(ROUND_DOWN(13, 8), 8);
    assert_true(ROUND_UP(UINT64_C(1) << 40 | 1, 512) ==
                (UINT64_C(1) << 40) + 512);
    assert_int_equal(DIV_ROUND_UP(13, 6), 3);
    assert_true(is_power_of_2(64) && !is_power_of_2(0) && !is_power_of_2(65));
    assert_ptr_equal(QEMU_ALIGN_PTR_UP((char *)13, 8), (char *)16);
    assert_string_equal(stringify(MIN_CONST(1, 2)), "((1) < (2) ? (1) : (2))");
}

static void test_bits(void **state)
{
    unsigned long map[2] = {0};

    set_bit(BITS_PER_LONG + 1, map);
    assert_true(test_bit(BITS_PER_LONG + 1, map) && map[1] == 2);
    change_bit(0, map);
    clear_bit(BITS_PER_LONG + 1, map);
    assert_true(map[0] == 1 && map[1] == 0);
    assert_int_equal(extract64(0xabcd, 4, 8), 0xbc);
    assert_int_equal(deposit32(0xabcd, 4, 8, 0x12), 0xa12d);
    assert_true(MAKE_64BIT_MASK(4, 60) == ~UINT64_C(15));
    assert_int_equal(clz64(1), 63);
    assert_int_equal(ctz32(0), 32);
    assert_int_equal(ctpop64(0xff00), 8);
    assert_int_equal(pow2floor(100), 64);
    assert_int_equal(pow2ceil(100), 128);
    assert_int_equal(pow2ceil(64), 64);
    assert_true(muldiv64(UINT64_MAX, 10, 10) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_exchange),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_strip_qual),
        cmocka_unit_test(test_64_bits),
        cmocka_unit_test(test_barriers),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
