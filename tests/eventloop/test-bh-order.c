/* SPDX-License-Identifier: MIT */
/*
 * The order of bottom halves: last in, first out within a slice; what a
 * callback schedules waits for the next turn; a nested aio_poll() first
 * finishes the slices that the outer ones have begun; and bottom halves that
 * other threads schedule are never lost.
 */
#include "harness.h"

enum { LETTERS = 6 };

typedef struct Order Order;

typedef struct Letter {
    Order *order;
    QEMUBH *bh;
    char name;
    const char *acts; /* what its first run does, two characters an act */
} Letter;

/* Bottom halves A to F, and a trace of their runs. */
struct Order {
    AioContext *ctx;
    Letter letters[LETTERS];
    Trace trace;
};

static Letter *letter(Order *o, char name)
{
    return &o->letters[name - 'A'];
}

/* "sX": schedules X; "cX": cancels; "dX": deletes; "p.": polls. */
static void act(Order *o, char verb, char name)
{
    switch (verb) {
    case 's':
        qemu_bh_schedule(letter(o, name)->bh);
        break;
    case 'c':
        qemu_bh_cancel(letter(o, name)->bh);
        break;
    case 'd':
        qemu_bh_delete(letter(o, name)->bh);
        letter(o, name)->bh = NULL;
        break;
    case 'p':
        aio_poll(o->ctx, false);
        break;
    default: /* 'w': one that would wait for ever if nothing were ready */
        aio_poll(o->ctx, true);
        break;
    }
}

static void letter_cb(void *opaque)
{
    Letter *l = opaque;
    const char *acts = l->acts;

    trace(&l->order->trace, l->name);
    l->acts = "";
    for (; *acts; acts += 2) {
        act(l->order, acts[0], acts[1]);
    }
    trace(&l->order->trace, l->name - 'A' + 'a');
}

static void order_init(Order *o)
{
    *o = (Order){.ctx = qemu_get_aio_context()};
    for (unsigned i = 0; i < LETTERS; i++) {
        Letter *l = &o->letters[i];

        *l = (Letter){.order = o, .name = 'A' + i, .acts = ""};
        l->bh = aio_bh_new(o->ctx, letter_cb, l);
    }
}

static void order_finish(Order *o)
{
    for (unsigned i = 0; i < LETTERS; i++) {
        if (o->letters[i].bh) {
            qemu_bh_delete(o->letters[i].bh);
        }
    }
    CHECK(!aio_poll(o->ctx, false));
}

static void schedule_all(Order *o, const char *names)
{
    for (; *names; names++) {
        qemu_bh_schedule(letter(o, *names)->bh);
    }
}

/* One turn; @want: capital where a callback begins, small where it ends. */
static void turn(Order *o, bool progress, const char *want)
{
    o->trace = (Trace){.n = 0};
    CHECK_EQ(aio_poll(o->ctx, false), progress);
    CHECK_STR(o->trace.text, want);
}

static void test_lifo(const ScenarioArgs *args)
{
    Order o;

    order_init(&o);
    schedule_all(&o, "ABC");
    turn(&o, true, "CcBbAa");
    /* The second A finds it on the list, and leaves it where it is. */
    schedule_all(&o, "ABAC");
    turn(&o, true, "CcBbAa");
    turn(&o, false, "");
    order_finish(&o);
}

static void test_schedule_from_cb(const ScenarioArgs *args)
{
    Order o;

    order_init(&o);
    letter(&o, 'C')->acts = "sDsC"; /* D is new, C itself runs again */
    letter(&o, 'A')->acts = "sB";   /* B has run in this slice */
    schedule_all(&o, "ABC");
    turn(&o, true, "CcBbAa");
    turn(&o, true, "BbCcDd");
    turn(&o, false, "");
    /* A is behind C in the slice: it is scheduled already. */
    letter(&o, 'C')->acts = "sA";
    schedule_all(&o, "AC");
    turn(&o, true, "CcAa");
    turn(&o, false, "");
    order_finish(&o);
}

