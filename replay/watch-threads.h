/* SPDX-License-Identifier: MIT */
/* Which threads wait, by their own word and by the kernel's. */
#ifndef REPLAY_WATCH_THREADS_H
#define REPLAY_WATCH_THREADS_H

#include "host.h"

enum { WATCH_THREADS = 1024, WATCH_DESCRIPTORS = 4096 };

typedef struct WatchedThread WatchedThread;

/* The calling thread begins to wait; @fds (or NULL) is what a GLib loop polls. */
WatchedThread *watch_begin(bool limited, const GPollFD *fds, unsigned n);
void watch_end(WatchedThread *self);

/* Forgets all threads, and knows the calling one. */
void watch_threads_reset(void);
/*
 * True if every thread of the process but @helpers waits without a limit and
 * sleeps; *@epochs then changes if one of them goes on.
 */
bool watch_all_sleep(unsigned helpers, uint64_t *epochs);
/* Their numbers, into an array of WATCH_THREADS; returns how many. */
unsigned watch_thread_numbers(uint32_t *numbers);
/* Only this process makes such a descriptor readable. */
bool watch_is_internal(int fd);

#endif
