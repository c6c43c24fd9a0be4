/* SPDX-License-Identifier: MIT */
/*
 * Rules about the order of several events: whoever ends a wait kicks after it,
 * and in a drained section nothing is in flight.
 */
#include "rules-internal.h"

/* ---- Kicks ---- */

static const ModelFrame *innermost(const ModelThread *thread)
{
    return thread->frames->len ? &g_array_index(thread->frames, ModelFrame,
                                                thread->frames->len - 1)
                               : NULL;
}

/* The AIO_WAIT_WHILE() of another thread than @doer that is for @reason. */
static const ModelThread *waiter_of(const Model *model, uint64_t reason,
                                    uint32_t doer)
{
    for (unsigned i = 0; i < model->purposes->len; i++) {
        const ModelPurpose *purpose = &g_array_index(model->purposes,
                                                     ModelPurpose, i);

        if (purpose->of != PURPOSE_FRAME || purpose->what != reason) {
            continue;
        }
        for (unsigned t = 0; t < model->threads->len; t++) {
            const ModelThread *thread = &g_array_index(model->threads,
                                                       ModelThread, t);
            const ModelFrame *wait = model_top_frame(thread, FRAME_WAIT);

            if (wait && wait->seq == purpose->waiter && thread->id != doer) {
                return thread;
            }
        }
    }
    return NULL;
}

static void note_change(Rules *rules, const ProbeEvent *event,
                        const Model *model, const ModelThread *thread)
{
    const ModelThread *waiter = waiter_of(model, event->obj, thread->id);
    const ModelFrame *frame = innermost(thread);
    RuleChange change = {
        .reason = event->obj, .thread = thread->id, .site = event->site,
        .seq = model->seq + 1, .frame = frame ? frame->seq : 0,
    };

    if (waiter) {
        change.waiter_ctx = waiter->ctx;
        g_array_append_val(rules->changes, change);
    }
}

/* Whatever wakes the waiter will do. */
static void forget_changes(Rules *rules, const ProbeEvent *event)
{
    for (unsigned i = rules->changes->len; i > 0; i--) {
        const RuleChange *change = &g_array_index(rules->changes, RuleChange,
                                                  i - 1);

        if (change->thread == event->thread &&
            (event->kind == PROBE_WAIT_KICK ||
             (event->kind == PROBE_NOTIFY &&
              event->obj == change->waiter_ctx))) {
            g_array_remove_index(rules->changes, i - 1);
        }
    }
}

static bool is_over(const RuleChange *change, const ModelThread *thread)
{
    for (unsigned i = 0; i < thread->frames->len; i++) {
        if (g_array_index(thread->frames, ModelFrame, i).seq ==
            change->frame) {
            return false;
        }
    }
    return change->frame != 0 || thread->exited;
}

/* The callback that has made the change is over, and has not kicked. */
static void check_changes(Rules *rules, const ProbeEvent *event,
                          const Model *model, const ModelThread *thread)
{
    for (unsigned i = rules->changes->len; i > 0; i--) {
        RuleChange change = g_array_index(rules->changes, RuleChange, i - 1);
        g_autofree char *name = NULL;

        if (change.thread != thread->id || !is_over(&change, thread)) {
            continue;
        }
        g_array_remove_index(rules->changes, i - 1);
        if (!waiter_of(model, change.reason, thread->id)) {
            continue; /* it has looked by itself: a kick would say nothing */
        }
        name = model_name(model, change.reason);
        rules_add(rules, RULE_NO_KICK,
                  g_strdup_printf("%s is done by %s, and the callback ends "
                                  "without aio_wait_kick()", name,
                                  thread->name), change.site, change.seq,
                  event->site, model->seq + 1);
    }
}

/* ---- Drained sections ---- */

static bool drains_now(const ModelThread *thread, uint64_t *blk,
                       const Model *model)
{
    const ModelFrame *wait = model_top_frame(thread, FRAME_WAIT);

    for (unsigned i = 0; wait && i < model->purposes->len; i++) {
        const ModelPurpose *purpose = &g_array_index(model->purposes,
                                                     ModelPurpose, i);
        const ModelObject *object = model_find(model, purpose->what);

        if (purpose->of == PURPOSE_FRAME && purpose->waiter == wait->seq &&
            object && object->kind == MODEL_BLK) {
            *blk = purpose->what;
            return true;
        }
    }
    return false;
}

static void section_begins(Rules *rules, const ProbeEvent *event,
                           const Model *model, const ModelThread *thread)
{
    const ModelFrame *wait = model_top_frame(thread, FRAME_WAIT);
    RuleDrained drained = {.seq = model->seq + 1};

    if (drains_now(thread, &drained.blk, model)) {
        drained.site = wait->site;
        g_array_append_val(rules->drained, drained);
    }
}

static void section_ends(Rules *rules, uint64_t blk)
{
    for (unsigned i = rules->drained->len; i > 0; i--) {
        if (g_array_index(rules->drained, RuleDrained, i - 1).blk == blk) {
            g_array_remove_index(rules->drained, i - 1);
        }
    }
}

static void request_ends(Rules *rules, const ProbeEvent *event,
                         const Model *model)
{
    for (unsigned i = 0; i < rules->drained->len; i++) {
        const RuleDrained *drained = &g_array_index(rules->drained,
                                                    RuleDrained, i);
        g_autofree char *request = NULL;
        g_autofree char *blk = NULL;

        if (drained->blk != event->a) {
            continue;
        }
        request = model_name(model, event->obj);
        blk = model_name(model, event->a);
        rules_add(rules, RULE_LATE_COUNT,
                  g_strdup_printf("request %s of %s runs while that is "
                                  "drained", request, blk), drained->site,
                  drained->seq, event->site, model->seq + 1);
    }
}

void rules_check_order(Rules *rules, const ProbeEvent *event,
                       const Model *model, const ModelThread *thread)
{
    check_changes(rules, event, model, thread);
    switch (event->kind) {
    case PROBE_REASON_DONE:
        note_change(rules, event, model, thread);
        break;
    case PROBE_WAIT_KICK:
    case PROBE_NOTIFY:
        forget_changes(rules, event);
        break;
    case PROBE_WAIT_END:
        section_begins(rules, event, model, thread);
        break;
    case PROBE_DRAIN_END:
        section_ends(rules, event->obj);
        break;
    case PROBE_REQ_END:
        request_ends(rules, event, model);
        break;
    }
}
