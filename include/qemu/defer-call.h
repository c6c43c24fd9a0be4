/* SPDX-License-Identifier: MIT */
/*
 * Calls that are put off to the end of a section, after QEMU's
 * qemu/defer-call.h.
 *
 * Between defer_call_begin() and the matching defer_call_end() of a thread,
 * defer_call() notes a call instead of making it, once for each function and
 * argument; the outermost end makes them, in the order in which they were
 * first noted.  Outside a section the call is made at once.
 *
 * A deferred function may have sections of its own, which end when they end;
 * what is still to be called by the outer section is not noted by them again.
 * It must not go on in another thread.
 */
#ifndef QEMU_DEFER_CALL_H
#define QEMU_DEFER_CALL_H

void defer_call_begin(void);
void defer_call_end(void);
void defer_call(void (*fn)(void *), void *opaque);

#endif
