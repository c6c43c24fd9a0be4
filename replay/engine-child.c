/* SPDX-License-Identifier: MIT */
/*
 * The engine's side in the child: it runs the scenario, streams the events into
 * a pipe, and leaves forks of itself behind.  Such a checkpoint forks once more
 * for each query; that fork goes on to the event, answers, and is gone.
 */
#include "engine-internal.h"

#include "front.h"
#include "stacks.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_GAP = 256 }; /* events between checkpoints */

static struct {
    int out_fd;
    uint8_t out[STREAM_BUFFER];
    size_t out_len;
    uint64_t count;     /* events emitted */
    uint64_t next_checkpoint, gap;
    uint64_t target;    /* a query's fork: stop there */
    int query_fd;       /* and answer here; -1: stream */
    Checkpoint *checkpoints;
} child;

/* ---- The stream ---- */

static void write_all(int fd, const void *data, size_t len)
{
    const uint8_t *p = data;

    while (len) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            front_exit(0); /* nobody listens any more */
        }
        p += n;
        len -= n;
    }
}

static void flush(void)
{
    write_all(child.out_fd, child.out, child.out_len);
    child.out_len = 0;
}

static void send_bytes(const void *data, size_t len)
{
    if (child.out_len + len > STREAM_BUFFER) {
        flush();
    }
    if (len > STREAM_BUFFER) {
        write_all(child.out_fd, data, len);
        return;
    }
    memcpy(child.out + child.out_len, data, len);
    child.out_len += len;
}

static void send_message(Message message, const char *text)
{
    message.has_text = text != NULL;
    message.text_len = text ? strlen(text) : 0;
    send_bytes(&message, sizeof(message));
    if (text) {
        send_bytes(text, message.text_len);
    }
}

/* ---- Checkpoints ---- */

/*
 * A checkpoint's life: it waits for a number, and forks somebody who goes on
 * to that event and answers.  Returns in that fork only.
 */
static void checkpoint_serve(Checkpoint *checkpoint)
{
    uint64_t target;

    close(child.out_fd);
    while (read(checkpoint->child_fd, &target, sizeof(target)) ==
           sizeof(target)) {
        pid_t pid = fork();

        if (pid == 0) {
            child.query_fd = checkpoint->child_fd;
            child.target = target;
            return;
        }
        waitpid(pid, NULL, 0);
    }
    front_exit(0);
}

/* All are in use: every other one goes, and the gap doubles. */
static void thin_checkpoints(void)
{
    for (unsigned i = 1; i < CHECKPOINTS; i += 2) {
        Checkpoint *checkpoint = &child.checkpoints[i];

        kill(checkpoint->pid, SIGKILL);
        waitpid(checkpoint->pid, NULL, 0);
        checkpoint->pid = 0;
        send_message((Message){.kind = MSG_CHECKPOINT, .obj = i}, NULL);
    }
    child.gap *= 2;
}

static Checkpoint *unused_checkpoint(void)
{
    for (unsigned i = 0; i < CHECKPOINTS; i++) {
        if (!child.checkpoints[i].pid) {
            return &child.checkpoints[i];
        }
    }
    thin_checkpoints();
    return &child.checkpoints[1];
}

static void take_checkpoint(void)
{
    Checkpoint *checkpoint = unused_checkpoint();
    pid_t pid;

    flush();
    pid = fork();
    if (pid < 0) {
        return; /* too many processes: fewer checkpoints */
    }
    if (pid == 0) {
        checkpoint_serve(checkpoint);
        return;
    }
    checkpoint->pid = pid;
    send_message((Message){
        .kind = MSG_CHECKPOINT, .obj = checkpoint - child.checkpoints,
        .a = child.count,
    }, NULL);
}

/* ---- The run ---- */

static void child_sink(const ProbeEvent *event, void *opaque)
{
    if (child.query_fd < 0 && child.count == child.next_checkpoint) {
        take_checkpoint();
        child.next_checkpoint = child.count + child.gap;
    }
    child.count++;
    if (child.query_fd >= 0) {
        if (child.count == child.target) {
            stacks_send(child.query_fd);
            front_exit(0);
        }
        return;
    }
    send_message((Message){
        .kind = event->kind, .thread = event->thread, .t_ns = event->t_ns,
        .obj = event->obj, .a = event->a, .b = event->b, .c = event->c,
        .site = event->site,
    }, event->text);
}

/* A crash: what led to it must still reach the parent. */
static void flush_and_die(int signal_number)
{
    if (child.query_fd < 0) {
        flush();
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void catch_crashes(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    static uint8_t memory[1 << 16]; /* the own stack may be what overflowed */
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};
    struct sigaction action = {
        .sa_handler = flush_and_die, .sa_flags = SA_ONSTACK | SA_NODEFER,
    };

    sigaltstack(&stack, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(signals); i++) {
        sigaction(signals[i], &action, NULL);
    }
}

/* The checkpoints are our children: stay until nobody asks. */
static void wait_for_checkpoints(void)
{
    for (unsigned i = 0; i < CHECKPOINTS; i++) {
        if (child.checkpoints[i].pid) {
            waitpid(child.checkpoints[i].pid, NULL, 0);
        }
    }
}

void engine_child_main(int out_fd, Checkpoint *checkpoints, EngineBody *body,
                       void *opaque)
{
    EngineEnd end = {.text = NULL};

    child.out_fd = out_fd;
    child.query_fd = -1;
    child.gap = FIRST_GAP;
    child.checkpoints = checkpoints;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    catch_crashes();
    body(opaque, child_sink, &end);
    if (child.query_fd < 0) {
        send_message((Message){
            .kind = MSG_END, .obj = end.outcome, .a = end.a, .b = end.b,
        }, end.text);
        flush();
        close(child.out_fd);
        wait_for_checkpoints();
    }
    front_exit(0);
}
