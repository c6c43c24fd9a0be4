/* SPDX-License-Identifier: MIT */
/*
 * PCT keeps its promise (Burckhardt et al., 2010): of a program of n threads
 * that comes to k choices, a bug of depth d fails in at least one of
 * n * k^(d-1) schedules.
 *
 * The planted bug of depth d needs that many pairs of operations in a certain
 * order: the two threads take turns, d + 1 operations in all.  Beside those
 * they do others, or k would be next to nothing.
 */
#include "testlib.h"

#include "schedule.h"
#include "strategy.h"

#include <math.h>

enum { RUNS = 10000, DEPTHS = 4, IDLE = 2, THREADS = 2, LEARN_FROM = 8 };

typedef struct Program {
    unsigned depth;
    unsigned turn; /* operations in the wanted order so far */
    unsigned word; /* what else they touch */
} Program;

/* Operations @from, @from + 2 ... are this thread's. */
static void take_turns(Program *p, unsigned from)
{
    for (unsigned i = from; i <= p->depth; i += 2) {
        for (unsigned n = 0; n < IDLE; n++) {
            qatomic_inc(&p->word);
        }
        qatomic_inc(&p->word);
        if (p->turn == i) {
            p->turn++;
        }
    }
}

static void *be_second(void *opaque)
{
    take_turns(opaque, 0);
    return NULL;
}

/* The one that is made begins, which is not the default policy. */
static void run_program(void *opaque)
{
    Program *p = opaque;
    QemuThread thread;

    qemu_thread_create(&thread, "second", be_second, p, QEMU_THREAD_JOINABLE);
    take_turns(p, 1);
    qemu_thread_join(&thread);
}

/* True if it fails. */
static bool run_once(unsigned depth, Oracle *inner, NotingOracle *noting)
{
    Program program = {.depth = depth};
    SimConfig config = {
        .seed = 1, .fine = true, .still = true, .oracle = &noting->base,
    };
    SimResult result;

    noting_oracle_begin(noting, inner);
    result = sim_run(&config, &sim_host, run_program, &program);
    assert_int_equal(result.outcome, SIM_DONE);
    return program.turn == depth + 1;
}

/* As a search does. */
static unsigned learn_length(unsigned depth, NotingOracle *noting)
{
    unsigned longest = 0;
    Walker walker;

    for (unsigned seed = 0; seed < LEARN_FROM; seed++) {
        walker_begin(&walker, (Strategy){STRATEGY_RANDOM, 0}, seed, 1);
        run_once(depth, &walker.base, noting);
        longest = MAX(longest, noting->n);
    }
    return longest;
}

/* How many of the runs fail; @longest: the choices of the longest. */
static unsigned count_failures(unsigned depth, unsigned d, unsigned length,
                               NotingOracle *noting, unsigned *longest)
{
    unsigned failures = 0;
    Walker walker;

    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        walker_begin(&walker, (Strategy){STRATEGY_PCT, d}, seed, length);
        failures += run_once(depth, &walker.base, noting);
        *longest = MAX(*longest, noting->n);
    }
    return failures;
}

static void test_bound(void **state)
{
    NotingOracle *noting = noting_oracle_new();

    for (unsigned depth = 1; depth <= DEPTHS; depth++) {
        unsigned length = learn_length(depth, noting), k = length;
        unsigned failures = count_failures(depth, depth, length, noting, &k);
        double bound = RUNS / (THREADS * pow(k, depth - 1));

        print_message("  depth %u: n %u, k %u: %u of %u, at least %.1f\n",
                      depth, THREADS, k, failures, RUNS, bound);
        assert_true(failures >= bound - 2 * sqrt(bound));
    }
    noting_oracle_free(noting);
}

/* It is d that finds them: with one change of priorities less, none is. */
static void test_depth(void **state)
{
    NotingOracle *noting = noting_oracle_new();

    for (unsigned depth = 2; depth <= DEPTHS; depth++) {
        unsigned k = 0, length = learn_length(depth, noting);

        assert_int_equal(
            count_failures(depth, depth - 1, length, noting, &k), 0);
    }
    noting_oracle_free(noting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_depth),
    };

    return cmocka_run_group_tests_name("pct", tests, NULL, NULL);
}
