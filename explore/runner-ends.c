/* SPDX-License-Identifier: MIT */
/* How schedules end that do not end by themselves. */
#include "runner-internal.h"

#include <execinfo.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    SIGNAL_STACK = 1 << 16,
    QUIET_SECONDS = 2, /* without a step: it computes for ever */
};

/*
 * Where it happened, innermost first.  The C library keeps no frame pointers,
 * and abort() is in it, so its own unwinder is asked; it knows signal frames.
 */
void runner_note_frames(ScheduleOutcome *outcome)
{
    void *frames[OUTCOME_FRAMES + 8];
    int n = backtrace(frames, ARRAY_SIZE(frames));

    for (int i = 0; i < n && outcome->n_frames < OUTCOME_FRAMES; i++) {
        outcome->frames[outcome->n_frames++] = (uintptr_t)frames[i];
    }
}

void runner_leave(Runner *r, ScheduleEnd end)
{
    r->running = false;
    r->outcome.end = end;
    siglongjmp(r->crashed, 1);
}

void runner_descriptor(int fd)
{
    Runner *r = the_runner;

    if (r && r->running && fd >= 0 && r->n_fds < DESCRIPTORS_MAX) {
        r->fds[r->n_fds++] = fd;
    }
}

/* A run that has ended well has closed its own. */
void runner_close_descriptors(Runner *r)
{
    while (r->n_fds) {
        int fd = r->fds[--r->n_fds];

        if (r->outcome.end != SCHEDULE_DONE) {
            close(fd);
        }
    }
}

void runner_exits(int status)
{
    Runner *r = the_runner;
    ScheduleOutcome *o;

    if (!r || !r->running || r->pid != getpid()) {
        return;
    }
    o = &r->outcome;
    if (r->scenario.failed_checks) {
        g_strlcpy(o->text, r->scenario.first_failure, OUTCOME_TEXT);
        runner_leave(r, SCHEDULE_FAILED);
    } else if (status) {
        g_snprintf(o->text, OUTCOME_TEXT, "it ends the process with status %d",
                   status);
        runner_note_frames(o);
        runner_leave(r, SCHEDULE_FAILED);
    }
    runner_leave(r, SCHEDULE_DONE);
}

static void handle_crash(int number, siginfo_t *info, void *context)
{
    Runner *r = the_runner;

    if (number == SIGSEGV && arena_handle_fault(info->si_addr)) {
        return;
    }
    if (!r->running) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    r->outcome.signal = number;
    runner_note_frames(&r->outcome);
    runner_leave(r, SCHEDULE_CRASHED);
}

/* Of processor time: a step must come now and then. */
static void handle_tick(int number, siginfo_t *info, void *context)
{
    Runner *r = the_runner;
    uint64_t progress = r->runs << 32 | sim_steps();

    if (!r->running || progress != r->last_progress) {
        r->quiet = 0;
    } else if (++r->quiet > QUIET_SECONDS) {
        r->quiet = 0;
        g_strlcpy(r->outcome.text, "it computes, and does nothing that "
                  "another thread could wait for", OUTCOME_TEXT);
        runner_note_frames(&r->outcome);
        runner_leave(r, SCHEDULE_ENDLESS);
    }
    r->last_progress = progress;
}

void runner_catch_signals(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT,
                                  SIGTRAP, SIGSYS};
    struct itimerval second = {{1, 0}, {1, 0}};
    struct sigaction action = {
        .sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO,
    };
    stack_t stack = {
        .ss_sp = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        .ss_size = SIGNAL_STACK,
    };

    sigaltstack(&stack, NULL);
    action.sa_sigaction = handle_crash;
    for (unsigned i = 0; i < ARRAY_SIZE(crashes); i++) {
        sigaction(crashes[i], &action, NULL);
    }
    action.sa_sigaction = handle_tick;
    action.sa_flags |= SA_RESTART;
    sigaction(SIGVTALRM, &action, NULL);
    setitimer(ITIMER_VIRTUAL, &second, NULL);
}

/* What a run says there is the message of an assertion, if it crashes. */
void runner_capture_stderr(Runner *r)
{
    r->own_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    r->stderr_fd = memfd_create("stderr", MFD_CLOEXEC);
    dup2(r->stderr_fd, STDERR_FILENO);
}

void runner_take_message(Runner *r)
{
    off_t len = lseek(r->stderr_fd, 0, SEEK_END);
    ScheduleOutcome *o = &r->outcome;
    ssize_t n = pread(r->stderr_fd, o->text, OUTCOME_TEXT - 1,
                      MAX(0, len - OUTCOME_TEXT + 1));

    o->text[MAX(n, 0)] = 0;
    g_strchomp(o->text);
    if (ftruncate(r->stderr_fd, 0) == 0) {
        lseek(r->stderr_fd, 0, SEEK_SET);
    }
}

void runner_release_stderr(Runner *r)
{
    dup2(r->own_stderr, STDERR_FILENO);
    close(r->own_stderr);
    close(r->stderr_fd);
}
