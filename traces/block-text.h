/* SPDX-License-Identifier: MIT */
/* What the kernel's block tracers write about an event, behind its prefix. */
#ifndef TRACES_BLOCK_TEXT_H
#define TRACES_BLOCK_TEXT_H

#include "join.h"

typedef struct BlockText {
    uint64_t major, minor;
    Word rwbs;
    uint64_t sector, sectors, bytes;
    uint64_t other_major, other_minor, other_sector;
    int64_t error;
    bool command; /* a SCSI command that is no transfer of sectors */
} BlockText;

/* How the fields behind the operation are laid out. */
typedef enum BlockShape {
    BLOCK_SHAPE_BIO,     /* SECTOR + SECTORS [COMM], or [COMM] */
    BLOCK_SHAPE_REQUEST, /* BYTES () SECTOR + SECTORS IOPRIO [COMM] */
    BLOCK_SHAPE_DONE,    /* () SECTOR + SECTORS IOPRIO [ERROR] */
    BLOCK_SHAPE_SPLIT,   /* SECTOR / SECTOR [COMM] */
    BLOCK_SHAPE_REMAP,   /* SECTOR + SECTORS <- (MAJOR,MINOR) SECTOR */
    BLOCK_SHAPE_NONE,    /* nothing that matters */
} BlockShape;

typedef struct BlockEventName {
    Word name;
    BlockAction action;
    BlockShape shape;
} BlockEventName;

/* The kernel's event of that name, or NULL. */
const BlockEventName *block_event_find(Word name);
/* That of a line of blkparse or of ftrace's blk tracer. */
BlockShape block_shape_of(BlockAction action);

/* "7,0" or "7:0" */
bool block_text_device(Scan *scan, uint64_t *major, uint64_t *minor);
/* What stands behind the operation; rwbs is not taken. */
bool block_text_fields(Scan *scan, BlockShape shape, BlockText *text);
/*
 * Fills in all but time, CPU, process and action; the place is the import's.
 * REASON_STORED, or why it is no event of a request.
 */
TraceReason block_text_event(TraceImport *import, const BlockText *text,
                             BlockEvent *event);

#endif
