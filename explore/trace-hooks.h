/* SPDX-License-Identifier: MIT */
/*
 * Accesses to memory, as the compiler tells them.
 *
 * Code that is compiled with -fsanitize=thread, but linked with trace-hooks.c
 * instead of ThreadSanitizer's library, calls us before each access to memory
 * that others could see.  A program without it is linked with no such calls.
 */
#ifndef EXPLORE_TRACE_HOOKS_H
#define EXPLORE_TRACE_HOOKS_H

#include "sim.h"

/* NULL while nobody wants to know. @size: bytes. */
typedef void TraceAccess(uintptr_t address, size_t size, SimAccess how,
                         bool atomic, uintptr_t pc);
extern TraceAccess *trace_access;

/* True if this program's scenarios and event loop are compiled that way. */
bool trace_hooks_are_linked(void);

#endif
