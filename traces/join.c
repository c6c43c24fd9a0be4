/* SPDX-License-Identifier: MIT */
/* Joining block events to requests: the ring, and which time it goes by. */
#include "join-internal.h"

Join *join_new(TraceImport *import)
{
    Join *join = g_new0(Join, 1);

    join->import = import;
    join->by_queue = import->at == TRACE_AT_QUEUE;
    join->first = g_array_new(false, false, sizeof(BlockEvent));
    join->pieces = pieces_new();
    for (unsigned i = 0; i < HINTS; i++) {
        join->hints[i].queue_ns = TRACE_NO_TIME;
    }
    return join;
}

/* ---- Through the ring ---- */

/* What is done leaves it, in order; all that is there, if @all. */
void join_leave(Join *join, bool all)
{
    while (join->head < join->tail &&
           (all || join_waiting(join, join->head)->done)) {
        trace_import_put(join->import, &join_waiting(join, join->head)->record);
        join->head++;
    }
}

Waiting *join_enter(Join *join, const BlockEvent *e)
{
    Waiting *w;

    if (join->tail - join->head == RING) {
        trace_import_put(join->import, &join_waiting(join, join->head)->record);
        join->head++;
        join_leave(join, false);
    }
    w = join_waiting(join, join->tail++);
    *w = (Waiting){
        .record = {
            .queue_ns = TRACE_NO_TIME, .issue_ns = TRACE_NO_TIME,
            .complete_ns = TRACE_NO_TIME, .place = e->place,
            .file = e->file, .offset = e->sector * 512, .bytes = e->bytes,
            .device = e->device, .process = e->process, .cpu = e->cpu,
            .op = e->op, .flags = e->flags,
            .quality = join->import->clock == TRACE_CLOCK_NONE
                ? TRACE_QUALITY_TIME_SYNTH : 0,
        },
        .remaining = e->bytes / 512,
    };
    if (!trace_op_has_range(e->op)) {
        w->record.offset = w->record.bytes = 0;
    }
    return w;
}

static void add(Join *join, const BlockEvent *e)
{
    join->import->place = e->place;
    if (e->action == BLOCK_PLUG || e->action == BLOCK_UNPLUG ||
        e->action == BLOCK_UNPLUG_TIMER || e->action == BLOCK_OTHER ||
        e->op >= TRACE_OP_MAX) {
        trace_import_skip(join->import, e->action == BLOCK_COMPLETE ||
                          e->action == BLOCK_ISSUE ? REASON_ORPHAN
                                                   : REASON_EVENT);
    } else if (join_by_queue(join, e)) {
        join_add_by_queue(join, e);
    } else {
        join_add_by_issue(join, e);
    }
}

/* Which actions are seen of each device; true if any request was queued. */
static bool look_at_devices(Join *join)
{
    uint32_t seen[DEVICES] = {0};
    bool any = false;

    for (unsigned i = 0; i < join->first->len; i++) {
        BlockEvent *e = &g_array_index(join->first, BlockEvent, i);

        if (e->op < TRACE_OP_MAX) {
            seen[e->device % DEVICES] |= 1u << e->action;
            any |= e->action == BLOCK_QUEUE;
        }
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        Device *device = &join->devices[i];
        bool issued = seen[i] & 1u << BLOCK_ISSUE;
        bool completed = seen[i] & 1u << BLOCK_COMPLETE;

        device->by_issue = (issued || completed) &&
                           !(seen[i] & 1u << BLOCK_QUEUE);
        device->only_issues = issued && !completed &&
                              !(seen[i] & 1u << BLOCK_REQUEUE);
        device->only_ends = completed && !issued;
        if (device->only_ends) {
            trace_import_note(join->import, "of a device only completions were "
                              "traced; they stand for its requests, whose "
                              "latencies are not known");
        }
    }
    return any;
}

/* If nobody was seen queueing, only the device's side was traced. */
static void decide(Join *join)
{
    TraceImport *import = join->import;

    join->by_queue = look_at_devices(join) &&
                     (!import->at_given || import->at == TRACE_AT_QUEUE);
    import->at = join->by_queue ? TRACE_AT_QUEUE : TRACE_AT_ISSUE;
    import->at_given = join->decided = true; /* for other files, too */
    if (import->writer && !trace_writer_count(import->writer)) {
        trace_writer_set_at(import->writer, import->at);
    }
    for (unsigned i = 0; i < join->first->len; i++) {
        add(join, &g_array_index(join->first, BlockEvent, i));
    }
    g_array_set_size(join->first, 0);
}

void join_add(Join *join, const BlockEvent *event)
{
    if (join->decided) {
        add(join, event);
        return;
    }
    g_array_append_val(join->first, *event);
    if (join->first->len == FIRST_EVENTS) {
        decide(join);
    }
}

void join_hint(Join *join, const BlockEvent *e)
{
    Piece *piece;

    if (e->op != TRACE_WRITE_ZEROES || e->action != BLOCK_ISSUE) {
        return;
    }
    if (!join->decided) {
        decide(join);
    }
    piece = pieces_find(join->pieces, e->device, TRACE_WRITE, e->sector,
                        join->head, true);
    if (piece) {
        join_waiting(join, piece->request)->record.op = TRACE_WRITE_ZEROES;
    }
}

void join_end(Join *join)
{
    if (!join->decided) {
        decide(join);
    }
    join_leave(join, true);
    g_array_free(join->first, true);
    g_free(join->pieces);
    g_free(join);
}
