/* SPDX-License-Identifier: MIT */
/*
 * Events of several CPUs in one stream, each CPU's in order, but one CPU's
 * later than another's: what blktrace -o - writes, buffer after buffer.
 *
 * Each CPU has a queue, and the earliest of their heads goes on as soon as
 * there are more than REORDER_WINDOW events in all of them.
 */
#ifndef TRACES_REORDER_H
#define TRACES_REORDER_H

#include "join.h"

enum {
#ifdef AIOLAB_FUZZ
    REORDER_WINDOW = 64,
#else
    REORDER_WINDOW = 1 << 16, /* events, of 96 bytes */
#endif
};

typedef struct Reorder Reorder;

/* Events go to @join. */
Reorder *reorder_new(Join *join);
void reorder_add(Reorder *reorder, const BlockEvent *event);
/* What is left goes, too. */
void reorder_end(Reorder *reorder);

#endif
