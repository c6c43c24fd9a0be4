/* SPDX-License-Identifier: MIT */
/*
 * Rings of many threads, that come and go while the writer runs: every input
 * arrives in the log, once, in the order of the tickets; and the sorting of
 * what many rings left.
 */
#include "child.h"
#include "log-internal.h"
#include "ring.h"
#include "testlib.h"

#include <pthread.h>
#include <unistd.h>

enum { THREADS = 24, ROUNDS = 40, INPUTS = 700 };

static char *dir, *path;
static RingSet *set;
static BlackBox *box;
static unsigned next_thread;

static int setup(void **state)
{
    dir = test_dir_new();
    path = g_build_filename(dir, "rings.aiolog", NULL);
    return 0;
}

static int teardown(void **state)
{
    test_dir_free(dir);
    g_free(path);
    return 0;
}

static uint64_t take_ticket(void)
{
    return __atomic_add_fetch(&box->last_ticket, 1, __ATOMIC_RELAXED);
}

static void put(Ring *ring, unsigned thread, uint64_t nth)
{
    ring_wait(ring, 1);
    *ring_slot(ring, ring->head) = (Slot){
        .head = take_ticket() << 24 | (uint64_t)thread << 8 | INPUT_CLOCK,
        .obj = thread, .a = nth,
    };
    qatomic_store_release(&ring->head, ring->head + 1);
}

static void begin(void)
{
    Error *err = NULL;
    Log *log = log_create(path, true, &err);

    assert_non_null(log);
    box = blackbox_new(path, &err);
    assert_non_null(box);
    set = ringset_new(log, box);
}

/* Closes it, and returns what it has. */
static Input *finish(Log *log, size_t *n)
{
    Error *err = NULL;
    uint64_t written;
    Input *inputs;

    ringset_finish(set, &written);
    blackbox_free(box);
    log_set_meta_int(log, "inputs", written);
    assert_true(log_close(log, &err));
    log = log_open(path, &err);
    assert_non_null(log);
    inputs = log_inputs(log, n, &err);
    if (!inputs) {
        fail_msg("%s", error_get_pretty(err));
    }
    assert_int_equal(*n, written);
    log_close(log, NULL);
    return inputs;
}

static void *storm_thread(void *opaque)
{
    unsigned thread = qatomic_fetch_inc(&next_thread) + 1;
    Ring *ring = ringset_attach(set);

    for (unsigned i = 1; i <= INPUTS; i++) {
        put(ring, thread, i);
    }
    ringset_detach(set, ring);
    return NULL;
}

static void test_threads_come_and_go(void **state)
{
    uint64_t nth[THREADS * ROUNDS + 1] = {0};
    g_autofree Input *inputs = NULL;
    Error *err = NULL;
    Log *log = log_create(path, true, &err);
    size_t n;

    assert_non_null(log);
    box = blackbox_new(path, &err);
    set = ringset_new(log, box);
    next_thread = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_t threads[THREADS];

        for (unsigned i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, storm_thread,
                                            NULL), 0);
        }
        for (unsigned i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
        }
    }
    /* They had rings of each other. */
    assert_true(box->n_rings <= THREADS);
    inputs = finish(log, &n);
    assert_int_equal(n, THREADS * ROUNDS * INPUTS);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(inputs[i].ticket, i + 1);
        assert_int_equal(inputs[i].a, ++nth[inputs[i].thread]);
    }
}

/* ---- A log that cannot be written just now ---- */

static void *fill_ring(void *opaque)
{
    Ring *ring = ringset_attach(set);

    for (unsigned i = 0; i < 3 * FIRST_RING_SLOTS; i++) {
        put(ring, 1, i);
    }
    qatomic_set((bool *)opaque, true);
    return NULL;
}

/* A full ring makes its thread wait; that is counted, and nothing is lost. */
static void test_back_pressure(void **state)
{
    Error *err = NULL;
    Log *log = log_create(path, true, &err), *other;
    uint64_t inputs, stalls;
    bool done = false;
    pthread_t thread;

    assert_non_null(log);
    box = blackbox_new(path, &err);
    set = ringset_new(log, box);
    other = log_open_as_it_is(path, true, &err);
    assert_non_null(other);
    log_set_meta(other, "lock", "held"); /* the writer has to wait for us */
    assert_int_equal(pthread_create(&thread, NULL, fill_ring, &done), 0);
    while (qatomic_read(&box->last_ticket) < FIRST_RING_SLOTS) {
        sched_yield();
    }
    assert_false(qatomic_read(&done));
    log_close_as_it_is(other);
    pthread_join(thread, NULL);
    stalls = ringset_finish(set, &inputs);
    blackbox_free(box);
    assert_true(stalls > 0);
    assert_int_equal(inputs, 3 * FIRST_RING_SLOTS);
    assert_true(log_close(log, &err));
}

