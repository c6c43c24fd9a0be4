/* SPDX-License-Identifier: MIT */
/*
 * Runs schedules of a scenario without an explorer's arena, for a build with
 * sanitizers: the process that runs them ends with the first that does not end
 * well, and the next one goes on behind it.  What it leaves there is nobody's,
 * and no memory is used by two schedules.
 *
 * usage: schedules NAME N     runs N of the portfolio, seed 1, from 0 on
 *        schedules --list     the names
 *
 * Prints a line with how many ended how.  Exit status 1: a sanitizer has
 * something to say, which is on stderr, or a variant "fixed" has failed.
 */
#include "builtin.h"
#include "library.h"
#include "run.h"
#include "strategy.h"

#include "qapi/error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MAX_STEPS = 20000,
    LENGTH = 100,    /* choices that a schedule is thought to have */
    SANITIZER = 99,  /* exit status: the script tells the sanitizers */
    REPORTS_MAX = 3, /* that are shown */
};

typedef enum Verdict {
    PASSED, FAILED, STUCK, ENDLESS, CRASHED, FAULT, VERDICT_MAX
} Verdict;

static const char *const verdict_names[] = {
    "passed", "failed", "stuck", "endless", "crashed", "faults",
};

/* Between the processes. */
static struct {
    uint64_t at; /* the schedule that runs */
    Verdict verdict;
} *shared;

/* ---- In the process that runs them ---- */

static void drop_event(const ProbeEvent *event, void *opaque)
{
}

static Verdict run_one(const ScenarioSpec *spec, uint64_t n)
{
    Walker walker;
    RunConfig config = {
        .sim = {.seed = 1, .max_steps = MAX_STEPS, .fine = true,
                .still = true, .extras = n % 4 == 3 ? SIM_STORE_BUFFERS : 0,
                .oracle = &walker.base},
        .sink = n % 2 ? drop_event : NULL,
    };
    RunResult result;
    bool passed;

    walker_begin(&walker, portfolio_at(n), n, LENGTH);
    run_scenario(spec, &config, &result, &error_abort);
    passed = !result.scenario.failed_checks;
    scenario_outcome_finish(&result.scenario);
    return result.sim.outcome == SIM_STUCK ? STUCK
         : result.sim.outcome == SIM_BUDGET ? ENDLESS
         : result.sim.outcome != SIM_DONE ? CRASHED
         : passed ? PASSED : FAILED;
}

/* Ends with the first that leaves the machine in the middle of something. */
static void run_from(const char *name, uint64_t last)
{
    ScenarioSpec *spec = run_spec_from_name(name, &error_abort);

    do {
        shared->verdict = CRASHED; /* unless we come to say otherwise */
        shared->verdict = run_one(spec, shared->at);
    } while (shared->verdict == PASSED && shared->at++ < last);
    _exit(0);
}

/* ---- In the one that counts ---- */

static unsigned counts[VERDICT_MAX], reports;

static void show_report(int fd)
{
    char text[4096];
    ssize_t n;

    lseek(fd, 0, SEEK_SET);
    while ((n = read(fd, text, sizeof(text))) > 0) {
        fwrite(text, 1, n, stderr);
    }
}

static Verdict verdict_of(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == SANITIZER ? FAULT
         : WIFEXITED(status) && WEXITSTATUS(status) == 0 ? shared->verdict
                                                         : CRASHED;
}

static pid_t start(const char *name, uint64_t last, int err)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        dup2(err, STDERR_FILENO);
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
        run_from(name, last);
    }
    return pid;
}

/* Runs until one does not pass, and counts them. */
static void run_some(const char *name, uint64_t last)
{
    uint64_t first = shared->at;
    int err = memfd_create("stderr", MFD_CLOEXEC);
    pid_t pid = start(name, last, err);
    int status;

    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        abort();
    }
    counts[PASSED] += shared->at - first;
    if (shared->at <= last) {
        Verdict verdict = verdict_of(status);

        counts[verdict]++;
        if (verdict == FAULT && reports++ < REPORTS_MAX) {
            fprintf(stderr, "%s, schedule %" PRIu64 ":\n", name, shared->at);
            show_report(err);
        }
        shared->at++;
    }
    close(err);
}

static int run_all(const char *name, uint64_t n)
{
    bool fixed = g_str_has_suffix(name, "/fixed");

    shared->at = 0;
    while (shared->at < n) {
        run_some(name, n - 1);
    }
    printf("%-36s", name);
    for (unsigned i = 0; i < VERDICT_MAX; i++) {
        if (counts[i]) {
            printf("  %u %s", counts[i], verdict_names[i]);
        }
    }
    printf("\n");
    return counts[FAULT] || (fixed && counts[PASSED] != n);
}

/* ---- Names ---- */

static void list(const Scenario *scenario)
{
    const ScenarioVariant *variant = scenario->variants;

    if (!variant) {
        printf("%s\n", scenario->name);
        return;
    }
    for (; variant->name; variant++) {
        printf("%s/%s\n", scenario->name, variant->name);
    }
}

static int list_all(void)
{
    for (unsigned i = 0; builtin_scenarios[i]; i++) {
        list(builtin_scenarios[i]);
    }
    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        list(bug->scenario);
    }
    return 0;
}

int main(int argc, char **argv)
{
    run_lookup = builtin_scenario_find;
    if (argc == 2 && g_str_equal(argv[1], "--list")) {
        return list_all();
    }
    if (argc != 3) {
        fputs("usage: schedules NAME N | --list\n", stderr);
        return 2;
    }
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(shared != MAP_FAILED);
    return run_all(argv[1], g_ascii_strtoull(argv[2], NULL, 10));
}
