/* SPDX-License-Identifier: MIT */
/* The scenario "play": threads, drains, and what came of it all. */
#include "play.h"

#include "host.h"
#include "play-stats.h"

enum { LEAD_NS = 1000000 }; /* until its threads are there */

static PlayPlan *prepared;

void play_prepare(PlayPlan *plan)
{
    prepared = plan;
}

/* ---- Threads ---- */

static bool set_parameter(IOThread *iothread, const char *name, int64_t value)
{
    Error *err = NULL;

    if (value >= 0 && !iothread_set_parameter(iothread, name, value, &err)) {
        scenario_bad_input("%s", error_get_pretty(err));
        error_free(err);
        return false;
    }
    return true;
}

static bool make_iothread(const Play *play, PlayLane *lane, unsigned i)
{
    g_autofree char *name = g_strdup_printf("iothread%u", i);
    Error *err = NULL;

    lane->iothread = iothread_create(name, &err);
    if (!lane->iothread) {
        scenario_bad_input("%s", error_get_pretty(err));
        error_free(err);
        return false;
    }
    lane->ctx = iothread_get_aio_context(lane->iothread);
    return set_parameter(lane->iothread, "poll-max-ns",
                         play->config.poll_max_ns) &&
           set_parameter(lane->iothread, "aio-max-batch",
                         play->config.aio_max_batch);
}

static void use_main_thread(const Play *play, PlayLane *lane)
{
    lane->ctx = qemu_get_aio_context();
    if (play->config.poll_max_ns >= 0) {
        aio_context_set_poll_params(lane->ctx, play->config.poll_max_ns, 0, 0,
                                    0, NULL);
    }
    if (play->config.aio_max_batch >= 0) {
        aio_context_set_aio_params(lane->ctx, play->config.aio_max_batch);
    }
}

static bool make_lanes(Play *play)
{
    bool ok = true;

    play->lanes = g_new0(PlayLane, play->plan->lanes);
    for (unsigned i = 0; i < play->plan->lanes; i++) {
        PlayLane *lane = &play->lanes[i];

        lane->play = play;
        lane->next = play->plan->heads[i];
        lane->left = play->plan->in_lane[i];
        lane->ready = g_sequence_new(NULL);
        if (!play->config.iothreads) {
            use_main_thread(play, lane);
        } else if (ok) {
            ok = make_iothread(play, lane, i);
        }
    }
    return ok;
}

static void free_lanes(Play *play)
{
    for (unsigned i = 0; play->lanes && i < play->plan->lanes; i++) {
        if (play->lanes[i].iothread) {
            iothread_destroy(play->lanes[i].iothread);
        }
        g_sequence_free(play->lanes[i].ready);
    }
    g_free(play->lanes);
}

/* ---- Drains ---- */

typedef struct DrainTimer {
    Play *play;
    PlayDrain drain;
    QEMUTimer *timer;
    bool drained; /* and not ended yet */
} DrainTimer;

static void drain_all(const Play *play, void (*what)(BlockBackend *blk))
{
    for (unsigned i = 0; i < play->plan->targets->len; i++) {
        what(play->blks[i]);
    }
}

static void end_drain(DrainTimer *d)
{
    if (d->drained) {
        d->drained = false;
        drain_all(d->play, blk_drained_end);
    }
}

static void drain_cb(void *opaque)
{
    DrainTimer *d = opaque;

    if (d->drained) {
        end_drain(d);
        return;
    }
    drain_all(d->play, blk_drained_begin);
    d->play->plan->outcome->drains++;
    d->drained = true;
    if (d->drain.hold_ns) {
        timer_mod_ns(d->timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) +
                               d->drain.hold_ns);
    } else {
        end_drain(d);
    }
}

void play_drain_next(void *opaque)
{
    Play *play = opaque;

    if (play->drains) { /* else it comes behind the last request */
        drain_cb(&play->drains[play->next_drain++]);
    }
}

static void arm_drains(Play *play)
{
    const PlayConfig *config = &play->config;

    play->next_drain = 0;
    play->drains = g_new0(DrainTimer, config->drains->len);
    for (unsigned i = 0; i < config->drains->len; i++) {
        DrainTimer *d = &play->drains[i];
        int64_t at;

        d->play = play;
        d->drain = g_array_index(config->drains, PlayDrain, i);
        at = play_at_speed(d->drain.at_ns - config->from_ns, config->speed);
        d->timer = aio_timer_new(qemu_get_aio_context(), QEMU_CLOCK_REALTIME,
                                 SCALE_NS, drain_cb, d);
        if (at >= 0 && config->timing == PLAY_CAPTURED) {
            timer_mod_ns(d->timer, play->start_ns + at);
        }
    }
}

static void disarm_drains(Play *play)
{
    DrainTimer *drains = g_steal_pointer(&play->drains);

    for (unsigned i = 0; i < play->config.drains->len; i++) {
        timer_free(drains[i].timer);
        end_drain(&drains[i]);
    }
    g_free(drains);
}

