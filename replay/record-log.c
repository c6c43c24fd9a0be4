/* SPDX-License-Identifier: MIT */
/*
 * A recording is made in a process of its own: the scenario may crash, and
 * what comes after must be able to fork.
 */
#include "record-log.h"

#include "recover.h"
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
    if (result.left_detached) {
        log_commit(config.log);
        config.box->state = BOX_DETACHED;
        return 0;
    }
    if (!log_close(config.log, &err)) {
        blackbox_stop(config.box, error_get_pretty(err));
    }
    return 0;
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

/*
 * Adds what the rings have, if there is space; returns what came of it.  False
 * if not even that could be written.
 */
static bool recover(const char *path, BlackBox *box, char **said)
{
    Recovery recovery;

    if (recover_log(path, box->fd, &recovery, NULL) == RECOVERED ||
        recover_last_commit(path, &recovery, NULL) == RECOVERED) {
        *said = g_strdup_printf("the %zu inputs up to there are saved",
                                recovery.inputs);
        return true;
    }
    *said = g_strdup("what is in it is saved; make space before you open it");
    return false;
}

/* How the scenario's process ended, for who reads the log. */
static void note_end(const char *path, const char *name, int number)
{
    g_autofree char *how = g_str_equal(name, "signal")
                               ? g_strdup_printf("signal %d", number)
                               : g_strdup_printf("exit(%d)", number);
    Log *log = log_open_rw(path, NULL);

    if (log) {
        log_set_meta_int(log, name, number);
        log_set_meta(log, "exit", how);
        log_close(log, NULL);
    }
}

/* Returns whether the rings are no longer needed. */
static bool after_kill(const char *path, BlackBox *box, int signal_number)
{
    g_autofree char *said = NULL;
    bool done = recover(path, box, &said);

    if (done) {
        note_end(path, "signal", signal_number);
    }
    fprintf(stderr, "aiolab: %s: the recorded scenario was killed by signal "
            "%d; %s\n", path, signal_number, said);
    return done;
}

static bool after_exit(const char *path, BlackBox *box, int status)
{
    g_autofree char *said = NULL;
    bool done = true;

    if (box->state == BOX_STOPPED) {
        done = recover(path, box, &said);
        fprintf(stderr, "aiolab: %s: the recording ended early: %s; %s\n", path,
                box->reason, said);
    } else if (box->state == BOX_DETACHED) {
        done = recover(path, box, &said);
        fprintf(stderr, "aiolab: %s: a detached thread still ran a second "
                "after the main thread had ended, and ended with it; %s\n",
                path, said);
    } else if (box->state == BOX_RUNNING) {
        done = recover(path, box, &said);
        if (done) {
            note_end(path, "status", status);
        }
        fprintf(stderr, "aiolab: %s: the recorded scenario ended the process, "
                "with status %d; %s\n", path, status, said);
    } else if (status && box->state != BOX_NEW) {
        log_remove(path); /* it did not begin: nothing to keep */
    }
    return done;
}

int record_log(const ScenarioSpec *spec, const RunConfig *config,
               const char *path, bool overwrite)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old_int;
    RunConfig with_box = *config;
    BlackBox *box;
    Error *err = NULL;
    int status;
    bool done;
    pid_t pid;

    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error */
    with_box.detached_ns = RUN_DETACHED_NS;
    with_box.box = box = blackbox_new(path, &err);
    if (!box) {
        return fail(err, 5);
    }
    box->has_parent = true;
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
    done = box->state == BOX_NEW ? true
         : WIFSIGNALED(status) ? after_kill(path, box, WTERMSIG(status))
                               : after_exit(path, box, WEXITSTATUS(status));
    if (done) {
        blackbox_free(box);
    } else {
        blackbox_leave(box);
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool index_log(const char *path, const Session *session, Error **errp)
{
    Log *log = log_open_rw(path, errp);
    bool ok = log && index_build(log, session, errp);

    return log_close(log, ok ? errp : NULL) && ok;
}
