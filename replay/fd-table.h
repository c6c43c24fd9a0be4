/* SPDX-License-Identifier: MIT */
/*
 * Descriptors by the object behind them.
 *
 * GLib's poll arrays are sorted by descriptor, and descriptors differ between
 * a run and its replay, so the log names what was ready by object: a monitor
 * by its context, a handler by itself, GLib's own wake-up by a number that
 * nothing else has, and what is not ours (a program's pipe) by 0 and its place
 * among those.
 */
#ifndef REPLAY_FD_TABLE_H
#define REPLAY_FD_TABLE_H

#include "host.h"

#include <pthread.h>

enum { FD_TABLE_WAKEUP = 1 };

typedef struct FdTable {
    pthread_mutex_t lock;
    GHashTable *objects; /* descriptor -> uint64_t */
} FdTable;

void fd_table_init(FdTable *table);
void fd_table_finish(FdTable *table);
/* Replaces what @fd was before; any thread. */
void fd_table_add(FdTable *table, int fd, uint64_t object);
/* @object is not behind @fd any more; somebody else may be already. */
void fd_table_forget(FdTable *table, int fd, uint64_t object);
/* For the calling thread, which polls it. */
uint64_t fd_table_find(FdTable *table, int fd);
/* How many of @fds before @i stand for the same object. */
unsigned fd_table_ordinal(FdTable *table, const GPollFD *fds, unsigned i);

#endif
