/* SPDX-License-Identifier: MIT */
/* Plays: loaded here, played in a child that shares the plan with us. */
#include "play-run.h"

#include "play.h"
#include "play-store.h"
#include "record-log.h"
#include "record-run.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* More requests have more events than fit into memory, or are of use. */
enum { MOST_WITH_EVENTS = 50000 };

enum { SIGNALLED = 128 }; /* the status of what a signal ended is above */

/* What would be lost is named before anything is. */
static int check_files(const PlayJob *job)
{
    const GArray *targets = job->plan->targets;

    for (unsigned i = 0; i < targets->len; i++) {
        const PlayTarget *t = &g_array_index(targets, PlayTarget, i);

        if (t->path && t->file == i && !play_image_check(t->path)) {
            return STATUS_BAD_INPUT;
        }
    }
    for (unsigned i = 0; i < targets->len && !job->allow_write; i++) {
        const PlayTarget *t = &g_array_index(targets, PlayTarget, i);

        if (t->path && t->writes + t->discards) {
            cli_error("%s: would be overwritten: %" PRIu64 " writes of %" PRIu64
                      " bytes and %" PRIu64 " discards, between byte %" PRIu64
                      " and %" PRIu64 "; give --write to allow that, or "
                      "--where \"op = 'read'\"", t->path, t->writes,
                      t->written_bytes, t->discards, t->first_written,
                      t->end_written);
            return STATUS_USAGE;
        }
    }
    return STATUS_OK;
}

bool play_job_check(PlayJob *job, Error **errp)
{
    bool ok = play_config_of(&job->config, job->spec, errp);

    play_config_clear(&job->config);
    return ok;
}

int play_job_load(PlayJob *job)
{
    Error *err = NULL;

    if (!play_config_of(&job->config, job->spec, &err)) {
        return cli_fail(err, STATUS_USAGE);
    }
    if (!play_where_check(&job->config, &err)) {
        return cli_fail(err, STATUS_USAGE);
    }
    job->plan = play_plan_load(&job->config, true, &err);
    if (!job->plan) {
        error_prepend(&err, "%s: ", job->name);
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    return check_files(job);
}

void play_job_unload(PlayJob *job)
{
    play_plan_free(job->plan);
    job->plan = NULL;
    play_config_clear(&job->config);
}

/* ---- Unrecorded ---- */

static int run_in_child(PlayJob *job)
{
    Error *err = NULL;
    RunResult result;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!run_scenario(job->spec, &job->run, &result, &err)) {
        return cli_fail(err, result.scenario.bad_input ? STATUS_BAD_INPUT
                                                       : STATUS_MACHINE);
    }
    if (result.sim.outcome == SIM_STUCK) {
        cli_error("%s: the play is stuck: nothing can go on; with -o LOG it is "
                  "recorded, and explained", job->name);
        return STATUS_FINDING;
    }
    if (result.scenario.failed_checks) {
        cli_error("%s: %s", job->name, result.scenario.first_failure);
        return STATUS_FINDING;
    }
    return STATUS_OK;
}

/* On a terminal, how far it is.  Returns the child's wait status. */
static int wait_for(PlayJob *job, pid_t pid)
{
    struct pollfd pfd = {
        .fd = job->common->quiet || !isatty(STDERR_FILENO)
                  ? -1 : (int)syscall(SYS_pidfd_open, pid, 0),
        .events = POLLIN,
    };
    struct rusage used = {.ru_minflt = 0};
    unsigned seconds = 0;
    int status;

    while (pfd.fd >= 0 && poll(&pfd, 1, 1000) == 0) {
        fprintf(stderr, "\rplaying %zu requests, %u s ", job->plan->n,
                ++seconds);
    }
    if (seconds) {
        fprintf(stderr, "\r\033[K");
    }
    if (pfd.fd >= 0) {
        close(pfd.fd);
    }
    while (wait4(pid, &status, 0, &used) < 0 && errno == EINTR) {
    }
    job->cpu_s = used.ru_utime.tv_sec + used.ru_stime.tv_sec +
                 (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    return status;
}

int play_job_run(PlayJob *job)
{
    int status;
    pid_t pid;

    play_prepare(job->plan);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        _exit(run_in_child(job));
    }
    status = wait_for(job, pid);
    play_prepare(NULL);
    if (WIFSIGNALED(status)) {
        cli_error("%s: the play was killed by signal %d; with -o LOG it is "
                  "recorded up to there", job->name, WTERMSIG(status));
        return 128 + WTERMSIG(status);
    }
    return WEXITSTATUS(status);
}

/* ---- Recorded ---- */

static bool copy_trace(Log *log, void *opaque, Error **errp)
{
    const PlayJob *job = opaque;

    return play_copy_trace(log, job->config.trace, errp);
}

static int store(const PlayJob *job, const char *path)
{
    Error *err = NULL;
    Log *log = log_open_rw(path, &err);
    bool ok = log && play_store(log, job->plan, &job->config, &err);

    if (log && !log_close(log, ok ? &err : NULL)) {
        ok = false;
    }
    return ok ? STATUS_OK : cli_fail(err, STATUS_MACHINE);
}

int play_job_record(PlayJob *job, const char *path)
{
    CommonOptions common = *job->common;
    int status, stored;

    job->run.prepare = copy_trace;
    job->run.prepare_opaque = job;
    if (job->plan->n > MOST_WITH_EVENTS && !job->options.no_replay) {
        cli_error("%s: of %zu requests no events are kept; 'aiolab replay' "
                  "compares them", path, job->plan->n);
        job->options.no_replay = true;
    }
    common.quiet = true; /* the play's own report says more */
    common.json = false;
    play_prepare(job->plan);
    status = record_and_index(job->spec, &job->run, &job->options, &common,
                              path);
    play_prepare(NULL);
    if (status == STATUS_DIVERGED) {
        cli_error("%s: its replay diverges; 'aiolab replay' says where", path);
    } else if (status > STATUS_FINDING && status < SIGNALLED) {
        return status;
    }
    stored = store(job, path); /* of a play that was ended, how far it came */
    return stored ? stored : status;
}
