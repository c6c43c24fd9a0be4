/* SPDX-License-Identifier: MIT */
/*
 * The model: the state of a run at event N, folded from its probe events.
 *
 * It knows nothing of the event loop's memory, only what events say, so it is
 * the same for a live recording, a simulation, a replay, and any other source
 * of events.
 */
#ifndef REPLAY_MODEL_H
#define REPLAY_MODEL_H

#include "aiolab/probe.h"
#include "qemu/queue.h"

typedef enum ModelKind {
    MODEL_CONTEXT,
    MODEL_HANDLER,
    MODEL_BH,
    MODEL_TIMER,
    MODEL_COROUTINE,
    MODEL_BLK,
    MODEL_REQUEST, /* of a BlockBackend */
    MODEL_SQE,     /* on a context's ring */
    MODEL_MUTEX,   /* while somebody holds it */
    MODEL_JOB,     /* of a thread pool */
    MODEL_REASON,  /* what a wait may be for: aiolab/wait-reason.h */
    MODEL_KIND_MAX
} ModelKind;

extern const char *const model_kind_names[MODEL_KIND_MAX];

typedef enum ModelState {
    STATE_IDLE,
    STATE_SCHEDULED, /* BH: on the list; timer: armed; coroutine: by a BH */
    STATE_TAKEN,     /* BH: in a slice; SQE: completed, waits in its batch */
    STATE_RUNNING,
    STATE_YIELDED,   /* coroutine */
    STATE_QUEUED,    /* coroutine: behind the running one; request: drained */
    STATE_SLEEPING,  /* coroutine */
    STATE_READY,     /* handler: found ready */
    STATE_PENDING,   /* SQE: on the ring; request: in flight */
    STATE_DELETED,   /* BH */
    STATE_HELD,      /* mutex; reason: in a batch that a callback holds */
    STATE_DONE,      /* reason */
    STATE_DISABLED,  /* handler */
    STATE_MAX
} ModelState;

extern const char *const model_state_names[STATE_MAX];

typedef struct ModelObject {
    ModelKind kind;
    ModelState state;
    uint64_t id;
    const char *name; /* what the code called it, or NULL */
    unsigned ordinal; /* among its kind, from 0 */
    uint64_t ctx;     /* context, or for requests the BlockBackend */
    uint64_t a, b, c; /* kind-specific: see model.c */
    uint64_t since;   /* event of its last change */
    uint64_t cause;   /* event that scheduled, armed or submitted it */
    uint64_t owner;   /* see model-fold.c */
    int64_t since_ns;
    const ProbeSite *site; /* mutex: where it was taken; coroutine: where it
                              waits; request: where it began */
    const char *waits; /* coroutine: for what, "CoMutex &s->lock", or NULL */
    bool disabled;     /* reason: its handler is not there */
    uint64_t batch;    /* reason: event of the frame that has fetched it */
    QTAILQ_ENTRY(ModelObject) next;
} ModelObject;

/* What a thread is in the middle of, innermost last. */
typedef enum FrameKind {
    FRAME_POLL, FRAME_WAIT, FRAME_BH, FRAME_FD, FRAME_TIMER, FRAME_CQE,
    FRAME_COROUTINE, FRAME_JOB,
    FRAME_LOCK, FRAME_COND, FRAME_JOIN, FRAME_LOOP, /* the thread itself waits */
} FrameKind;

typedef struct ModelFrame {
    FrameKind kind;
    uint64_t obj;     /* context, bh, handler, timer, request, coroutine, job;
                         mutex, condition, thread */
    uint64_t ctx;
    uint64_t depth;   /* FRAME_POLL */
    bool sleeping;    /* FRAME_POLL: in the wait */
    int64_t timeout_ns; /* of the wait of a POLL, COND or LOOP; -1: for ever */
    const char *phase; /* FRAME_POLL: see model_phases */
    const char *text; /* FRAME_WAIT: the condition; LOCK, COND: its name */
    const ProbeSite *site;
    uint64_t seq;
} ModelFrame;

extern const char *const model_phases[5]; /* wait cqes bhs fds timers */

typedef struct ModelThread {
    uint32_t id;
    const char *name;
    uint64_t ctx;   /* whose home it is, or 0 */
    bool exited, stuck;
    uint64_t waits_mutex, waits_cond; /* stuck: for what, or 0 */
    const ProbeSite *waits_at;
    GArray *frames; /* of ModelFrame */
    uint64_t last;  /* its newest event */
} ModelThread;

/* A coroutine has a CoMutex, or a share of a CoRwlock. */
typedef struct ModelHold {
    uint64_t lock, coroutine;
    bool shared;
    const char *name; /* in the source, or NULL */
    const ProbeSite *site;
    uint64_t seq;
} ModelHold;

/* What a wait is for, if that is known. */
typedef enum PurposeOf {
    PURPOSE_NEXT, PURPOSE_FRAME, PURPOSE_COROUTINE,
} PurposeOf;

typedef struct ModelPurpose {
    PurposeOf of;
    uint64_t waiter; /* a thread, whose next wait it is; a frame's event; a
                        coroutine */
    uint64_t what;   /* a reason; a BlockBackend, to be drained */
} ModelPurpose;

typedef QTAILQ_HEAD(ModelObjectList, ModelObject) ModelObjectList;

typedef struct Model {
    uint64_t seq;
    int64_t t_ns;
    uint32_t thread; /* of the newest event */
    bool stuck, check_failed;
    GArray *threads; /* of ModelThread */
    GArray *holds;   /* of ModelHold */
    GArray *purposes; /* of ModelPurpose */
    ModelObjectList objects[MODEL_KIND_MAX];
    unsigned created[MODEL_KIND_MAX];
    GHashTable *by_id;
    GHashTable *names; /* id -> char *: of all objects that ever were; shared
                          with the copies */
} Model;

Model *model_new(void);
Model *model_copy(const Model *model);
void model_free(Model *model);
/* The next event; its pointers must outlive the model. */
void model_apply(Model *model, const ProbeEvent *event);

ModelObject *model_find(const Model *model, uint64_t id);
ModelThread *model_thread(const Model *model, uint32_t id);
/* Whether an object of that id was ever seen. */
bool model_knows_name(const Model *model, uint64_t id);
/* "main", "completion_bh (bh3)", "co2", gone or not; freed by the caller. */
char *model_name(const Model *model, uint64_t id);
/* Among several coroutines, the first that has @lock; or NULL. */
ModelHold *model_hold(const Model *model, uint64_t lock);
/* "&s->lock" is called lock. */
const char *model_lock_name(const char *text);
/* It waits, in contrast to being a callback, a coroutine or a job. */
bool model_frame_waits(const ModelFrame *frame);
/* The innermost frame of @kind, or NULL. */
ModelFrame *model_top_frame(const ModelThread *thread, FrameKind kind);

#endif
