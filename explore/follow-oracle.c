/* SPDX-License-Identifier: MIT */
/* Choices as the recording would have made them. */
#include "follow-internal.h"

/*
 * The recorded wait of @f took more completions than are done, and there are
 * more at the device.
 */
static bool wants_more(const Follower *f)
{
    const Input *in = follow_wanted(f);
    unsigned done, all;

    if (!in || in->kind != INPUT_WAIT || !f->monitor) {
        return false;
    }
    sim_monitor_requests(f->monitor, &done, &all);
    return done < (in->a & 0xffff) && done < all;
}

/* The earliest turn of threads that wait for time to pass. */
static uint64_t earliest_timed(void)
{
    uint64_t earliest = TURN_LAST;
    VThread *thread;

    QTAILQ_FOREACH(thread, &machine.threads, next) {
        const Follower *f = follow_thread(thread->self.id);

        if (thread->state == VTHREAD_BLOCKED && f->timed) {
            earliest = MIN(earliest, f->turn);
        }
    }
    return earliest;
}

/*
 * True if both publish for the same slice, and @first came before: a slice has
 * its newest in front.
 */
static bool publishes_before(const Follower *first, const Follower *second)
{
    if (!first->publishes || !second->publishes || first->taker < 0 ||
        second->taker < 0 || first->taker <= second->taker) {
        return false;
    }
    /* A list's tickets stand together. */
    for (int64_t i = second->taker; i < first->taker; i++) {
        const Input *one = &follow.inputs[i], *next = one + 1;

        if (one->kind != next->kind || one->thread != next->thread) {
            return false;
        }
    }
    return true;
}

static bool is_before(const Follower *first, const Follower *second)
{
    if (first->turn == TURN_LAST && second->turn == TURN_LAST) {
        return first->stalled < second->stalled; /* one after the other */
    }
    return publishes_before(first, second) ||
           (first->turn < second->turn && !publishes_before(second, first));
}

static unsigned earliest_thread(const Choice *choice, unsigned n)
{
    unsigned best = 0;

    for (unsigned i = 1; i < n; i++) {
        if (is_before(follow_thread(choice->options[i]),
                      follow_thread(choice->options[best]))) {
            best = i;
        }
    }
    return best;
}

static unsigned choose_thread(const Choice *choice)
{
    bool may_wait = choice->options[choice->n - 1] == 0;
    unsigned n = choice->n - may_wait, best = earliest_thread(choice, n);
    const Follower *f;

    f = follow_thread(choice->options[best]);
    if (may_wait && follow.patience &&
        (earliest_timed() < f->turn || wants_more(f))) {
        follow.patience--;
        return n;
    }
    return best;
}

/* How many completions the recorded operation took. */
static unsigned recorded_batch(unsigned otherwise)
{
    const Input *in = follow_wanted(follow_self());

    return !in ? otherwise
         : in->kind == INPUT_WAIT ? in->a & 0xffff
         : in->kind == INPUT_LAIO_EVENTS ? in->a : otherwise;
}

static unsigned choose_batch(const Choice *choice)
{
    unsigned due = choice->options[0], wanted = recorded_batch(due);

    for (unsigned i = 0; wanted < due && i < choice->n; i++) {
        if (choice->options[i] == wanted) {
            return i;
        }
    }
    return wanted < due && !wanted ? MIN(1, choice->n - 1) : 0;
}

/* The one that comes first in what the recorded thread has ahead. */
static unsigned choose_request(const Choice *choice)
{
    const Follower *f = follow_self();
    unsigned begin = f->wanted >= 0 ? f->wanted : f->cursor;

    for (unsigned i = begin; f->sequence && i < f->sequence->len &&
                             i < begin + 64; i++) {
        const Input *in = &follow.inputs[g_array_index(f->sequence, uint32_t,
                                                       i)];
        bool is_cqe = in->kind == INPUT_CQE || in->kind == INPUT_CQE_DATA ||
                      in->kind == INPUT_CQE_HASH;

        for (unsigned k = 0; is_cqe && k < choice->n; k++) {
            uint64_t id = follow_object(choice->options[k]);

            /* Those of this wait that are off the device are not asked for. */
            if (id == in->obj) {
                return k;
            }
        }
    }
    return 0;
}

static unsigned choose(Oracle *oracle, const Choice *choice)
{
    FollowResult *result = follow.result;
    unsigned taken = choice->kind == CHOICE_THREAD ? choose_thread(choice)
                   : choice->kind == CHOICE_BATCH ? choose_batch(choice)
                                                  : choose_request(choice);

    if (result->n_choices < result->max_choices) {
        result->choices[result->n_choices++] =
            (FollowedChoice){choice->kind, choice->n, taken};
    }
    return taken;
}

Oracle follow_oracle = {.choose = choose};
