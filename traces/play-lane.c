/* SPDX-License-Identifier: MIT */
/*
 * A lane: when its next request is due, and what is done until then.
 *
 * Times are absolute: what one request's lag was, the next one's is not.  The
 * waiter "hybrid" sleeps until shortly before the time, and then turns the
 * loop without sleeping, because a sleep ends late: by microseconds on bare
 * metal, by a hundred of them on a busy virtual machine.  So each sleep that
 * ends teaches how early the next one has to.
 */
#include "play.h"

enum {
    FIRST_SPIN_NS = 60000, /* hybrid: so long before the time it stays awake */
    LEAST_SPIN_NS = 10000,
    MOST_SPIN_NS = 200000, /* a fifth of a core at 1,000 requests/s */
    LEARN_NS = 1000,
    ISSUES_A_TURN = 256,  /* other callbacks of the loop want to run, too */
    MOST_IN_FLIGHT = 4096,
    ASAP_IN_FLIGHT = 32,
    PREFETCH = 4,         /* requests: most follow each other in memory */
};

static PlayRequest *request_at(const PlayLane *lane, uint32_t number)
{
    return &lane->play->plan->requests[number - 1];
}

/* Else requests wait for nothing but room. */
static bool is_timed(const PlayLane *lane)
{
    return lane->play->config.timing != PLAY_ASAP &&
           lane->play->config.timing != PLAY_MATCH_DEPTH;
}

/* ---- Which is next ---- */

static int by_time(gconstpointer a, gconstpointer b, gpointer opaque)
{
    uint32_t x = GPOINTER_TO_UINT(a), y = GPOINTER_TO_UINT(b);
    int64_t at = request_at(opaque, x)->planned_ns;
    int64_t other = request_at(opaque, y)->planned_ns;

    return at != other ? (at < other ? -1 : 1) : x < y ? -1 : x > y;
}

static uint32_t first_ready(const PlayLane *lane)
{
    return lane->n_ready
        ? GPOINTER_TO_UINT(g_sequence_get(
              g_sequence_get_begin_iter(lane->ready))) : 0;
}

/* 1 + the request that is due first, or 0; its planned_ns is set. */
static uint32_t next_request(PlayLane *lane)
{
    uint32_t ready = first_ready(lane);
    PlayRequest *r;

    if (!lane->next) {
        return ready;
    }
    r = request_at(lane, lane->next);
    r->planned_ns = is_timed(lane) ? r->at_ns + lane->slip_ns : 0;
    return ready && request_at(lane, ready)->planned_ns <= r->planned_ns
        ? ready : lane->next;
}

static void take(PlayLane *lane, uint32_t number)
{
    if (number == lane->next) {
        lane->next = request_at(lane, number)->next;
    } else {
        g_sequence_remove(g_sequence_get_begin_iter(lane->ready));
        lane->n_ready--;
    }
}

/* Its part of what may be in flight; asked once, for it divides. */
static unsigned room_of(const PlayLane *lane)
{
    const PlayConfig *config = &lane->play->config;
    unsigned most = config->depth ? config->depth
                  : config->timing == PLAY_ASAP ? ASAP_IN_FLIGHT
                                                : MOST_IN_FLIGHT;

    return MAX(most / lane->play->plan->lanes, 1);
}

static unsigned limit(const PlayLane *lane, const PlayRequest *r)
{
    return lane->play->config.timing == PLAY_MATCH_DEPTH ? r->depth
                                                         : lane->room;
}

/* ---- Waiting ---- */

static void arm(PlayLane *lane, int64_t due_ns, int64_t now_ns)
{
    int64_t spin_ns = lane->play->waiter == WAITER_HYBRID ? lane->spin_ns : 0;

    if (lane->play->waiter == WAITER_SPIN || due_ns - now_ns <= spin_ns) {
        qemu_bh_schedule(lane->bh);
    } else {
        lane->alarm_ns = due_ns - spin_ns;
        timer_mod_ns(lane->timer, lane->play->start_ns + lane->alarm_ns);
    }
}

/* Comes to rest where 19 of 20 sleeps have ended by their request's time. */
static void learn(PlayLane *lane, int64_t late_ns)
{
    lane->spin_ns += late_ns > lane->spin_ns ? 19 * LEARN_NS : -LEARN_NS;
    lane->spin_ns = MAX(lane->spin_ns, LEAST_SPIN_NS);
    lane->spin_ns = MIN(lane->spin_ns, MOST_SPIN_NS);
}

/* ---- Going on ---- */

