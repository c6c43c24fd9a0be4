/* SPDX-License-Identifier: MIT */
/*
 * What is to be played, request by request, and what became of each.
 *
 * A plan is one array in a file without a name, so that it may be larger than
 * memory, and so that the process that plays and the one that reports share
 * it.  Requests are in the order of the trace; those of a later loop follow.
 */
#ifndef TRACES_PLAY_PLAN_H
#define TRACES_PLAY_PLAN_H

#include "play-config.h"

/* Results that no request ends with. */
enum {
    PLAY_WAITING = 1,   /* not issued */
    PLAY_IN_FLIGHT = 2,
    PLAY_DROPPED = 3,   /* lag=drop left it out */
    PLAY_OUTSIDE = 4,   /* fold=skip left it out */
};

typedef struct PlayRequest {
    int64_t at_ns;      /* since the play's start, or since @after's end */
    uint64_t offset, bytes;
    int64_t planned_ns; /* when it should have been issued: since the start */
    int64_t issued_ns, completed_ns; /* since the start */
    uint32_t record;    /* of the trace, from 1 */
    uint32_t after;     /* 1 + the request that must end first; 0: none */
    uint32_t first;     /* 1 + the first that waits for this one; 0: none */
    uint32_t next;      /* 1 + the next of those, or of the lane; 0: none */
    int32_t result;     /* 0, a negative errno, or PLAY_... */
    uint16_t depth;     /* match-depth: so many in flight, this one included */
    uint8_t target, lane, op, flags;
    uint8_t fault;      /* a positive errno that it is to fail with */
    bool drains;        /* a drained section begins when it is issued */
} PlayRequest;

/* What a play did that no request says. */
typedef struct PlayOutcome {
    uint64_t verified, wrong; /* sectors */
    unsigned drains;          /* drained sections that took place */
} PlayOutcome;

typedef struct PlayTarget {
    char *device;    /* the trace's name */
    char *path;      /* a file, or NULL */
    unsigned file;   /* the first target on that file; itself, without one */
    uint64_t end;    /* the first byte behind all requests */
    uint64_t requests, writes, written_bytes, discards;
    uint64_t first_written, end_written;
} PlayTarget;

typedef struct PlayPlan {
    PlayRequest *requests;
    PlayOutcome *outcome;
    size_t n;
    size_t per_loop;
    size_t records;      /* of the trace */
    size_t left_out;     /* by window, condition or map */
    size_t ops[TRACE_OP_MAX];
    size_t unsized;      /* left out: the trace does not say where */
    size_t faults_left;  /* that no request was left for */
    unsigned lanes;
    uint32_t heads[64];  /* by lane: 1 + its first request, or 0 */
    size_t in_lane[64];
    GArray *targets;     /* of PlayTarget */
    int64_t span_ns;     /* of one loop, at the given speed */
    char *clock;         /* the trace's, by name */
    size_t mapped;       /* bytes */
} PlayPlan;

/*
 * Reads the trace.  @shared: children see what is changed, and so do we what
 * they change.  NULL and *errp if it cannot be played so.
 */
PlayPlan *play_plan_load(const PlayConfig *config, bool shared, Error **errp);
void play_plan_free(PlayPlan *plan);
/* False and *errp if --where is no condition that a plan can be made by. */
bool play_where_check(const PlayConfig *config, Error **errp);
/* Memory in a file without a name; NULL and *errp if there is no room. */
void *play_plan_map(size_t bytes, bool shared, Error **errp);

/* The record's latency in the capture, or TRACE_NO_TIME. */
typedef struct PlayCaptured PlayCaptured;
PlayCaptured *play_captured_new(const PlayConfig *config, Error **errp);
int64_t play_captured_latency(PlayCaptured *captured, uint32_t record);
void play_captured_free(PlayCaptured *captured);

static inline bool play_was_done(const PlayRequest *request)
{
    return request->result <= 0;
}

/* ---- play-order.c: who waits for whom ---- */

/* What the order needs to know of a record; one for each request of a loop. */
typedef struct PlayTimes {
    int64_t start_ns, complete_ns; /* or TRACE_NO_TIME */
    uint32_t process;
} PlayTimes;

/* A stranger's trace may have any time; so much later, sums have room. */
#define PLAY_TIME_MAX ((int64_t)1 << 61)

/* A time of the trace, or between two of them, as it is played. */
int64_t play_at_speed(int64_t ns, double speed);

/* Lanes, links, depths and loops; the first loop's requests are there. */
void play_plan_order(PlayPlan *plan, const PlayConfig *config,
                     const PlayTimes *times);

#endif
