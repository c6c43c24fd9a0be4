/* SPDX-License-Identifier: MIT */
/*
 * Memory that is taken back wholesale.
 *
 * A search runs hundreds of thousands of schedules in one process, and most of
 * them are abandoned somewhere in the middle: stuck, cut, or killed by an
 * assertion.  Nobody could free what they leave behind.  So everything that is
 * allocated while the arena is on comes from one region, and arena_restore()
 * makes the region, and the writable data of the program and its libraries,
 * what they were at arena_snapshot().
 *
 * Data that was there before is not copied each time, only the pages of it
 * that schedules write.  They are found by protection: the first write to a
 * page faults, once, and the page is restored from then on.
 *
 * What has to survive (the search itself) is allocated while the arena is off,
 * and is not static.  The C library's own data are left alone.
 */
#ifndef EXPLORE_ARENA_H
#define EXPLORE_ARENA_H

#include "qemu/osdep.h"

/* True if this program's malloc() asks us: worker processes only. */
bool arena_is_linked(void);

/* From now on, what is allocated comes from the arena, or again from libc. */
void arena_on(void);
void arena_off(void);
bool arena_is_on(void);

/* Called by malloc() and its like; see arena-malloc.c. */
void *arena_alloc(size_t size, size_t align);
void *arena_resize(void *p, size_t size);
void arena_free(void *p);
size_t arena_size(const void *p);
bool arena_owns(const void *p);

/* Whose allocations follow: a number below ARENA_LANES; see lanes in arena.c */
enum { ARENA_LANES = 64 };
void arena_set_lane(unsigned lane);
/*
 * Called for each block that is freed, until arena_restore(); and such memory
 * is not given out again before that.  NULL: as usual.
 */
typedef void ArenaFreed(void *p, size_t size);
void arena_set_freed(ArenaFreed *freed);

/*
 * @code: an address in a shared object of the user's, whose data are restored
 * too; or NULL.  Once; no other thread exists.
 */
void arena_snapshot(const void *code);
void arena_restore(void);
/*
 * A second state, which was reached from the snapshot's, and which schedules
 * can begin from, too: what is there now, and @size bytes at @stack.  Once;
 * false: it cannot be kept.  arena_advance() goes there from the snapshot's.
 */
bool arena_checkpoint(const void *stack, size_t size);
void arena_advance(void);
/* In a handler of SIGSEGV: true if it was a first write to a page of ours. */
bool arena_handle_fault(void *address);
/*
 * Thread-local data of the program: all virtual threads share one set, which
 * is exchanged when they switch, so an access there says nothing.
 */
bool arena_is_local(uintptr_t address);

#endif