/* It has ended: those that wait for it get their time. */
static void go_on_without(PlayLane *lane, PlayRequest *r)
{
    uint32_t next;

    lane->left--;
    for (uint32_t number = r->first; number; number = next) {
        PlayRequest *waiting = request_at(lane, number);

        next = waiting->next;
        waiting->planned_ns = r->completed_ns + waiting->at_ns;
        g_sequence_insert_sorted(lane->ready, GUINT_TO_POINTER(number),
                                 by_time, lane);
        lane->n_ready++;
    }
}

/* It has ended without having begun. */
static void leave_out(PlayLane *lane, PlayRequest *r, int64_t now_ns)
{
    r->result = PLAY_DROPPED;
    r->issued_ns = r->completed_ns = now_ns;
    go_on_without(lane, r);
}

/* False: it is too late for it. */
static bool accept_lag(PlayLane *lane, const PlayRequest *r, int64_t now_ns)
{
    const PlayConfig *config = &lane->play->config;
    int64_t lag = now_ns - r->planned_ns;

    if (config->lag == PLAY_SLIP && !r->after) {
        lane->slip_ns += lag;
    }
    return config->lag != PLAY_DROP || lag <= config->max_lag_ns;
}

static void finish(PlayLane *lane)
{
    timer_free(lane->timer);
    qemu_bh_delete(lane->bh);
    lane->bh = NULL;
    play_free_buffers(lane);
    aio_bh_schedule_oneshot(qemu_get_aio_context(), play_lane_done, lane->play);
}

static void start(PlayLane *lane, PlayRequest *r, int64_t now_ns)
{
    r->planned_ns = is_timed(lane) ? r->planned_ns : now_ns;
    r->issued_ns = now_ns;
    if (unlikely(r->drains)) {
        aio_bh_schedule_oneshot(qemu_get_aio_context(), play_drain_next,
                                lane->play);
    }
    lane->in_flight++;
    if (r->next) {
        __builtin_prefetch(request_at(lane, r->next) + PREFETCH, 1);
    }
}

/* Is there a next one, and may it be in flight, too? */
static bool has_room(PlayLane *lane)
{
    uint32_t number = next_request(lane);

    return number && lane->in_flight < limit(lane, request_at(lane, number));
}

/*
 * Issues what is due, and sees to it that it is called again.  The last one
 * that has room is returned, if the caller has a coroutine for it.
 */
static PlayRequest *issue_due(PlayLane *lane, bool has_coroutine)
{
    unsigned issues = 0;
    uint32_t number;

    while ((number = next_request(lane))) {
        PlayRequest *r = request_at(lane, number);
        int64_t now_ns;

        if (lane->in_flight >= limit(lane, r)) {
            return NULL; /* a completion comes back here */
        }
        now_ns = play_now(lane->play);
        if (r->planned_ns > now_ns) {
            arm(lane, r->planned_ns, now_ns);
            return NULL;
        }
        if (++issues > ISSUES_A_TURN) {
            qemu_bh_schedule(lane->bh);
            return NULL;
        }
        take(lane, number);
        if (!accept_lag(lane, r, now_ns)) {
            leave_out(lane, r, now_ns);
            continue;
        }
        start(lane, r, now_ns);
        if (has_coroutine && !has_room(lane)) {
            return r;
        }
        play_issue(r);
    }
    return NULL;
}

static PlayRequest *pump(PlayLane *lane, bool has_coroutine)
{
    PlayRequest *last;

    if (lane->pumping || !lane->bh) {
        return NULL;
    }
    lane->pumping = true;
    last = issue_due(lane, has_coroutine);
    lane->pumping = false;
    if (!lane->left) {
        finish(lane);
    }
    return last;
}

static void pump_cb(void *opaque)
{
    pump(opaque, false);
}

static void alarm_cb(void *opaque)
{
    PlayLane *lane = opaque;

    if (lane->play->waiter == WAITER_HYBRID) {
        learn(lane, play_now(lane->play) - lane->alarm_ns);
    }
    pump(lane, false);
}

PlayRequest *play_lane_completed(PlayLane *lane, PlayRequest *r)
{
    lane->in_flight--;
    go_on_without(lane, r);
    return pump(lane, true);
}

void play_lane_start(void *opaque)
{
    PlayLane *lane = opaque;

    lane->room = room_of(lane);
    lane->timer = aio_timer_new(lane->ctx, QEMU_CLOCK_REALTIME, SCALE_NS,
                                alarm_cb, lane);
    lane->spin_ns = FIRST_SPIN_NS;
    lane->bh = aio_bh_new(lane->ctx, pump_cb, lane);
    pump(lane, false);
}
