/* SPDX-License-Identifier: MIT */
/* Reading the fields of block events. */
#include "block-text.h"

enum { ERRNO_MAX = 4095 };

static const BlockEventName events[] = {
    {WORD("block_bio_queue"), BLOCK_QUEUE, BLOCK_SHAPE_BIO},
    {WORD("block_bio_backmerge"), BLOCK_BACK_MERGE, BLOCK_SHAPE_BIO},
    {WORD("block_bio_frontmerge"), BLOCK_FRONT_MERGE, BLOCK_SHAPE_BIO},
    {WORD("block_bio_complete"), BLOCK_COMPLETE, BLOCK_SHAPE_BIO},
    {WORD("block_getrq"), BLOCK_GET_REQUEST, BLOCK_SHAPE_BIO},
    {WORD("block_sleeprq"), BLOCK_SLEEP, BLOCK_SHAPE_BIO},
    {WORD("block_bio_bounce"), BLOCK_BOUNCE, BLOCK_SHAPE_BIO},
    {WORD("block_rq_insert"), BLOCK_INSERT, BLOCK_SHAPE_REQUEST},
    {WORD("block_rq_issue"), BLOCK_ISSUE, BLOCK_SHAPE_REQUEST},
    {WORD("block_rq_merge"), BLOCK_BACK_MERGE, BLOCK_SHAPE_REQUEST},
    {WORD("block_io_start"), BLOCK_ISSUE, BLOCK_SHAPE_REQUEST},
    {WORD("block_io_done"), BLOCK_COMPLETE, BLOCK_SHAPE_REQUEST},
    {WORD("block_rq_requeue"), BLOCK_REQUEUE, BLOCK_SHAPE_DONE},
    {WORD("block_rq_complete"), BLOCK_COMPLETE, BLOCK_SHAPE_DONE},
    {WORD("block_split"), BLOCK_SPLIT, BLOCK_SHAPE_SPLIT},
    {WORD("block_bio_remap"), BLOCK_REMAP, BLOCK_SHAPE_REMAP},
    {WORD("block_rq_remap"), BLOCK_REMAP, BLOCK_SHAPE_REMAP},
};

const BlockEventName *block_event_find(Word name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(events); i++) {
        if (word_same(name, events[i].name)) {
            return &events[i];
        }
    }
    return NULL;
}

BlockShape block_shape_of(BlockAction action)
{
    switch (action) {
    case BLOCK_PLUG:
    case BLOCK_UNPLUG:
    case BLOCK_UNPLUG_TIMER:
        return BLOCK_SHAPE_NONE;
    case BLOCK_SPLIT:
        return BLOCK_SHAPE_SPLIT;
    case BLOCK_REMAP:
        return BLOCK_SHAPE_REMAP;
    default:
        return BLOCK_SHAPE_BIO;
    }
}

bool block_text_device(Scan *scan, uint64_t *major, uint64_t *minor)
{
    scan_spaces(scan);
    if (!scan_u64(scan, major) ||
        !(scan_char(scan, ',') || scan_char(scan, ':'))) {
        return false;
    }
    scan_spaces(scan);
    return scan_u64(scan, minor);
}

/* "26692 + 2" or "26692"; older kernels print a flush's sector as -1. */
static bool scan_range(Scan *scan, BlockText *text)
{
    scan_spaces(scan);
    if (!scan_u64(scan, &text->sector)) {
        return false;
    }
    if (text->sector == UINT64_MAX) {
        text->sector = 0;
    }
    scan_spaces(scan);
    if (scan_char(scan, '+')) {
        scan_spaces(scan);
        return scan_u64(scan, &text->sectors);
    }
    return true;
}

/* The number in the last brackets, if it is one. */
static int64_t error_at_end(const Scan *scan)
{
    const char *bracket = memrchr(scan->at, '[', scan->end - scan->at);
    Scan number = {bracket ? bracket + 1 : scan->end, scan->end};
    int64_t error;

    return scan_i64(&number, &error) && scan_char(&number, ']') ? error : 0;
}

/* "4096 () 26692 + 8", without the bytes if it is done. */
static bool scan_request(Scan *scan, BlockShape shape, BlockText *text)
{
    Word cdb;

    scan_spaces(scan);
    if (shape == BLOCK_SHAPE_REQUEST && !scan_u64(scan, &text->bytes)) {
        return false;
    }
    scan_spaces(scan);
    if (!scan_char(scan, '(') || !scan_until(scan, ')', &cdb)) {
        return false;
    }
    text->command = cdb.len > 0;
    return scan_range(scan, text);
}

/* "26692 + 2", "[comm]" of a flush, or "512 (cdb)" of a command. */
static bool scan_bio(Scan *scan, BlockText *text)
{
    Scan ahead;

    scan_spaces(scan);
    if (scan->at == scan->end) {
        return false;
    }
    if (*scan->at == '[' || *scan->at == '(') {
        return true;
    }
    ahead = *scan;
    if (scan_u64(&ahead, &text->sector) && scan_text(&ahead, " (")) {
        text->sector = 0; /* bytes, and the command */
        text->command = true;
        return true;
    }
    return scan_range(scan, text);
}

bool block_text_fields(Scan *scan, BlockShape shape, BlockText *text)
{
    bool ok = true;

    switch (shape) {
    case BLOCK_SHAPE_NONE:
        break;
    case BLOCK_SHAPE_BIO:
        ok = scan_bio(scan, text);
        break;
    case BLOCK_SHAPE_REQUEST:
    case BLOCK_SHAPE_DONE:
        ok = scan_request(scan, shape, text);
        break;
    case BLOCK_SHAPE_SPLIT:
        ok = scan_range(scan, text) && scan_char(scan, '/');
        scan_spaces(scan);
        ok = ok && scan_u64(scan, &text->other_sector);
        break;
    case BLOCK_SHAPE_REMAP:
        ok = scan_range(scan, text);
        scan_spaces(scan);
        ok = ok && scan_text(scan, "<- (") &&
             block_text_device(scan, &text->other_major, &text->other_minor) &&
             scan_text(scan, ") ") && scan_u64(scan, &text->other_sector);
        break;
    }
    text->error = ok ? error_at_end(scan) : 0;
    if (text->sectors <= INT64_MAX / 512) {
        text->bytes = MAX(text->bytes, text->sectors * 512);
    }
    return ok;
}

/* The kernel has 16 bits for it, which some print without their sign. */
static int32_t errno_of(int64_t error)
{
    if (error > INT16_MAX && error <= UINT16_MAX) {
        error = (int16_t)error;
    }
    return -MIN(ABS(error), ERRNO_MAX);
}

TraceReason block_text_event(TraceImport *import, const BlockText *text,
                             BlockEvent *event)
{
    if (text->command) {
        return REASON_EVENT;
    }
    *event = (BlockEvent){
        .place = import->place, .file = import->file, .sector = text->sector,
        .bytes = text->bytes, .other_sector = text->other_sector,
        .error = errno_of(text->error), .op = TRACE_OP_MAX,
    };
    if (text->sectors > INT64_MAX / 512 || text->bytes > INT64_MAX / 2 ||
        text->sector > (INT64_MAX - text->bytes) / 512) {
        return REASON_RANGE;
    }
    if (!block_rwbs_parse(text->rwbs, text->bytes, &event->op,
                          &event->flags)) {
        return REASON_OP;
    }
    event->device = trace_import_block_device(import, text->major,
                                              text->minor);
    event->other_device = text->other_major || text->other_minor
        ? trace_import_block_device(import, text->other_major,
                                    text->other_minor) : 0;
    return REASON_STORED;
}
