/* SPDX-License-Identifier: MIT */
/*
 * Coroutines by themselves: their life, nesting, who runs, stacks that are
 * used again.
 */
#include "harness.h"

#include "qemu/coroutine_int.h"

typedef struct CoTest {
    Coroutine *co;
    int n, max;
    bool done;
} CoTest;

static void coroutine_fn once_entry(void *opaque)
{
    CoTest *data = opaque;

    data->n++;
    data->done = true;
}

static void coroutine_fn yield_entry(void *opaque)
{
    CoTest *data = opaque;

    while (data->n < data->max) {
        data->n++;
        qemu_coroutine_yield();
    }
    data->done = true;
}

static void test_lifecycle(const ScenarioArgs *args)
{
    CoTest data = {.n = 0};

    for (int i = 1; i <= 3; i++) {
        data.done = false;
        data.co = qemu_coroutine_create(once_entry, &data);
        CHECK_EQ(data.n, i - 1); /* creating runs nothing */
        qemu_coroutine_enter(data.co);
        CHECK(data.done);
        CHECK_EQ(data.n, i);
    }
}

static void test_yield(const ScenarioArgs *args)
{
    CoTest data = {.max = 5};

    data.co = qemu_coroutine_create(yield_entry, &data);
    for (int i = 1; i <= 5; i++) {
        qemu_coroutine_enter(data.co);
        CHECK_EQ(data.n, i);
        CHECK(!data.done);
    }
    qemu_coroutine_enter(data.co);
    CHECK(data.done);
    CHECK_EQ(data.n, 5);
}

static void coroutine_fn self_entry(void *opaque)
{
    CoTest *data = opaque;

    CHECK(qemu_coroutine_self() == data->co);
    qemu_coroutine_yield();
    CHECK(qemu_coroutine_self() == data->co);
    data->done = true;
}

static void test_self(const ScenarioArgs *args)
{
    Coroutine *leader = qemu_coroutine_self();
    CoTest data = {.n = 0};

    CHECK(leader);
    data.co = qemu_coroutine_create(self_entry, &data);
    CHECK(data.co != leader);
    qemu_coroutine_enter(data.co);
    CHECK(qemu_coroutine_self() == leader);
    qemu_coroutine_enter(data.co);
    CHECK(data.done);
    CHECK(qemu_coroutine_self() == leader);
}

static void coroutine_fn in_coroutine_entry(void *opaque)
{
    CHECK(qemu_in_coroutine());
    qemu_coroutine_yield();
    CHECK(qemu_in_coroutine());
    ((CoTest *)opaque)->done = true;
}

static void test_in_coroutine(const ScenarioArgs *args)
{
    CoTest data = {.n = 0};

    CHECK(!qemu_in_coroutine());
    data.co = qemu_coroutine_create(in_coroutine_entry, &data);
    qemu_coroutine_enter(data.co);
    CHECK(!qemu_in_coroutine());
    qemu_coroutine_enter(data.co);
    CHECK(!qemu_in_coroutine());
    CHECK(data.done);
}

static void coroutine_fn entered_entry(void *opaque)
{
    CoTest *data = opaque;

    CHECK(qemu_coroutine_entered(data->co));
    /* Entered already: this does nothing. */
    qemu_coroutine_enter_if_inactive(data->co);
    data->n++;
    qemu_coroutine_yield();
    data->done = true;
}

static void test_entered(const ScenarioArgs *args)
{
    CoTest data = {.n = 0};

    data.co = qemu_coroutine_create(entered_entry, &data);
    CHECK(!qemu_coroutine_entered(data.co));
    qemu_coroutine_enter(data.co);
    CHECK(!qemu_coroutine_entered(data.co));
    CHECK_EQ(data.n, 1);
    qemu_coroutine_enter_if_inactive(data.co);
    CHECK(data.done);
}

typedef struct Nest {
    int enter, leave, max;
} Nest;

static void coroutine_fn nest_entry(void *opaque)
{
    Nest *nest = opaque;

    nest->enter++;
    if (nest->enter < nest->max) {
        Coroutine *self = qemu_coroutine_self();

        qemu_coroutine_enter(qemu_coroutine_create(nest_entry, nest));
        CHECK(qemu_coroutine_self() == self);
    }
    nest->leave++;
}

static void test_nesting(const ScenarioArgs *args)
{
    Nest nest = {.max = 128};

    qemu_coroutine_enter(qemu_coroutine_create(nest_entry, &nest));
    CHECK_EQ(nest.enter, 128);
    CHECK_EQ(nest.leave, 128);
}

static Trace order;

static void coroutine_fn order_entry(void *opaque)
{
    trace(&order, 'b');
    qemu_coroutine_yield();
    trace(&order, 'd');
}

static void test_order(const ScenarioArgs *args)
{
    Coroutine *co = qemu_coroutine_create(order_entry, NULL);

    order = (Trace){.n = 0};
    trace(&order, 'a');
    qemu_coroutine_enter(co);
    trace(&order, 'c');
    qemu_coroutine_enter(co);
    trace(&order, 'e');
    CHECK_STR(order.text, "abcde");
}

