/* SPDX-License-Identifier: MIT */
/*
 * A recording is made in a process of its own: the scenario may crash, and
 * what comes after must be able to fork.
 */
#include "record-log.h"

#include "ring.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void (*record_progress)(unsigned seconds);

static int fail(Error *err, int status)
{
    error_report_err(err);
    return status;
}

static int record_in_child(const ScenarioSpec *spec, RunConfig config,
                           const char *path, bool overwrite)
{
    Error *err = NULL;
    RunResult result;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    config.log = log_create(path, overwrite, &err);
    if (!config.log) {
        return fail(err, 3);
    }
    config.box->state = BOX_LOG;
    if (!run_scenario(spec, &config, &result, &err)) {
        return fail(err, result.scenario.bad_input ? 3 : 5);
    }
    log_set_meta_int(config.log, "io_uring", result.io_uring);
    return log_close(config.log, &err) ? 0 : fail(err, 5);
}

/* Returns the child's wait status. */
static int wait_for(pid_t pid)
{
    struct pollfd pfd = {
        .fd = record_progress ? (int)syscall(SYS_pidfd_open, pid, 0) : -1,
        .events = POLLIN,
    };
    unsigned seconds = 0;
    int status;

    while (pfd.fd >= 0 && poll(&pfd, 1, 1000) == 0) {
        record_progress(++seconds);
    }
    if (pfd.fd >= 0) {
        close(pfd.fd);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

/* The child was killed: what it had recorded is still worth having. */
static void recover(const char *path, BlackBox *box, int signal_number)
{
    Error *err = NULL;
    Log *log = log_open_rw(path, &err);
    size_t n = 0;

    fprintf(stderr, "aiolab: %s: the recorded scenario was killed by signal "
            "%d", path, signal_number);
    if (!log) {
        fprintf(stderr, "; and nothing could be saved: %s\n",
                error_get_pretty(err));
        error_free(err);
        return;
    }
    ringset_recover(log, box);
    log_set_meta(log, "state", "cut");
    log_set_meta_int(log, "signal", signal_number);
    g_free(log_inputs(log, &n, NULL));
    log_set_meta_int(log, "inputs", n);
    fprintf(stderr, "; the %zu inputs up to there are saved\n", n);
    log_close(log, NULL);
}

int record_log(const ScenarioSpec *spec, const RunConfig *config,
               const char *path, bool overwrite)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old_int;
    RunConfig with_box = *config;
    Error *err = NULL;
    int status;
    pid_t pid;

    with_box.box = blackbox_new(path, &err);
    if (!with_box.box) {
        return fail(err, 5);
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        status = record_in_child(spec, with_box, path, overwrite);
        fflush(NULL);
        _exit(status);
    }
    /* Ctrl-C ends the child; we stay to save what it has recorded. */
    sigaction(SIGINT, &ignore, &old_int);
    status = wait_for(pid);
    sigaction(SIGINT, &old_int, NULL);
    if (WIFSIGNALED(status)) {
        if (with_box.box->state != BOX_NEW) {
            recover(path, with_box.box, WTERMSIG(status));
        }
        status = 128 + WTERMSIG(status);
    } else {
        status = WEXITSTATUS(status);
        if (status && with_box.box->state != BOX_NEW) {
            log_remove(path); /* it did not begin: nothing to keep */
        }
    }
    blackbox_free(with_box.box);
    return status;
}

bool index_log(const char *path, const Session *session, Error **errp)
{
    Log *log = log_open_rw(path, errp);
    bool ok = log && index_build(log, session, errp);

    return log_close(log, ok ? errp : NULL) && ok;
}
