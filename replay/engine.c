/* SPDX-License-Identifier: MIT */
/*
 * The engine's side in the parent: it starts the child, reads its stream of
 * events, and asks its checkpoints.  The child's side is engine-child.c.
 */
#include "engine-internal.h"

#include "qemu/queue.h"
#include "stacks.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct Engine {
    pid_t pid;
    int events_fd;
    Checkpoint checkpoints[CHECKPOINTS];
    QLIST_ENTRY(Engine) next;
};

/* Those of this process. */
static QLIST_HEAD(, Engine) engines = QLIST_HEAD_INITIALIZER(engines);

/* ---- Starting ---- */

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

/* A pair for each checkpoint that there may be: the query, and its answer. */
static void make_sockets(Engine *engine)
{
    for (unsigned i = 0; i < CHECKPOINTS; i++) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
            abort();
        }
        engine->checkpoints[i].parent_fd = pair[0];
        engine->checkpoints[i].child_fd = pair[1];
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
    make_sockets(engine);
    engine->pid = fork();
    if (engine->pid == 0) {
        close(fds[0]);
        for (unsigned i = 0; i < CHECKPOINTS; i++) {
            close(engine->checkpoints[i].parent_fd);
        }
        let_go_of_others();
        engine_child_main(fds[1], engine->checkpoints, body, opaque);
    }
    close(fds[1]);
    for (unsigned i = 0; i < CHECKPOINTS; i++) {
        close(engine->checkpoints[i].child_fd);
    }
    engine->events_fd = fds[0];
    QLIST_INSERT_HEAD(&engines, engine, next);
    return engine;
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

/* ---- Reading the stream ---- */

/* A buffered reader: one read() for many messages. */
typedef struct Reader {
    int fd;
    GByteArray *buffer;
    size_t at;
} Reader;

static bool reader_need(Reader *reader, size_t len)
{
    while (reader->buffer->len - reader->at < len) {
        uint8_t chunk[STREAM_BUFFER];
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

/* ---- Asking a checkpoint ---- */

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

/* The last one before event @n; the first is from before any event. */
static Checkpoint *checkpoint_before(Engine *engine, uint64_t n)
{
    Checkpoint *best = NULL;

    for (unsigned i = 0; i < CHECKPOINTS; i++) {
        Checkpoint *c = &engine->checkpoints[i];

        if (c->at < n && (!best || c->at >= best->at) &&
            (c->at || i == 0)) {
            best = c;
        }
    }
    return best;
}

GPtrArray *engine_stacks(Engine *engine, uint64_t n, Error **errp)
{
    Checkpoint *best = checkpoint_before(engine, n);
    GPtrArray *stacks;

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
