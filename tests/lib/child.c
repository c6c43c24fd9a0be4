/* SPDX-License-Identifier: MIT */
/* Child processes of tests; see child.h. */
#include "child.h"

#include "testlib.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

unsigned test_number(const char *name, unsigned otherwise)
{
    const char *text = g_getenv(name);

    return text ? strtoul(text, NULL, 10) : otherwise;
}

/* Seconds after which a child counts as hanging. */
static unsigned patience(void)
{
    return test_number("AIOLAB_TEST_PATIENCE", 120);
}

void check_failed(const char *file, int line, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "%s:%d: check failed: ", file, line);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    fflush(NULL);
    abort();
}

void check_strings(const char *file, int line, const char *what,
                   const char *got, const char *want)
{
    if (g_strcmp0(got, want) != 0) {
        check_failed(file, line, "%s is \"%s\", not \"%s\"", what,
                     got ? got : "(null)", want ? want : "(null)");
    }
}

/* ---- Running ---- */

static void child_begin(int out, int err, unsigned seconds)
{
    static const int caught[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS};

    for (unsigned i = 0; i < ARRAY_SIZE(caught); i++) {
        signal(caught[i], SIG_DFL); /* cmocka's would go on in the child */
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    alarm(patience()); /* survives exec; the default action ends us */
    if (seconds) {
        setrlimit(RLIMIT_CPU, &(struct rlimit){seconds, seconds});
    }
}

/* Reads both pipes until the last writer has closed them. */
static void collect(int out_fd, int err_fd, ChildResult *result)
{
    struct pollfd fds[2] = {{out_fd, POLLIN, 0}, {err_fd, POLLIN, 0}};
    GString *text[2] = {g_string_new(NULL), g_string_new(NULL)};

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        poll(fds, 2, -1);
        for (unsigned i = 0; i < 2; i++) {
            char buf[4096];
            ssize_t n = fds[i].revents ? read(fds[i].fd, buf, sizeof(buf)) : -2;

            if (n > 0) {
                g_string_append_len(text[i], buf, n);
            } else if (n == 0 || (n == -1 && errno != EINTR)) {
                fds[i].fd = -1;
            }
        }
    }
    result->out = g_string_free(text[0], false);
    result->err = g_string_free(text[1], false);
}

typedef struct Pipes {
    int out[2], err[2];
} Pipes;

static pid_t fork_with_pipes(Pipes *p, unsigned seconds)
{
    pid_t pid;

    if (pipe2(p->out, O_CLOEXEC) < 0 || pipe2(p->err, O_CLOEXEC) < 0) {
        abort();
    }
    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        abort();
    }
    if (pid == 0) {
        child_begin(p->out[1], p->err[1], seconds);
        for (unsigned i = 0; i < 2; i++) {
            close(p->out[i]);
            close(p->err[i]);
        }
    } else {
        close(p->out[1]);
        close(p->err[1]);
    }
    return pid;
}

static ChildResult reap(pid_t pid, Pipes *p)
{
    ChildResult result = {.status = -1};
    int status;

    collect(p->out[0], p->err[0], &result);
    close(p->out[0]);
    close(p->err[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status)) {
        result.status = WEXITSTATUS(status);
    } else {
        result.signal = WTERMSIG(status);
        result.late = result.signal == SIGALRM || result.signal == SIGXCPU ||
                      result.signal == SIGKILL;
    }
    return result;
}

ChildResult child_run(ChildFn *fn, void *opaque)
{
    Pipes pipes;
    pid_t pid = fork_with_pipes(&pipes, 0);

    if (pid == 0) {
        fn(opaque);
        exit(0); /* not _exit(): leaks are looked for here */
    }
    return reap(pid, &pipes);
}

ChildResult child_spawn(const char *const *argv, unsigned seconds)
{
    Pipes pipes;
    pid_t pid = fork_with_pipes(&pipes, seconds);

    if (pid == 0) {
        execv(argv[0], (char *const *)argv);
        fprintf(stderr, "%s: %s\n", argv[0], g_strerror(errno));
        _exit(126);
    }
    return reap(pid, &pipes);
}

void child_finish(ChildResult *result)
{
    g_free(result->out);
    g_free(result->err);
    *result = (ChildResult){.status = -1};
}

/* ---- Judging ---- */

static void QEMU_NORETURN bad_end(const ChildResult *result, const char *what)
{
    const char *ending = result->late ? "it did not end"
                       : result->signal ? "killed by signal"
                                        : "exit status";

    /* Not print_message(), which cuts long texts off. */
    fprintf(stderr, "%s%s", result->out, result->err);
    fail_msg("%s: %s %d", what, ending,
             result->signal ? result->signal : result->status);
    abort(); /* fail_msg() does not return */
}

void child_expect_status(const ChildResult *result, int status,
                         const char *what)
{
    if (result->status != status) {
        bad_end(result, what);
    }
}

void child_expect_ok(const ChildResult *result, const char *what)
{
    child_expect_status(result, 0, what);
}

void child_expect_abort(const ChildResult *result, const char *message)
{
    if (result->signal != SIGABRT || !strstr(result->err, message)) {
        bad_end(result, message);
    }
}

/* ---- Directories ---- */

char *test_dir_new(void)
{
    char *dir = g_dir_make_tmp("aiolab-test-XXXXXX", NULL);

    if (!dir) {
        abort();
    }
    return dir;
}

void test_dir_free(char *dir)
{
    GDir *entries = g_dir_open(dir, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        unlink(path);
    }
    if (entries) {
        g_dir_close(entries);
    }
    rmdir(dir);
    g_free(dir);
}
