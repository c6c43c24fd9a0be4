/* SPDX-License-Identifier: MIT */
/*
 * What a program says to its process, in front of the C library's.
 *
 * A virtual thread must not end the process, or the thread, that the machine
 * runs on; and a signal that it sends itself comes as it would to a thread of
 * the live host, of which only the main one hears them.  The host hears of it
 * (HostOps.exits).
 */
#include "front.h"

#include "host.h"
#include "machine.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

void *front_find(void **found, const char *name)
{
    void *fn = qatomic_read(found);

    if (unlikely(!fn)) {
        fn = dlsym(RTLD_NEXT, name);
        if (!fn) {
            fprintf(stderr, "aiolab: %s() is not to be found behind ours; link "
                    "libaiolab before GLib\n", name);
            abort();
        }
        qatomic_set(found, fn);
    }
    return fn;
}

static bool is_virtual(void)
{
    /* A thread that is not the host's must not look at what is. */
    return host_self_ && host_mode & HOST_LISTS && machine.current &&
           host_self_ == &machine.current->self;
}

/* ---- The end of the process ---- */

void front_exit(int status)
{
    FRONT_REAL(_exit)(status);
    __builtin_unreachable();
}

void _exit(int status)
{
    if (is_virtual()) {
        host->exits(status, 0);
    }
    front_exit(status);
}

void _Exit(int status)
{
    _exit(status);
}

static bool listens; /* front_listen() was called, for the next exit() */

/*
 * After what the program has to do at its end.  What libraries do then is not
 * the scenario's: a recorded process, too, ends here.
 */
static void exit_is_called(int status, void *opaque)
{
    listens = false;
    if (is_virtual()) {
        host->exits(status, 0);
    } else if (host_mode & HOST_GLIB) {
        fflush(NULL);
        front_exit(status);
    }
}

void front_listen(void)
{
    if (!listens) {
        listens = on_exit(exit_is_called, NULL) == 0;
    }
}

/* ---- Signals ---- */

/* The live host's threads block those that are not about themselves. */
static bool is_heard(int signum)
{
    return host_self_->id == 1 || signum == SIGSEGV || signum == SIGBUS ||
           signum == SIGFPE || signum == SIGILL;
}

/* True if its end is what the process does about it, and it leaves no core. */
static bool ends_process(int signum)
{
    struct sigaction action;

    switch (signum) {
    case SIGHUP:
    case SIGINT:
    case SIGTERM:
    case SIGKILL:
    case SIGUSR1:
    case SIGUSR2:
    case SIGALRM:
        return sigaction(signum, NULL, &action) == 0 &&
               action.sa_handler == SIG_DFL;
    default:
        return false;
    }
}

int raise(int signum)
{
    if (is_virtual()) {
        if (!is_heard(signum) && signum != SIGKILL) {
            return 0; /* it waits for ever */
        }
        if (ends_process(signum)) {
            host->exits(0, signum);
        }
    }
    return FRONT_REAL(raise)(signum);
}

int kill(pid_t pid, int signum)
{
    if (is_virtual() && pid == getpid() && ends_process(signum)) {
        host->exits(0, signum);
    }
    return FRONT_REAL(kill)(pid, signum);
}

/* ---- The end of a thread ---- */

/* One that the host has made: the host must know, whoever is called. */
void pthread_exit(void *ret)
{
    if (host_self_ && host_mode & (HOST_LISTS | HOST_GLIB)) {
        if (host_self_->id == 1) {
            host->refuse("pthread_exit");
        }
        qemu_thread_exit(ret);
    }
    FRONT_REAL(pthread_exit)(ret);
    __builtin_unreachable();
}

/* ---- Sleeping ---- */

static bool sleep_is_virtual(int64_t ns)
{
    if (!is_virtual()) {
        return false;
    }
    host->point(HOST_POINT_SLEEP, MAX(ns, 0));
    return true;
}

static int64_t ns_of(const struct timespec *ts)
{
    return ts->tv_sec * NANOSECONDS_PER_SECOND + ts->tv_nsec;
}

/* As a sleep, so that somebody else may run. */
int sched_yield(void)
{
    return sleep_is_virtual(0) ? 0 : FRONT_REAL(sched_yield)();
}

void g_thread_yield(void)
{
    sched_yield();
}

void g_usleep(gulong microseconds)
{
    if (!sleep_is_virtual((int64_t)microseconds * SCALE_US)) {
        FRONT_REAL(g_usleep)(microseconds);
    }
}

int usleep(useconds_t microseconds)
{
    return sleep_is_virtual((int64_t)microseconds * SCALE_US)
               ? 0 : FRONT_REAL(usleep)(microseconds);
}

unsigned sleep(unsigned seconds)
{
    return sleep_is_virtual(seconds * NANOSECONDS_PER_SECOND)
               ? 0 : FRONT_REAL(sleep)(seconds);
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    return sleep_is_virtual(ns_of(wanted)) ? 0
                                           : FRONT_REAL(nanosleep)(wanted, left);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted,
                    struct timespec *left)
{
    return !flags && sleep_is_virtual(ns_of(wanted))
               ? 0 : FRONT_REAL(clock_nanosleep)(clock, flags, wanted, left);
}
