/* SPDX-License-Identifier: MIT */
/*
 * Block events to requests: what the kernel's tracers say of one request, from
 * its queueing to its completion, becomes one record.
 *
 * By the time of queue, each bio that was queued is a record; merges, splits,
 * issues and completions are joined to it by device, sector and operation.  By
 * the time of issue, each request that the device got is one, however often it
 * was issued again.  Requests wait in a ring for their completion, in order;
 * where it does not come, they leave it at its end.
 */
#ifndef TRACES_JOIN_H
#define TRACES_JOIN_H

#include "import.h"

/* What blktrace calls actions; X(ID, letters, blkparse's name). */
#define BLOCK_ACTIONS(X)                  \
    X(QUEUE, "Q", "queued")               \
    X(BACK_MERGE, "M", "back merged")     \
    X(FRONT_MERGE, "F", "front merged")   \
    X(GET_REQUEST, "G", "got a request")  \
    X(SLEEP, "S", "slept for a request")  \
    X(REQUEUE, "R", "requeued")           \
    X(ISSUE, "D", "issued")               \
    X(COMPLETE, "C", "completed")         \
    X(PLUG, "P", "plugged")               \
    X(UNPLUG, "U", "unplugged")           \
    X(UNPLUG_TIMER, "UT", "unplugged")    \
    X(INSERT, "I", "inserted")            \
    X(SPLIT, "X", "split")                \
    X(BOUNCE, "B", "bounced")             \
    X(REMAP, "A", "remapped")             \
    X(OTHER, "m", "something else")

typedef enum BlockAction {
#define X(ID, letters, name) BLOCK_##ID,
    BLOCK_ACTIONS(X)
#undef X
    BLOCK_ACTION_MAX
} BlockAction;

/* The action that blkparse calls so, or BLOCK_ACTION_MAX. */
BlockAction block_action_find(Word letters);

typedef struct BlockEvent {
    int64_t time_ns;
    uint64_t place;
    uint64_t sector, bytes; /* sectors of 512 bytes */
    uint64_t other_sector;  /* SPLIT: the second part's; REMAP: from there */
    uint32_t device, other_device, process, file;
    int32_t error;
    uint16_t cpu;
    uint8_t action, op, flags; /* op TRACE_OP_MAX: none, as of a plug */
} BlockEvent;

/*
 * "FWFSM" to an operation and flags; false if it is no such word.  N is a
 * flush, zeroes or nothing, which depends on the bytes.
 */
bool block_rwbs_parse(Word rwbs, uint64_t bytes, uint8_t *op, uint8_t *flags);

/* N to what it is by its bytes, and a write that flushes none to a flush. */
void block_settle_op(uint64_t bytes, uint8_t *op, uint8_t *flags);

typedef struct Join Join;

Join *join_new(TraceImport *import);
/* Accounts for the event. */
void join_add(Join *join, const BlockEvent *event);
/*
 * The same event from another tracer, which knows zeroes from data: the request
 * that waits there is one of zeroes if it says so.  Accounts for nothing.
 */
void join_hint(Join *join, const BlockEvent *event);
/* Puts what is still waiting, and frees. */
void join_end(Join *join);

#endif
