/* SPDX-License-Identifier: MIT */
/* The intrusive lists of qemu/queue.h. */
#include "qemu/osdep.h"
#include "qemu/queue.h"
#include "testlib.h"

enum { N = 6 };

typedef struct Item {
    char letter;
    QSLIST_ENTRY(Item) s;
    QLIST_ENTRY(Item) l;
    QSIMPLEQ_ENTRY(Item) q;
    QTAILQ_ENTRY(Item) t;
} Item;

static Item items[N];
static Item *const a = &items[0], *const b = &items[1], *const c = &items[2],
            *const d = &items[3];

static int fresh(void **state)
{
    memset(items, 0, sizeof(items));
    for (int i = 0; i < N; i++) {
        items[i].letter = 'a' + i;
    }
    return 0;
}

/* The letters of a list, by the way it is walked. */
#define WALK(FOREACH, ...)                 \
    ({                                     \
        static char text_[N + 1];          \
        unsigned n_ = 0;                   \
        Item *item;                        \
        FOREACH(item, __VA_ARGS__) {       \
            assert_true(n_ < N);           \
            text_[n_++] = item->letter;    \
        }                                  \
        text_[n_] = '\0';                  \
        text_;                             \
    })

/* ---- QSLIST ---- */

typedef QSLIST_HEAD(SList, Item) SList;

static void test_slist(void **state)
{
    SList list = QSLIST_HEAD_INITIALIZER(list);
    Item *item, *next;

    assert_true(QSLIST_EMPTY(&list));
    QSLIST_INSERT_HEAD(&list, c, s);
    QSLIST_INSERT_HEAD(&list, a, s);
    QSLIST_INSERT_AFTER(a, b, s);
    QSLIST_INSERT_AFTER(c, d, s);
    assert_string_equal(WALK(QSLIST_FOREACH, &list, s), "abcd");
    QSLIST_REMOVE_AFTER(a, s);
    assert_null(QSLIST_NEXT(b, s));
    QSLIST_REMOVE(&list, d, Item, s);
    assert_string_equal(WALK(QSLIST_FOREACH, &list, s), "ac");
    QSLIST_REMOVE_HEAD(&list, s);
    assert_null(QSLIST_NEXT(a, s));
    assert_ptr_equal(QSLIST_FIRST(&list), c);
    QSLIST_FOREACH_SAFE(item, &list, s, next) {
        QSLIST_REMOVE_HEAD(&list, s);
    }
    assert_true(QSLIST_EMPTY(&list));
}

static void test_slist_atomic(void **state)
{
    SList list, taken;

    QSLIST_INIT(&list);
    QSLIST_INSERT_HEAD_ATOMIC(&list, a, s);
    QSLIST_INSERT_HEAD_ATOMIC(&list, b, s);
    QSLIST_MOVE_ATOMIC(&taken, &list);
    assert_true(QSLIST_EMPTY(&list));
    assert_string_equal(WALK(QSLIST_FOREACH, &taken, s), "ba");
}

/* ---- QLIST ---- */

typedef QLIST_HEAD(List, Item) List;

static void test_list(void **state)
{
    List list = QLIST_HEAD_INITIALIZER(list), other;
    Item *item, *next;

    QLIST_INIT(&other);
    QLIST_INSERT_HEAD(&list, b, l);
    QLIST_INSERT_BEFORE(b, a, l);
    QLIST_INSERT_AFTER(b, d, l);
    QLIST_INSERT_BEFORE(d, c, l);
    assert_string_equal(WALK(QLIST_FOREACH, &list, l), "abcd");
    assert_string_equal(WALK(QLIST_FOREACH_RCU, &list, l), "abcd");
    assert_true(QLIST_IS_INSERTED(c, l));
    QLIST_SAFE_REMOVE(c, l);
    assert_false(QLIST_IS_INSERTED(c, l));
    QLIST_SAFE_REMOVE(c, l);
    QLIST_INSERT_HEAD_RCU(&other, c, l);
    QLIST_SWAP(&list, &other, l);
    assert_string_equal(WALK(QLIST_FOREACH, &list, l), "c");
    assert_string_equal(WALK(QLIST_FOREACH, &other, l), "abd");
    QLIST_REMOVE(a, l); /* the first knows its new head */
    assert_ptr_equal(QLIST_FIRST(&other), b);
    assert_ptr_equal(QLIST_NEXT(b, l), d);
    QLIST_FOREACH_SAFE(item, &other, l, next) {
        QLIST_REMOVE(item, l);
    }
    assert_true(QLIST_EMPTY(&other));
}