static void test_cancel_from_cb(const ScenarioArgs *args)
{
    Order o;

    order_init(&o);
    letter(&o, 'C')->acts = "cA";
    schedule_all(&o, "ABC");
    turn(&o, true, "CcBb");
    letter(&o, 'C')->acts = "cAsA";
    schedule_all(&o, "ABC");
    turn(&o, true, "CcBbAa");
    turn(&o, false, "");
    order_finish(&o);
}

static void test_delete_other(const ScenarioArgs *args)
{
    Order o;

    order_init(&o);
    letter(&o, 'D')->acts = "dAdC"; /* both behind it in the slice */
    letter(&o, 'B')->acts = "dD";   /* has run */
    schedule_all(&o, "ABCD");
    turn(&o, true, "DdBb");
    turn(&o, false, "");
    order_finish(&o);
}

static void test_nested(const ScenarioArgs *args)
{
    Order o;

    order_init(&o);
    letter(&o, 'C')->acts = "sDp.";
    schedule_all(&o, "ABC");
    turn(&o, true, "CBbAaDdc");
    turn(&o, false, "");
    /* Three deep, and the innermost finds everything. */
    letter(&o, 'C')->acts = "sDp.";
    letter(&o, 'B')->acts = "sEw.";
    letter(&o, 'A')->acts = "sFw.";
    schedule_all(&o, "ABC");
    turn(&o, true, "CBADdEeFfabc");
    turn(&o, false, "");
    order_finish(&o);
}

static void test_delete_in_nested(const ScenarioArgs *args)
{
    Order o;

    order_init(&o);
    /* Freed by the nested turn, while its callback is on the stack. */
    letter(&o, 'B')->acts = "dBp.";
    schedule_all(&o, "AB");
    turn(&o, true, "BAab");
    order_finish(&o);
}

/* ---- Other threads ---- */

typedef struct Producer {
    AioContext *ctx;
    QEMUBH *bh;
    QemuThread thread;
    unsigned rounds;
    unsigned produced; /* any thread; a callback of bh sees it */
    unsigned seen, calls, oneshots;
} Producer;

static void oneshot_cb(void *opaque)
{
    Producer *p = opaque;

    p->oneshots++;
}

static void seen_cb(void *opaque)
{
    Producer *p = opaque;

    p->seen = qatomic_read(&p->produced);
    p->calls++;
}

static void *produce(void *opaque)
{
    Producer *p = opaque;

    for (unsigned i = 0; i < p->rounds; i++) {
        aio_bh_schedule_oneshot(p->ctx, oneshot_cb, p);
        qatomic_inc(&p->produced);
        qemu_bh_schedule(p->bh);
    }
    return p;
}

static void test_thread(const ScenarioArgs *args)
{
    Producer p[2];

    for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
        p[i] = (Producer){.ctx = qemu_get_aio_context(), .rounds = 50};
        p[i].bh = aio_bh_new(p[i].ctx, seen_cb, &p[i]);
        qemu_thread_create(&p[i].thread, "producer", produce, &p[i],
                           QEMU_THREAD_JOINABLE);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
        /* If one scheduling is lost, this waits for ever. */
        while (p[i].seen < p[i].rounds || p[i].oneshots < p[i].rounds) {
            aio_poll(p[i].ctx, true);
        }
        CHECK(qemu_thread_join(&p[i].thread) == &p[i]);
    }
    poll_until_idle(p[0].ctx);
    for (unsigned i = 0; i < ARRAY_SIZE(p); i++) {
        CHECK_EQ(p[i].oneshots, p[i].rounds);
        CHECK(p[i].calls >= 1 && p[i].calls <= p[i].rounds);
        qemu_bh_delete(p[i].bh);
    }
}

static const LoopTest tests[] = {
    {"/aio/bh/lifo", test_lifo},
    {"/aio/bh/schedule-from-cb", test_schedule_from_cb},
    {"/aio/bh/cancel-from-cb", test_cancel_from_cb},
    {"/aio/bh/delete-other", test_delete_other},
    {"/aio/bh/nested", test_nested},
    {"/aio/bh/delete-in-nested", test_delete_in_nested},
    {"/aio/bh/thread", test_thread, TEST_THREADS},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
