/* SPDX-License-Identifier: MIT */
/*
 * A recording is made in a process of its own: the scenario may crash, and
 * what comes after must be able to fork.
 */
#include "record-log.h"

#include <poll.h>
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

    config.log = log_create(path, overwrite, &err);
    if (!config.log) {
        return fail(err, 3);
    }
    if (!run_scenario(spec, &config, &result, &err)) {
        /* It did not begin: there is nothing to keep. */
        log_discard(config.log);
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

int record_log(const ScenarioSpec *spec, const RunConfig *config,
               const char *path, bool overwrite)
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        status = record_in_child(spec, *config, path, overwrite);
        fflush(NULL);
        _exit(status);
    }
    status = wait_for(pid);
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "aiolab: %s: the recorded scenario was killed by "
                "signal %d\n", path, WTERMSIG(status));
        return 128 + WTERMSIG(status);
    }
    return WEXITSTATUS(status);
}

bool index_log(const char *path, const Session *session, Error **errp)
{
    Log *log = log_open_rw(path, errp);
    bool ok = log && index_build(log, session, errp);

    return log_close(log, ok ? errp : NULL) && ok;
}
