/* SPDX-License-Identifier: MIT */
/*
 * The C library's keys of thread-local data (pthread_key_create()), which are
 * not in memory that is restored.  A schedule that makes one, as GLib does for
 * the first warning, would leave it behind each time, until there are no more;
 * and what the library allocates for a key's value would be the arena's.
 */
#ifndef EXPLORE_THREAD_KEYS_H
#define EXPLORE_THREAD_KEYS_H

#include "qemu/osdep.h"

/* Before the first schedule, with the arena off. */
void thread_keys_snapshot(void);
/* After each: deletes the keys that it has made. */
void thread_keys_restore(void);
/* Are there some that the snapshot does not have? */
bool thread_keys_are_new(void);

#endif
