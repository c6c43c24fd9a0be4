/* SPDX-License-Identifier: MIT */
/* Depth-first search over scripts of choices. */
#include "explore.h"

#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CHOICES = 4096, MAX_STEPS = 1000000 };

/* What a run's process tells: how it ended, and what it was asked. */
typedef struct RunReport {
    SessionEnd end;
    unsigned n_asked;
    unsigned of[MAX_CHOICES], taken[MAX_CHOICES];
    char text[256];
} RunReport;

static void run_once(const ScenarioSpec *spec, const GArray *picks,
                     RunReport *report)
{
    ScriptOracle oracle;
    RunConfig config = {.sim = {.max_steps = MAX_STEPS}};
    RunResult result;

    oracle_script_init(&oracle, (const unsigned *)picks->data, picks->len);
    config.sim.oracle = &oracle.base;
    run_scenario(spec, &config, &result, NULL);
    report->end = result.sim.outcome == SIM_STUCK ? SESSION_STUCK
                : result.sim.outcome == SIM_BUDGET ? SESSION_BUDGET
                : result.scenario.failed_checks ? SESSION_FAILED
                                                : SESSION_DONE;
    g_strlcpy(report->text, result.scenario.first_failure
                                ? result.scenario.first_failure : "",
              sizeof(report->text));
    report->n_asked = MIN(oracle.asked->len, MAX_CHOICES);
    for (unsigned i = 0; i < report->n_asked; i++) {
        ScriptAnswer *answer = &g_array_index(oracle.asked, ScriptAnswer, i);

        report->of[i] = answer->n;
        report->taken[i] = answer->taken;
    }
}

static bool read_report(int fd, RunReport *report)
{
    size_t done = 0;

    while (done < sizeof(*report)) {
        ssize_t n = read(fd, (char *)report + done, sizeof(*report) - done);

        if (n <= 0) {
            return false;
        }
        done += n;
    }
    return true;
}

static void run_in_child(const ScenarioSpec *spec, const GArray *picks,
                         RunReport *report)
{
    int fds[2];
    pid_t pid;

    fflush(NULL);
    if (pipe(fds) < 0 || (pid = fork()) < 0) {
        abort();
    }
    if (pid == 0) {
        close(fds[0]);
        run_once(spec, picks, report);
        if (write(fds[1], report, sizeof(*report)) < 0) {
            _exit(1);
        }
        _exit(0);
    }
    close(fds[1]);
    if (!read_report(fds[0], report)) {
        /* It crashed, and cannot say what it was asked. */
        *report = (RunReport){.end = SESSION_CRASHED};
    }
    close(fds[0]);
    waitpid(pid, NULL, 0);
}

/* The next script: the last choice that has another option takes it. */
static bool next_script(const RunReport *report, GArray *picks)
{
    for (unsigned i = report->n_asked; i > 0; i--) {
        if (report->taken[i - 1] + 1 < report->of[i - 1]) {
            g_array_set_size(picks, 0);
            g_array_append_vals(picks, report->taken, i);
            g_array_index(picks, unsigned, i - 1)++;
            return true;
        }
    }
    return false;
}

static char *format_choices(const RunReport *report, const GArray *picks)
{
    GString *text = g_string_new(NULL);
    unsigned last = 0;

    for (unsigned i = 0; i < report->n_asked; i++) {
        last = report->taken[i] ? i + 1 : last;
    }
    for (unsigned i = 0; i < last; i++) {
        g_string_append_printf(text, "%s%u", i ? "," : "", report->taken[i]);
    }
    for (unsigned i = 0; !report->n_asked && i < picks->len; i++) {
        g_string_append_printf(text, "%s%u", i ? "," : "",
                               g_array_index(picks, unsigned, i));
    }
    return g_string_free(text, false);
}

ExploreResult explore_all(const ScenarioSpec *spec, unsigned max)
{
    GArray *picks = g_array_new(false, false, sizeof(unsigned));
    RunReport *report = g_new0(RunReport, 1);
    ExploreResult result = {.runs = 0};
    bool more = true;

    while (more && result.runs < max) {
        run_in_child(spec, picks, report);
        result.runs++;
        if (report->end != SESSION_DONE) {
            result.found = true;
            result.end = report->end;
            result.choices = format_choices(report, picks);
            result.text = *report->text ? g_strdup(report->text) : NULL;
            break;
        }
        more = next_script(report, picks);
    }
    result.complete = !more;
    g_array_free(picks, true);
    g_free(report);
    return result;
}

void explore_result_finish(ExploreResult *result)
{
    g_free(result->choices);
    g_free(result->text);
}