/* A content longer than the ring goes through it, and comes back whole. */
static void test_long_contents(void **state)
{
    static const size_t sizes[] = {
        0, 1, PIECE_SIZE - 1, PIECE_SIZE, PIECE_SIZE + 1, 3 * PIECE_SIZE,
        5000001,
    };
    g_autofree uint8_t *data = g_malloc(5000001);
    Error *err = NULL;
    Log *log = log_create(path, true, &err);
    Ring *ring;
    uint64_t inputs;

    for (size_t i = 0; i < 5000001; i++) {
        data[i] = i * 2654435761u >> 7;
    }
    box = blackbox_new(path, &err);
    set = ringset_new(log, box);
    ringset_attach(set);
    ring = ringset_attach(set); /* a short one */
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        ring_put_bytes(ring, content_hash(data, sizes[i]), data, sizes[i]);
        put(ring, 1, i);
    }
    ringset_finish(set, &inputs);
    blackbox_free(box);
    assert_true(log_close(log, &err));
    log = log_open(path, &err);
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        size_t len;
        g_autofree void *copy = log_payload(
            log, content_hash(data, sizes[i]), &len);

        assert_non_null(copy);
        assert_int_equal(len, sizes[i]);
        assert_memory_equal(copy, data, len);
    }
    log_close(log, NULL);
}

/* One more than there can be: it is said, and what there is remains. */
static void too_many(void *opaque)
{
    begin();
    for (unsigned i = 0; i <= RINGS_MAX; i++) {
        put(ringset_attach(set), i, 1);
    }
}

/* What it left is added to the log by whoever opens that. */
static void expect_recovered(size_t expected)
{
    g_autofree Input *inputs = NULL;
    Error *err = NULL;
    Log *log = log_open(path, &err);
    size_t n;

    if (!log) {
        fail_msg("%s", error_get_pretty(err));
    }
    assert_string_equal(log_meta(log, "state"), "cut");
    /* On a slow machine the writer has committed some by itself. */
    assert_in_range(log_meta_int(log, "recovered", -1), 0, expected);
    inputs = log_inputs(log, &n, &err);
    assert_non_null(inputs);
    assert_int_equal(n, expected);
    assert_int_not_equal(access(log_meta(log, "ring"), F_OK), 0);
    assert_true(log_check_structure(log, &err));
    log_close(log, NULL);
}

static void test_too_many_threads(void **state)
{
    ChildResult result = child_run(too_many, NULL);

    child_expect_status(&result, 5, "one thread more than there are rings");
    assert_non_null(strstr(result.err, "too many threads at once"));
    child_finish(&result);
    expect_recovered(RINGS_MAX);
}

/* ---- Sorting ---- */

static Log *new_log(void)
{
    Error *err = NULL;
    Log *log = log_create(path, true, &err);

    assert_non_null(log);
    return log;
}

static void reopen(Log **log)
{
    Error *err = NULL;

    assert_true(log_close(*log, &err));
    *log = log_open(path, &err);
    assert_non_null(*log);
}

/* Each of @n_rings has every n_rings-th ticket. */
static void put_interleaved(Log *log, unsigned n_rings, unsigned total)
{
    Input inputs[CHUNK_INPUTS];

    for (unsigned ring = 0; ring < n_rings; ring++) {
        unsigned n = 0;

        for (unsigned ticket = ring + 1; ticket <= total; ticket += n_rings) {
            inputs[n++] = (Input){.ticket = ticket, .thread = ring + 1,
                                  .kind = INPUT_CLOCK, .a = ticket};
            if (n == CHUNK_INPUTS || ticket + n_rings > total) {
                log_put_chunk(log, ring, inputs, n);
                n = 0;
            }
        }
    }
    log_commit(log);
}

