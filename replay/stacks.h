/* SPDX-License-Identifier: MIT */
/* Stacks of a paused run: walked in its process, named in ours. */
#ifndef REPLAY_STACKS_H
#define REPLAY_STACKS_H

#include "engine.h"

/*
 * The functions that the running virtual thread is in, innermost first and at
 * most @max, without those of the replayer: "name (file:line)", of char *.
 */
GPtrArray *stacks_call_chain(unsigned max);
/* Walks every stack of this process and writes it to @fd. */
void stacks_send(int fd);
/* Reads what stacks_send() wrote: an array of EngineStack, or NULL. */
GPtrArray *stacks_receive(int fd, bool (*read_all)(int fd, void *data,
                                                   size_t len));

typedef struct FrameName {
    char *function; /* "??" if unknown */
    char *file;     /* or NULL */
    int line;
} FrameName;

/* Names a program counter of this process, by its debug information. */
FrameName frame_name(uintptr_t pc);
void frame_name_finish(FrameName *name);

#endif
