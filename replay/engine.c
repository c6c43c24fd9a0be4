/* SPDX-License-Identifier: MIT */
/* The child process, its stream of events, and its checkpoints. */
#include "engine.h"

#include "qemu/queue.h"
#include "stacks.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CHECKPOINTS = 12,
    FIRST_GAP = 256,
    OUT_BUFFER = 1 << 16,
    MSG_END = -1,
    MSG_CHECKPOINT = -2,
};

/* What goes through the pipe; a text of text_len bytes follows. */
typedef struct Message {
    int32_t kind; /* a ProbeKind, or MSG_* */
    uint32_t thread;
    int64_t t_ns;
    uint64_t obj, a, b, c;
    const ProbeSite *site; /* parent and child are forks: same addresses */
    uint32_t text_len;
    uint32_t has_text;
} Message;

typedef struct Checkpoint {
    int parent_fd, child_fd;
    pid_t pid;   /* in the engine's child: 0 if unused */
    uint64_t at; /* events that were emitted when it was taken; 0: unused */
} Checkpoint;

struct Engine {
    pid_t pid;
    int events_fd;
    Checkpoint checkpoints[CHECKPOINTS];
    QLIST_ENTRY(Engine) next;
};

/* Those of this process. */
static QLIST_HEAD(, Engine) engines = QLIST_HEAD_INITIALIZER(engines);

/* ---- The child's side ---- */

static struct {
    int out_fd;
    uint8_t out[OUT_BUFFER];
    size_t out_len;
    uint64_t count;     /* events emitted */
    uint64_t next_checkpoint, gap;
    uint64_t target;    /* a query's fork: stop there */
    int query_fd;       /* and answer here; -1: stream */
    Checkpoint *checkpoints;
} child;

static void write_all(int fd, const void *data, size_t len)
{
    const uint8_t *p = data;

    while (len) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            _exit(0); /* nobody listens any more */
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
    if (child.out_len + len > OUT_BUFFER) {
        flush();
    }
    if (len > OUT_BUFFER) {
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
    _exit(0);
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
            _exit(0);
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

static void QEMU_NORETURN child_main(EngineBody *body, void *opaque)
{
    EngineEnd end = {.text = NULL};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    catch_crashes();
    body(opaque, child_sink, &end);
    if (child.query_fd < 0) {
        send_message((Message){
            .kind = MSG_END, .obj = end.outcome, .a = end.a, .b = end.b,
        }, end.text);
        flush();
        /* The checkpoints are our children: stay until nobody asks. */
        close(child.out_fd);
        for (unsigned i = 0; i < CHECKPOINTS; i++) {
            if (child.checkpoints[i].pid) {
                waitpid(child.checkpoints[i].pid, NULL, 0);
            }
        }
    }
    _exit(0);
}

/* ---- The parent's side ---- */

static void close_descriptors(Engine *engine)
{
    for (unsigned i = 0; i < CHECKPOINTS; i++) {
        close(engine->checkpoints[i].parent_fd);
    }
    close(engine->events_fd);
}

/* In a child: an engine ends when nobody holds its descriptors any more. */
static void let_go_of_others(void)
{
    Engine *engine;

    QLIST_FOREACH(engine, &engines, next) {
        close_descriptors(engine);
    }
}

Engine *engine_start(EngineBody *body, void *opaque, Error **errp)
{
    Engine *engine = g_new0(Engine, 1);
    int fds[2];

    fflush(NULL);
    if (pipe(fds) < 0) {
        error_setg_errno(errp, errno, "cannot make a pipe");
        g_free(engine);
        return NULL;
    }
    for (unsigned i = 0; i < CHECKPOINTS; i++) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
            abort();
        }
        engine->checkpoints[i].parent_fd = pair[0];
        engine->checkpoints[i].child_fd = pair[1];
    }
    engine->pid = fork();
    if (engine->pid == 0) {
        close(fds[0]);
        for (unsigned i = 0; i < CHECKPOINTS; i++) {
            close(engine->checkpoints[i].parent_fd);
        }
        let_go_of_others();
        child.out_fd = fds[1];
        child.query_fd = -1;
        child.gap = FIRST_GAP;
        child.checkpoints = engine->checkpoints;
        child_main(body, opaque);
    }
    close(fds[1]);
    for (unsigned i = 0; i < CHECKPOINTS; i++) {
        close(engine->checkpoints[i].child_fd);
    }
    engine->events_fd = fds[0];
    QLIST_INSERT_HEAD(&engines, engine, next);
    return engine;
}