static void test_sorting_is_fast(void **state)
{
    enum { TOTAL = 1000000 };
    Log *log = new_log();
    g_autofree Input *inputs = NULL;
    Error *err = NULL;
    int64_t begin_us;
    size_t n;

    put_interleaved(log, 100, TOTAL);
    reopen(&log);
    begin_us = g_get_monotonic_time();
    inputs = log_inputs(log, &n, &err);
    print_message("%u inputs of 100 rings in %" PRId64 " ms\n", TOTAL,
                  (g_get_monotonic_time() - begin_us) / 1000);
    assert_non_null(inputs);
    assert_int_equal(n, TOTAL);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(inputs[i].ticket, i + 1);
    }
    log_close(log, NULL);
}

/* ---- Gaps ---- */

typedef struct GapCase {
    const char *name, *state, *tickets; /* "1:2" is ticket 1 of thread 2 */
    int n; /* inputs that are read, or -1 */
    const char *complaint;
} GapCase;

static const GapCase gap_cases[] = {
    {"no gap", "complete", "1:1 2:1 3:2 4:1", 4, NULL},
    {"lost", "complete", "1:1 2:1 4:2 5:1", -1, "input 3 is missing"},
    {"first lost", "complete", "2:1 3:1 4:1", -1, "input 1 is missing"},
    {"twice", "complete", "1:1 2:1 2:2 3:1", -1, "input 2 is there twice"},
    {"far off", "complete", "1:1 2:1 900000000:1", -1, "input 3 is missing"},
    {"0", "complete", "1:1 2:1 0:1", -1, "input 3 is missing"},
    {"a killed thread's last", "cut", "1:1 2:2 4:2 5:2", 4, NULL},
    {"it goes on", "cut", "1:1 2:2 4:2 5:1", -1, "input 3 is missing"},
    {"two gaps, one silent thread", "cut", "1:1 2:2 4:2 6:2", -1,
     "input 5 is missing"},
    {"two gaps, two silent threads", "cut", "1:1 2:2 3:3 5:2 7:2", 5, NULL},
    {"a slice that was not written", "cut", "1:1 2:2 6:2 7:2", 4, NULL},
    {"two slices, one silent thread", "cut", "1:1 2:2 6:2 9:2", -1,
     "input 7 is missing"},
    {"a thread's first", "cut", "1:1 2:1+ 4:1", 3, NULL},
    {"far off and cut", "cut", "1:1 2:1 900000000:2", -1, "input 3 is missing"},
    {"the tail is lost", "tail", "1:1 2:2 4:1 5:2 7:1 90000000000:2", 2, NULL},
    {"all is lost", "tail", "4:1 5:2", -1, "holds no inputs"},
};

static unsigned parse_tickets(const char *text, Input *inputs)
{
    g_auto(GStrv) words = g_strsplit(text, " ", 0);
    unsigned n = 0;

    for (char **word = words; *word; word++) {
        unsigned thread;
        uint64_t ticket;

        assert_int_equal(sscanf(*word, "%" SCNu64 ":%u", &ticket, &thread), 2);
        inputs[n++] = (Input){
            .ticket = ticket, .thread = thread,
            .kind = strchr(*word, '+') ? INPUT_THREAD_CREATE : INPUT_CLOCK,
        };
    }
    return n;
}

static void check_gaps(const GapCase *c)
{
    Log *log = new_log();
    g_autofree Input *read = NULL;
    Input inputs[8];
    Error *err = NULL;
    size_t n = parse_tickets(c->tickets, inputs);

    log_put_chunk(log, 0, inputs, n);
    log_set_meta_int(log, "tail.lost", g_str_equal(c->state, "tail"));
    log_commit(log);
    assert_true(log_close(log, &err));
    log = log_open_rw(path, &err);
    log_set_meta(log, "state", g_str_equal(c->state, "complete") ? "complete"
                                                                 : "cut");
    reopen(&log);
    read = log_inputs(log, &n, &err);
    if (c->n < 0 ? read || !strstr(error_get_pretty(err), c->complaint)
                 : !read || n != (size_t)c->n) {
        fail_msg("%s: %zu inputs, %s", c->name, n,
                 err ? error_get_pretty(err) : "no error");
    }
    error_free(err);
    log_close(log, NULL);
}

static void test_gaps(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(gap_cases); i++) {
        check_gaps(&gap_cases[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_come_and_go),
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_long_contents),
        cmocka_unit_test(test_too_many_threads),
        cmocka_unit_test(test_sorting_is_fast),
        cmocka_unit_test(test_gaps),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
