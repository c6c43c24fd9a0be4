/* SPDX-License-Identifier: MIT */
/*
 * The deadlock library: each "buggy" fails in some schedule (in all, if nobody
 * races), and no "fixed" does.
 *
 * A process runs one schedule after the other, by seed, until one fails; that
 * may end the process.  So it writes the seed that it is at into memory that
 * it shares with the test.
 *
 *   AIOLAB_LIBRARY_SEEDS=N   schedules of each "fixed" (default 2,000)
 *   AIOLAB_LIBRARY_ONLY=ID   one bug
 */
#include "child.h"
#include "testlib.h"

#include "builtin.h"
#include "library.h"
#include "run.h"

#include <sys/mman.h>

enum {
    SEEDS_TO_FAIL = 20000,  /* at most, until "buggy" fails */
    SEEDS_TO_PASS = 2000,
    SEEDS_ALWAYS = 50,      /* of a bug that needs no race */
    MAX_STEPS = 20000,      /* the longest takes some hundreds */
};

/* One schedule after the other, in a process of its own. */
typedef struct Job {
    const char *name;
    uint64_t first, last;
    bool store_buffers; /* of the machine */
    uint64_t *seed; /* shared: where it is; 0 when it is over */
} Job;

/* With events, so that "aiolab run --fine --seed N" shows the same schedule. */
static void drop_event(const ProbeEvent *event, void *opaque)
{
}

static void run_seed(const ScenarioSpec *spec, uint64_t seed,
                     bool store_buffers)
{
    RandomOracle oracle;
    RunConfig config = {
        .sim = {.seed = seed, .max_steps = MAX_STEPS, .fine = true,
                .extras = store_buffers ? SIM_STORE_BUFFERS : 0},
        .sink = drop_event,
    };
    RunResult result;

    oracle_random_init(&oracle, seed);
    config.sim.oracle = &oracle.base;
    CHECK(run_scenario(spec, &config, &result, NULL));
    if (result.sim.outcome == SIM_STUCK) {
        fprintf(stderr, "a deadlock\n");
        _exit(1);
    }
    CHECK_EQ(result.sim.outcome, SIM_DONE);
    if (result.scenario.failed_checks) {
        fprintf(stderr, "%s\n", result.scenario.first_failure);
        _exit(1);
    }
    scenario_outcome_finish(&result.scenario);
}

static void run_seeds(void *opaque)
{
    const Job *job = opaque;
    ScenarioSpec *spec = run_spec_from_name(job->name, &error_abort);

    for (uint64_t seed = job->first; seed <= job->last; seed++) {
        *job->seed = seed;
        run_seed(spec, seed, job->store_buffers);
    }
    *job->seed = 0;
    scenario_spec_free(spec);
}

/* The first seed from @first to @last that fails, or 0; @how: in words. */
static uint64_t first_failure(const LibraryBug *bug, const char *variant,
                              uint64_t first, uint64_t last,
                              bool store_buffers, char **how)
{
    static uint64_t *shared;
    g_autofree char *name = g_strconcat(bug->scenario->name, "/", variant,
                                        NULL);
    Job job = {name, first, last, store_buffers};
    ChildResult result;

    if (!shared) {
        shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_ptr_not_equal(shared, MAP_FAILED);
    }
    job.seed = shared;
    result = child_run(run_seeds, &job);
    assert_false(result.late);
    assert_true(*shared || (result.status == 0 && !result.signal));
    *how = g_strdup(*result.err ? result.err : "it crashed\n");
    child_finish(&result);
    return *shared;
}

static bool is_wanted(const LibraryBug *bug)
{
    const char *only = g_getenv("AIOLAB_LIBRARY_ONLY");

    return !only || g_str_equal(only, bug->scenario->name);
}

static void expect_pass(const LibraryBug *bug, const char *variant,
                        bool store_buffers)
{
    g_autofree char *how = NULL;
    unsigned seeds = test_number("AIOLAB_LIBRARY_SEEDS", SEEDS_TO_PASS);
    uint64_t failed = first_failure(bug, variant, 1, seeds, store_buffers,
                                    &how);

    if (failed) {
        fail_msg("%s/%s fails%s with seed %" PRIu64 ": %s",
                 bug->scenario->name, variant,
                 store_buffers ? " with store buffers" : "", failed, how);
    }
}