static void test_list_raw(void **state)
{
    const size_t entry = offsetof(Item, l);
    List list = QLIST_HEAD_INITIALIZER(list);
    void *elm;
    char text[N + 1] = "";
    unsigned n = 0;

    QLIST_RAW_INSERT_HEAD(&list, c, entry);
    QLIST_RAW_INSERT_AFTER(&list, NULL, a, entry);
    QLIST_RAW_INSERT_AFTER(&list, (void *)a, b, entry);
    QLIST_RAW_INSERT_AFTER(&list, (void *)c, d, entry);
    assert_string_equal(WALK(QLIST_FOREACH, &list, l), "abcd");
    QLIST_RAW_FOREACH(elm, &list, entry) {
        text[n++] = ((Item *)elm)->letter;
    }
    assert_string_equal(text, "abcd");
    QLIST_RAW_REVERSE(&list, elm, entry);
    assert_string_equal(WALK(QLIST_FOREACH, &list, l), "dcba");
    QLIST_REMOVE(b, l); /* the links back are right too */
    QLIST_REMOVE(d, l);
    assert_string_equal(WALK(QLIST_FOREACH, &list, l), "ca");
}

/* ---- QSIMPLEQ ---- */

typedef QSIMPLEQ_HEAD(SimpleQ, Item) SimpleQ;

static void test_simpleq(void **state)
{
    SimpleQ q = QSIMPLEQ_HEAD_INITIALIZER(q);
    Item *item, *next;

    assert_null(QSIMPLEQ_LAST(&q, Item, q));
    QSIMPLEQ_INSERT_TAIL(&q, b, q);
    QSIMPLEQ_INSERT_HEAD(&q, a, q);
    QSIMPLEQ_INSERT_AFTER(&q, b, d, q);
    QSIMPLEQ_INSERT_AFTER(&q, b, c, q);
    assert_string_equal(WALK(QSIMPLEQ_FOREACH, &q, q), "abcd");
    assert_ptr_equal(QSIMPLEQ_LAST(&q, Item, q), d);
    QSIMPLEQ_REMOVE(&q, b, Item, q);
    assert_null(QSIMPLEQ_NEXT(b, q));
    QSIMPLEQ_REMOVE(&q, d, Item, q);
    QSIMPLEQ_INSERT_TAIL(&q, b, q);
    assert_string_equal(WALK(QSIMPLEQ_FOREACH, &q, q), "acb");
    QSIMPLEQ_REMOVE_HEAD(&q, q);
    assert_null(QSIMPLEQ_NEXT(a, q));
    QSIMPLEQ_FOREACH_SAFE(item, &q, q, next) {
        QSIMPLEQ_REMOVE(&q, item, Item, q);
    }
    assert_true(QSIMPLEQ_EMPTY(&q));
    assert_true(QSIMPLEQ_EMPTY_ATOMIC(&q));
    QSIMPLEQ_INSERT_TAIL(&q, d, q);
    assert_ptr_equal(QSIMPLEQ_FIRST(&q), d);
}

static void test_simpleq_join_and_split(void **state)
{
    SimpleQ q, other;

    QSIMPLEQ_INIT(&q);
    QSIMPLEQ_INIT(&other);
    for (int i = 0; i < N; i++) {
        QSIMPLEQ_INSERT_TAIL(&q, &items[i], q);
    }
    QSIMPLEQ_SPLIT_AFTER(&q, b, q, &other);
    assert_string_equal(WALK(QSIMPLEQ_FOREACH, &q, q), "cdef");
    assert_string_equal(WALK(QSIMPLEQ_FOREACH, &other, q), "ab");
    QSIMPLEQ_CONCAT(&q, &other);
    assert_true(QSIMPLEQ_EMPTY(&other));
    assert_string_equal(WALK(QSIMPLEQ_FOREACH, &q, q), "cdefab");
    QSIMPLEQ_SPLIT_AFTER(&q, b, q, &other); /* all of it */
    assert_true(QSIMPLEQ_EMPTY(&q));
    QSIMPLEQ_PREPEND(&q, &other); /* to an empty one */
    QSIMPLEQ_REMOVE_HEAD(&q, q);
    QSIMPLEQ_INSERT_TAIL(&other, c, q);
    QSIMPLEQ_PREPEND(&q, &other);
    assert_string_equal(WALK(QSIMPLEQ_FOREACH, &q, q), "cdefab");
    assert_ptr_equal(QSIMPLEQ_LAST(&q, Item, q), b);
    QSIMPLEQ_CONCAT(&other, &q); /* from and to an empty one */
    QSIMPLEQ_CONCAT(&other, &q);
    assert_string_equal(WALK(QSIMPLEQ_FOREACH, &other, q), "cdefab");
}

