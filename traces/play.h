/* SPDX-License-Identifier: MIT */
/*
 * Playing a trace: the scenario "play".
 *
 * Each lane is a thread's part of the plan: it waits for the next request's
 * time, enters a coroutine for it, and goes on.  Requests go through a
 * BlockBackend for each target.  All of it is an ordinary scenario: it can be
 * recorded, replayed, stepped through and explored.
 */
#ifndef TRACES_PLAY_H
#define TRACES_PLAY_H

#include "aiolab/scenario.h"
#include "play-plan.h"
#include "scenario.h"

extern const Scenario scenario_play;
/* play_config_parse() of what the spec, of that scenario, sets. */
bool play_config_of(PlayConfig *config, const ScenarioSpec *spec, Error **errp);

/*
 * The plan that the next run of the scenario in this process, or in a child of
 * it, plays and fills in, instead of one of its own; NULL: none.
 */
void play_prepare(PlayPlan *plan);

/* ---- Inside the player ---- */

typedef struct PlayVerify PlayVerify;
typedef struct Play Play;

enum { BUFFER_CLASSES = 13 }; /* powers of two, from 4 KiB to 16 MiB */

typedef struct PlayLane {
    Play *play;
    AioContext *ctx;
    IOThread *iothread;     /* or NULL */
    QEMUTimer *timer;
    QEMUBH *bh;
    uint32_t next;          /* 1 + the next request with a time; 0: none */
    GSequence *ready;       /* of 1 + request: those that have waited */
    unsigned n_ready;
    size_t left;            /* not ended */
    unsigned in_flight;
    unsigned room;          /* so many may be, unless the timing says it */
    int64_t slip_ns;        /* lag=slip: so much later is the rest */
    int64_t alarm_ns;       /* the timer's */
    int64_t spin_ns;        /* hybrid: so long before its time it rings */
    bool pumping;
    void *buffers[BUFFER_CLASSES]; /* free ones; each begins with the next */
} PlayLane;

struct Play {
    PlayConfig config;
    PlayPlan *plan;
    bool own_plan;
    PlayWaiter waiter;
    int64_t start_ns;
    unsigned lanes_left;    /* main thread */
    PlayLane *lanes;
    BlockBackend **blks;    /* by target */
    BlockDriverState **filters; /* that make requests fail, or NULL */
    int64_t *sizes;
    PlayVerify *verify;     /* or NULL */
    BlockDriverState **nodes; /* by target; NULL: that of its file's first */
    struct DrainTimer *drains; /* main thread: as the configuration has them */
    unsigned next_drain;
};

/* Nanoseconds since the play began. */
static inline int64_t play_now(const Play *play)
{
    return qemu_clock_get_ns(QEMU_CLOCK_REALTIME) - play->start_ns;
}

/* play-target.c: false after scenario_bad_input(). */
bool play_open_targets(Play *play);
void play_close_targets(Play *play);

/* play-lane.c: the first on its own thread; the end comes by play_lane_done. */
void play_lane_start(void *lane);
/* Returns what the coroutine is to go on with, or NULL. */
PlayRequest *play_lane_completed(PlayLane *lane, PlayRequest *request);
/* In the main thread, by a bottom half. */
void play_lane_done(void *play);
/* Likewise: a drained section begins, the next one that is asked for. */
void play_drain_next(void *play);

/* play-request.c: before the first of them. */
void play_requests_of(Play *play);
/* Begins it, in a coroutine of its own; issued_ns is set. */
void play_issue(PlayRequest *request);
void play_free_buffers(PlayLane *lane);

/* play-verify.c: any thread. */
PlayVerify *play_verify_new(uint64_t seed);
void play_verify_free(PlayVerify *verify);
/* Sectors that were checked, and that were wrong. */
uint64_t play_verify_checked(const PlayVerify *verify, uint64_t *wrong);

typedef struct VerifyRange {
    unsigned target;
    uint64_t offset, bytes; /* of whole sectors */
} VerifyRange;

/* @number: the request's, not 0.  Fills the data in, if there is a buffer. */
void play_verify_write_begin(PlayVerify *verify, VerifyRange range,
                             uint32_t number, void *buffer);
/* @content: the number, VERIFY_ZEROES or VERIFY_UNKNOWN */
void play_verify_write_end(PlayVerify *verify, VerifyRange range,
                           uint32_t content);
enum { VERIFY_UNKNOWN = 0, VERIFY_ZEROES = UINT32_MAX };
/* What must be there, for play_verify_read_end(), which frees it. */
void *play_verify_read_begin(PlayVerify *verify, VerifyRange range);
/* False if a sector is not what it must be; *sector says which. */
bool play_verify_read_end(PlayVerify *verify, VerifyRange range, void *state,
                          const void *buffer, uint64_t *sector);

#endif