/* ---- The play ---- */

void play_lane_done(void *opaque)
{
    Play *play = opaque;

    play->lanes_left--;
}

static void play_all(Play *play)
{
    bool timed = play->config.timing != PLAY_ASAP;

    *play->plan->outcome = (PlayOutcome){0}; /* a replay plays it again */
    play->lanes_left = play->plan->lanes;
    play->start_ns = qemu_clock_get_ns(QEMU_CLOCK_REALTIME) +
                     (timed ? LEAD_NS : 0);
    play_requests_of(play);
    arm_drains(play);
    for (unsigned i = 0; i < play->plan->lanes; i++) {
        aio_bh_schedule_oneshot(play->lanes[i].ctx, play_lane_start,
                                &play->lanes[i]);
    }
    /* Not AIO_WAIT_WHILE(): each request would kick us, for nothing. */
    while (play->lanes_left) {
        aio_poll(qemu_get_aio_context(), true);
    }
    disarm_drains(play);
}

typedef struct PlayCounts {
    size_t succeeded, failed, dropped, outside;
    const PlayRequest *unplanned; /* the first that failed by itself, or NULL */
    int64_t end_ns;
    uint64_t hash;
} PlayCounts;

static void count(PlayCounts *counts, const PlayRequest *r)
{
    if (r->result < 0) {
        counts->failed++;
        if (!counts->unplanned && r->result != -r->fault) {
            counts->unplanned = r;
        }
    } else if (r->result == PLAY_DROPPED) {
        counts->dropped++;
    } else if (r->result == PLAY_OUTSIDE) {
        counts->outside++;
    } else {
        counts->succeeded++;
    }
    counts->end_ns = MAX(counts->end_ns, r->completed_ns);
    counts->hash = play_hash_add(counts->hash, r);
}

static void tell_results(const Play *play)
{
    PlayCounts counts = {.hash = play->plan->n};

    for (size_t i = 0; i < play->plan->n; i++) {
        count(&counts, &play->plan->requests[i]);
    }
    SCENARIO_CHECK(!counts.unplanned, "requests failed; the first is of record "
                   "%u: %s", counts.unplanned->record,
                   g_strerror(-counts.unplanned->result));
    scenario_result("requests", play->plan->n);
    scenario_result("succeeded", counts.succeeded);
    scenario_result("failed", counts.failed);
    scenario_result("dropped", counts.dropped);
    scenario_result("outside", counts.outside);
    if (play->verify) {
        uint64_t wrong, checked = play_verify_checked(play->verify, &wrong);

        play->plan->outcome->verified = checked;
        play->plan->outcome->wrong = wrong;
        scenario_result("verified", checked);
        scenario_result("wrong", wrong);
    }
    scenario_result("elapsed_ns", counts.end_ns);
    scenario_result("hash", (int64_t)counts.hash);
}

static const char *get_param(const void *args, const char *name)
{
    return scenario_param(args, name);
}

/*
 * In virtual time a sleep ends when it should, and to stay awake takes no time;
 * a recording would hold each turn of the loop that stays awake.
 */
static PlayWaiter choose_waiter(const PlayConfig *config)
{
    return *config->device ? WAITER_SLEEP
         : config->waiter != WAITER_AUTO ? config->waiter
         : host_mode ? WAITER_SLEEP : WAITER_HYBRID;
}

static const char *get_spec_param(const void *spec, const char *name)
{
    return g_hash_table_lookup(((const ScenarioSpec *)spec)->params, name);
}

bool play_config_of(PlayConfig *config, const ScenarioSpec *spec, Error **errp)
{
    return play_config_parse(config, get_spec_param, spec, errp);
}

static bool init(Play *play, const ScenarioArgs *args)
{
    Error *err = NULL;

    *play = (Play){.plan = prepared};
    if (play_config_parse(&play->config, get_param, args, &err) &&
        !play->plan) {
        play->plan = play_plan_load(&play->config, false, &err);
        play->own_plan = true;
    }
    if (err) {
        scenario_bad_input("%s", error_get_pretty(err));
        error_free(err);
        return false;
    }
    play->waiter = choose_waiter(&play->config);
    play->verify = play->config.verify ? play_verify_new(play->config.seed)
                                       : NULL;
    return true;
}

static void run(const ScenarioArgs *args)
{
    static Play play;

    if (init(&play, args)) {
        if (play_open_targets(&play) && make_lanes(&play)) {
            play_all(&play);
            tell_results(&play);
        }
        free_lanes(&play);
        play_close_targets(&play);
    }
    if (play.own_plan) {
        play_plan_free(play.plan);
    }
    play_verify_free(play.verify);
    play_config_clear(&play.config);
}

const Scenario scenario_play = {
    .name = "play",
    .summary = "a captured trace, played through the block layer",
    .shows = "each request of the trace: when it was due, and what became of "
             "it",
    .params = play_params,
    .own_log = "trace",
    .run = run,
};