/* ---- QTAILQ ---- */

typedef QTAILQ_HEAD(TailQ, Item) TailQ;

static void check_both_ways(TailQ *q, const char *forward,
                            const char *backward)
{
    assert_string_equal(WALK(QTAILQ_FOREACH, q, t), forward);
    assert_string_equal(WALK(QTAILQ_FOREACH_REVERSE, q, t), backward);
}

static void test_tailq(void **state)
{
    TailQ q = QTAILQ_HEAD_INITIALIZER(q);

    assert_true(QTAILQ_EMPTY(&q));
    assert_null(QTAILQ_FIRST(&q));
    assert_null(QTAILQ_LAST(&q));
    QTAILQ_INSERT_HEAD(&q, b, t);
    QTAILQ_INSERT_BEFORE(b, a, t);
    QTAILQ_INSERT_TAIL(&q, d, t);
    QTAILQ_INSERT_AFTER(&q, b, c, t);
    QTAILQ_INSERT_AFTER(&q, d, &items[4], t);
    check_both_ways(&q, "abcde", "edcba");
    assert_ptr_equal(QTAILQ_NEXT(a, t), b);
    assert_ptr_equal(QTAILQ_PREV(b, t), a);
    assert_null(QTAILQ_PREV(a, t));
    assert_ptr_equal(QTAILQ_LAST(&q), &items[4]);
    assert_true(QTAILQ_IN_USE(c, t));
    QTAILQ_REMOVE(&q, c, t);
    assert_false(QTAILQ_IN_USE(c, t));
    QTAILQ_REMOVE(&q, &items[4], t);
    QTAILQ_REMOVE(&q, a, t);
    check_both_ways(&q, "bd", "db");
}

static void test_tailq_while_walking(void **state)
{
    TailQ q;
    Item *item, *next;

    QTAILQ_INIT(&q);
    for (int i = 0; i < N; i++) {
        QTAILQ_INSERT_TAIL(&q, &items[i], t);
    }
    QTAILQ_REMOVE_SEVERAL(&q, c, d, t);
    check_both_ways(&q, "abef", "feba");
    QTAILQ_FOREACH_SAFE(item, &q, t, next) {
        if (item == b) {
            QTAILQ_REMOVE(&q, item, t);
        }
    }
    check_both_ways(&q, "aef", "fea");
    QTAILQ_FOREACH_REVERSE_SAFE(item, &q, t, next) {
        QTAILQ_REMOVE(&q, item, t);
    }
    check_both_ways(&q, "", "");
}

static void test_tailq_raw(void **state)
{
    const size_t entry = offsetof(Item, t);
    TailQ q = QTAILQ_HEAD_INITIALIZER(q);
    void *elm;
    unsigned n = 0;

    for (int i = 0; i < N; i++) {
        QTAILQ_RAW_INSERT_TAIL(&q, &items[i], entry);
    }
    QTAILQ_RAW_FOREACH(elm, &q, entry) {
        assert_ptr_equal(elm, &items[n++]);
    }
    assert_int_equal(n, N);
    check_both_ways(&q, "abcdef", "fedcba");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_slist, fresh),
        cmocka_unit_test_setup(test_slist_atomic, fresh),
        cmocka_unit_test_setup(test_list, fresh),
        cmocka_unit_test_setup(test_list_raw, fresh),
        cmocka_unit_test_setup(test_simpleq, fresh),
        cmocka_unit_test_setup(test_simpleq_join_and_split, fresh),
        cmocka_unit_test_setup(test_tailq, fresh),
        cmocka_unit_test_setup(test_tailq_while_walking, fresh),
        cmocka_unit_test_setup(test_tailq_raw, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