static bool read_all(int fd, void *data, size_t len)
{
    uint8_t *p = data;

    while (len) {
        ssize_t n = read(fd, p, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        p += n;
        len -= n;
    }
    return true;
}

/* A buffered reader: one read() for many messages. */
typedef struct Reader {
    int fd;
    GByteArray *buffer;
    size_t at;
} Reader;

static bool reader_need(Reader *reader, size_t len)
{
    while (reader->buffer->len - reader->at < len) {
        uint8_t chunk[OUT_BUFFER];
        ssize_t n = read(reader->fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        g_byte_array_remove_range(reader->buffer, 0, reader->at);
        reader->at = 0;
        g_byte_array_append(reader->buffer, chunk, n);
    }
    return true;
}

static bool reader_take(Reader *reader, void *out, size_t len)
{
    if (!reader_need(reader, len)) {
        return false;
    }
    memcpy(out, reader->buffer->data + reader->at, len);
    reader->at += len;
    return true;
}

static void note_checkpoint(Engine *engine, const Message *message)
{
    if (message->obj < CHECKPOINTS) {
        engine->checkpoints[message->obj].at = message->a;
    }
}

int engine_run(Engine *engine, void (*fn)(const ProbeEvent *event,
                                          void *opaque), void *opaque,
               EngineEnd *end)
{
    Reader reader = {engine->events_fd, g_byte_array_new(), 0};
    bool ended = false;
    Message m;
    int status = 0;

    while (!ended && reader_take(&reader, &m, sizeof(m))) {
        g_autofree char *text = m.has_text ? g_malloc0(m.text_len + 1) : NULL;

        if (text && !reader_take(&reader, text, m.text_len)) {
            break;
        }
        if (m.kind == MSG_CHECKPOINT) {
            note_checkpoint(engine, &m);
        } else if (m.kind == MSG_END) {
            *end = (EngineEnd){m.obj, m.a, m.b, g_steal_pointer(&text)};
            ended = true;
        } else {
            ProbeEvent event = {
                .kind = m.kind, .thread = m.thread, .t_ns = m.t_ns,
                .obj = m.obj, .a = m.a, .b = m.b, .c = m.c, .site = m.site,
                .text = text,
            };
            fn(&event, opaque);
        }
    }
    g_byte_array_unref(reader.buffer);
    if (ended) {
        return 0;
    }
    waitpid(engine->pid, &status, 0);
    engine->pid = 0;
    return WIFSIGNALED(status) ? WTERMSIG(status) : SIGKILL;
}

void engine_free(Engine *engine)
{
    if (!engine) {
        return;
    }
    QLIST_REMOVE(engine, next);
    close_descriptors(engine);
    if (engine->pid) {
        waitpid(engine->pid, NULL, 0);
    }
    g_free(engine);
}

GPtrArray *engine_stacks(Engine *engine, uint64_t n, Error **errp)
{
    Checkpoint *best = NULL;
    GPtrArray *stacks;

    for (unsigned i = 0; i < CHECKPOINTS; i++) {
        Checkpoint *c = &engine->checkpoints[i];

        if (c->at < n && (!best || c->at >= best->at) &&
            (c->at || i == 0)) {
            best = c;
        }
    }
    if (!best || n < 1 || write(best->parent_fd, &n, sizeof(n)) != sizeof(n)) {
        error_setg(errp, "no stacks: the engine's checkpoints are gone");
        return NULL;
    }
    stacks = stacks_receive(best->parent_fd, read_all);
    if (!stacks) {
        error_setg(errp, "no stacks at event %" PRIu64, n);
    }
    return stacks;
}
