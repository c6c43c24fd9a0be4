/* SPDX-License-Identifier: MIT */
/* What the engine's two sides share: the pipe, and the checkpoints' sockets. */
#ifndef REPLAY_ENGINE_INTERNAL_H
#define REPLAY_ENGINE_INTERNAL_H

#include "engine.h"

enum {
    CHECKPOINTS = 12,
    STREAM_BUFFER = 1 << 16, /* at both ends of the pipe */
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

/* What the child does: it runs @body, and sends what happens to @out_fd. */
void QEMU_NORETURN engine_child_main(int out_fd, Checkpoint *checkpoints,
                                     EngineBody *body, void *opaque);

#endif
