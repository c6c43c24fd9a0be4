/* SPDX-License-Identifier: MIT */
/*
 * What a program has that is not aiolab-explorer: no arena in front of its
 * malloc(), and nobody who tells it accesses.  Weak, because arena-malloc.c and
 * trace-hooks.c say otherwise.
 */
#include "arena.h"
#include "trace-hooks.h"

TraceAccess *trace_access;

__attribute__((weak)) bool arena_is_linked(void)
{
    return false;
}

__attribute__((weak)) bool trace_hooks_are_linked(void)
{
    return false;
}