/* Locals survive on many stacks at once, and a stack's next user is clean. */
static void coroutine_fn locals_entry(void *opaque)
{
    CoTest *data = opaque;
    volatile uint8_t local[2000];

    memset((void *)local, data->n, sizeof(local));
    qemu_coroutine_yield();
    for (unsigned i = 0; i < sizeof(local); i++) {
        CHECK_EQ(local[i], data->n & 0xff);
    }
    data->done = true;
}

static void test_locals(const ScenarioArgs *args)
{
    enum { N = 150 }; /* more than the pool keeps */
    CoTest data[N];

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N; i++) {
            data[i] = (CoTest){.n = i + round};
            data[i].co = qemu_coroutine_create(locals_entry, &data[i]);
            qemu_coroutine_enter(data[i].co);
        }
        for (int i = N - 1; i >= 0; i--) {
            CHECK(!data[i].done);
            qemu_coroutine_enter(data[i].co);
            CHECK(data[i].done);
        }
    }
}

static void test_pool(const ScenarioArgs *args)
{
    CoTest data = {.n = 0};
    Coroutine *first = qemu_coroutine_create(once_entry, &data);
    uint64_t id = first->id;

    qemu_coroutine_enter(first);
    data.co = qemu_coroutine_create(once_entry, &data);
    CHECK(data.co == first); /* the same memory, another coroutine */
    CHECK(data.co->id != id);
    qemu_coroutine_enter(data.co);
    CHECK_EQ(data.n, 2);
}

/* ---- qemu_coroutine_create() as an expression ---- */

typedef struct Pair {
    int *sum, n;
} Pair;

static void coroutine_fn add_entry(void *opaque)
{
    Pair *pair = opaque;

    *pair->sum += pair->n;
}

static void test_create(const ScenarioArgs *args)
{
    Coroutine *(*create)(CoroutineEntry *, void *) = qemu_coroutine_create;
    int sum = 0;
    int which = 1;
    CoroutineEntry *entries[] = {once_entry, add_entry};
    Coroutine *co = qemu_coroutine_create(add_entry, &(Pair){&sum, 1});

    CHECK_STR(co->name, "add_entry");
    qemu_coroutine_enter(co);
    qemu_coroutine_enter(create(add_entry, &(Pair){&sum, 10}));
    qemu_coroutine_enter(qemu_coroutine_create(entries[which++],
                                               &(Pair){&sum, 100}));
    CHECK_EQ(which, 2);
    qemu_coroutine_enter((qemu_coroutine_create)(
        which > 3 ? once_entry : add_entry, &(Pair){&sum, 1000}));
    CHECK_EQ(sum, 1111);
    CHECK(sizeof(Coroutine) > 0);
}

/* ---- Nobody touches a coroutine that has ended ---- */

static void coroutine_fn ends_first_entry(void *opaque)
{
    qemu_coroutine_enter(opaque);
}

static void coroutine_fn yields_once_entry(void *opaque)
{
    qemu_coroutine_yield();
}

static void test_no_dangling_access(const ScenarioArgs *args)
{
    Coroutine *two = qemu_coroutine_create(yields_once_entry, NULL);
    Coroutine *one = qemu_coroutine_create(ends_first_entry, two);
    Coroutine saved;

    qemu_coroutine_enter(one);
    saved = *one;
    memset(one, 0xff, sizeof(Coroutine));
    qemu_coroutine_enter(two);
    *one = saved; /* it is in the pool */
}

/* ---- Who wakes whom ---- */

static Coroutine *wakers[2];

static void coroutine_fn wake_other_entry(void *opaque)
{
    intptr_t me = (intptr_t)opaque;

    for (int i = 0; i < 1000; i++) {
        aio_co_enter(qemu_get_aio_context(), wakers[!me]);
        qemu_coroutine_yield();
    }
    trace(&order, '0' + me);
    if (me == 0) {
        /* It ends with nobody left to wake. */
        aio_co_enter(qemu_get_aio_context(), wakers[1]);
    }
}

/* Two that wake each other need no more stack the longer they do. */
static void test_ping_pong(const ScenarioArgs *args)
{
    order = (Trace){.n = 0};
    for (intptr_t i = 0; i < 2; i++) {
        wakers[i] = qemu_coroutine_create(wake_other_entry, (void *)i);
    }
    qemu_coroutine_enter(wakers[0]);
    CHECK_STR(order.text, "01");
}

static const LoopTest tests[] = {
    {"/basic/lifecycle", test_lifecycle},
    {"/basic/yield", test_yield},
    {"/basic/nesting", test_nesting},
    {"/basic/self", test_self},
    {"/basic/entered", test_entered},
    {"/basic/in_coroutine", test_in_coroutine},
    {"/basic/order", test_order},
    {"/basic/locals", test_locals},
    {"/basic/pool", test_pool},
    {"/basic/create", test_create},
    {"/basic/no-dangling-access", test_no_dangling_access},
    {"/basic/ping-pong", test_ping_pong},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