static void expect_failure(const LibraryBug *bug)
{
    g_autofree char *how = NULL;
    uint64_t failed = first_failure(bug, "buggy", 1, SEEDS_TO_FAIL,
                                    bug->reach == BUG_STORE_BUFFER, &how);

    print_message("  %-26s seed %5" PRIu64 "  %s", bug->scenario->name, failed,
                  how);
    if (!failed) {
        fail_msg("%s/buggy has passed all seeds", bug->scenario->name);
    }
}

static void test_buggy(void **state)
{
    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        if (is_wanted(bug)) {
            expect_failure(bug);
        }
    }
}

static void test_buggy_always(void **state)
{
    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        for (uint64_t seed = 1; seed <= SEEDS_ALWAYS; seed++) {
            g_autofree char *how = NULL;

            if (!is_wanted(bug) || bug->reach != BUG_ALWAYS) {
                continue;
            }
            if (!first_failure(bug, "buggy", seed, seed, false, &how)) {
                fail_msg("%s/buggy passes with seed %" PRIu64,
                         bug->scenario->name, seed);
            }
        }
    }
}

/* Without them, whole accesses in any order show nothing. */
static void test_needs_store_buffers(void **state)
{
    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        if (is_wanted(bug) && bug->reach == BUG_STORE_BUFFER) {
            expect_pass(bug, "buggy", false);
        }
    }
}

static void test_fixed(void **state)
{
    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        if (is_wanted(bug)) {
            expect_pass(bug, "fixed", false);
        }
    }
}

/* No fix relies on a store being seen at once. */
static void test_fixed_with_store_buffers(void **state)
{
    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        if (is_wanted(bug)) {
            expect_pass(bug, "fixed", true);
        }
    }
}

/* ---- The table ---- */

static void test_rows(void **state)
{
    const char *last = "";

    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        const Scenario *s = bug->scenario;

        assert_true(strcmp(last, s->name) < 0);
        last = s->name;
        assert_ptr_equal(builtin_scenario_find(s->name), s);
        assert_non_null(s->shows);
        assert_string_equal(s->variants[0].name, "buggy");
        assert_string_equal(s->variants[1].name, "fixed");
        assert_null(s->variants[2].name);
        assert_non_null(strstr(s->summary, bug->commit));
    }
    assert_null(builtin_scenario_find("no-such-bug"));
}

static char *read_doc(const char *path)
{
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        fail_msg("%s is missing", path);
    }
    return text;
}

static void expect_text(const char *text, const char *wanted, const char *where)
{
    if (!strstr(text, wanted)) {
        fail_msg("%s does not say '%s'", where, wanted);
    }
}

/* README.md has a row for each, golden/ an explanation. */
static void test_docs(void **state)
{
    static const char *const reach[] = {
        [BUG_ALWAYS] = "always", [BUG_SOMETIMES] = "in some schedules",
        [BUG_STORE_BUFFER] = "with store buffers",
    };
    static const char dir[] = AIOLAB_SOURCE_DIR "/lessons/library";
    g_autofree char *readme = read_doc(AIOLAB_SOURCE_DIR
                                       "/lessons/library/README.md");

    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        const char *name = bug->scenario->name;
        g_autofree char *year = bug->year ? g_strdup_printf("%d", bug->year)
                                          : g_strdup("");
        g_autofree char *classes = bug->classes
                                       ? g_strdup_printf("%u", bug->classes)
                                       : g_strdup("many");
        g_autofree char *row = g_strdup_printf(
            "| `%s` | %s | %s | %s | %s |", name, year, bug->kind,
            reach[bug->reach], classes);
        g_autofree char *path = g_strdup_printf("%s/golden/%s.txt", dir, name);
        g_autofree char *golden = read_doc(path);
        g_autofree char *title = g_strdup_printf("\n--\nIn words: %s\n",
                                                 bug->kind);

        expect_text(readme, row, "README.md");
        expect_text(readme, bug->commit, "README.md");
        expect_text(golden, title, path);
        expect_text(golden, "\nWhy now: ", path);
        expect_text(golden, "\nFixed: ", path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_docs),
        cmocka_unit_test(test_buggy),
        cmocka_unit_test(test_buggy_always),
        cmocka_unit_test(test_needs_store_buffers),
        cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_fixed_with_store_buffers),
    };

    run_lookup = builtin_scenario_find;
    return cmocka_run_group_tests_name("library", tests, NULL, NULL);
}
