/* SPDX-License-Identifier: MIT */
/* What a trace of QEMU's ended in the middle of. */
#include "qemu-findings.h"

#include "report.h"

const char *const qemu_unknowable[] = {
    "bottom halves, timers and handlers of file descriptors: QEMU has no trace "
    "events for scheduling, arming or calling them",
    "drained sections and AIO_WAIT_WHILE(): no events; a coroutine that waits "
    "for a drain to end is seen to yield, and no more",
    "turns of the loops and wake-ups: aio_poll() and aio_notify() have no "
    "events",
    "linux-aio: its submissions and completions have no events; the coroutine "
    "that waits is seen",
    "when a BlockBackend's request ends: it is taken to end with its coroutine",
    NULL,
};

/* What is remembered of a coroutine or a request while events go by. */
typedef struct Trail {
    uint64_t last_seq;  /* the last event in it */
    char *last_text;
    const ProbeSite *site;
    char *waits_for;
    uint64_t coroutine; /* of a request: where it was made */
    uint64_t answered_seq; /* of a coroutine: a request of its was done */
} Trail;

typedef struct Walk {
    Session *session;
    GHashTable *trails; /* id -> Trail */
    GArray *running;    /* by thread: the innermost coroutine */
} Walk;

static void free_trail(gpointer opaque)
{
    Trail *trail = opaque;

    g_free(trail->last_text);
    g_free(trail->waits_for);
    g_free(trail);
}

static Trail *trail_of(Walk *walk, uint64_t id)
{
    Trail *trail = g_hash_table_lookup(walk->trails, &id);

    if (!trail) {
        trail = g_new0(Trail, 1);
        g_hash_table_insert(walk->trails, g_memdup2(&id, sizeof(id)), trail);
    }
    return trail;
}

static uint64_t *running_on(Walk *walk, uint32_t thread)
{
    if (thread >= walk->running->len) {
        g_array_set_size(walk->running, thread + 1);
    }
    return &g_array_index(walk->running, uint64_t, thread);
}

/* An event inside of a coroutine is where it was seen last. */
static void mark(Walk *walk, uint64_t co, uint64_t seq, const ProbeEvent *e)
{
    Trail *trail = trail_of(walk, co);

    trail->last_seq = seq;
    trail->site = e->site;
    if (e->kind == PROBE_CO_WAIT) {
        g_free(trail->waits_for);
        trail->waits_for = g_strdup(e->text);
    } else if (e->kind == PROBE_CO_WOKEN) {
        g_clear_pointer(&trail->waits_for, g_free);
    }
}

/* A request is done that a coroutine handed over: it should go on. */
static void answer(Walk *walk, uint64_t seq, uint64_t request)
{
    Trail *trail = g_hash_table_lookup(walk->trails, &request);

    if (trail && trail->coroutine) {
        trail_of(walk, trail->coroutine)->answered_seq = seq;
    }
}

static void walk_event(Walk *walk, uint64_t seq, const ProbeEvent *e)
{
    uint64_t *running = running_on(walk, e->thread);

    switch (e->kind) {
    case PROBE_CO_ENTER:
        mark(walk, e->obj, seq, e);
        trail_of(walk, e->obj)->answered_seq = 0;
        *running = e->obj;
        return;
    case PROBE_CO_YIELD:
        *running = e->a;
        return;
    case PROBE_CO_END:
        *running = 0;
        g_hash_table_remove(walk->trails, &e->obj);
        return;
    case PROBE_SQE:
    case PROBE_REQ_BEGIN:
    case PROBE_POOL_SUBMIT:
        trail_of(walk, e->obj)->coroutine = *running;
        break;
    case PROBE_CQE_END:
    case PROBE_POOL_END:
        answer(walk, seq, e->obj);
        /* fall through */
    case PROBE_REQ_END:
        g_hash_table_remove(walk->trails, &e->obj);
        return;
    default:
        break;
    }
    if (*running) {
        mark(walk, *running, seq, e);
    }
}

/* ---- What is left of it ---- */

static char *describe(const Model *model, const ModelObject *object)
{
    g_autofree char *of = object->ctx ? model_name(model, object->ctx) : NULL;

    if (object->kind == MODEL_REQUEST) {
        return g_strdup_printf("%s %" PRIu64 " bytes at %" PRIu64 " of %s",
                               object->name ? object->name : "request",
                               object->b, object->a, of ? of : "?");
    }
    if (object->kind == MODEL_JOB) {
        return g_strdup("given to the thread pool");
    }
    return g_strdup_printf("%s handed to io_uring",
                           object->name ? object->name : "request");
}

static void add_request(QemuFindings *findings, Walk *walk,
                        const ModelObject *object)
{
    const Model *model = walk->session->model;
    Trail *trail = g_hash_table_lookup(walk->trails, &object->id);
    PendingRequest request = {
        .id = object->id, .seq = object->since,
        .name = model_name(model, object->id),
        .what = describe(model, object),
        .age_ns = model->t_ns - object->since_ns,
        .coroutine = trail ? trail->coroutine : 0,
    };

    if (request.coroutine) {
        request.coroutine_name = model_name(model, request.coroutine);
    }
    g_array_append_val(findings->requests, request);
}

/* The coroutine that has the lock, if one is known to. */
static char *holder_of(const Model *model, uint64_t lock)
{
    for (unsigned i = 0; lock && i < model->holds->len; i++) {
        const ModelHold *hold = &g_array_index(model->holds, ModelHold, i);

        if (hold->lock == lock) {
            return model_name(model, hold->coroutine);
        }
    }
    return NULL;
}

static void add_coroutine(QemuFindings *findings, Walk *walk,
                          const ModelObject *co)
{
    const Model *model = walk->session->model;
    Trail *trail = trail_of(walk, co->id);
    ProbeEvent last = {.kind = PROBE_CO_YIELD};
    LostCoroutine lost = {
        .id = co->id, .seq = co->since, .name = model_name(model, co->id),
        .age_ns = model->t_ns - co->since_ns, .last_seq = trail->last_seq,
        .site = trail->site, .answered_seq = trail->answered_seq,
        .waits_for = g_strdup(trail->waits_for),
    };

    lost.held_by = lost.waits_for ? holder_of(model, co->a) : NULL;
    if (trail->last_seq) {
        last = event_store_get(walk->session->events, trail->last_seq);
        lost.last_text = report_event(model, &last);
    }
    g_array_append_val(findings->coroutines, lost);
}

static void collect(QemuFindings *findings, Walk *walk)
{
    const Model *model = walk->session->model;
    ModelObject *object;

    QTAILQ_FOREACH(object, &model->objects[MODEL_REQUEST], next) {
        add_request(findings, walk, object);
    }
    QTAILQ_FOREACH(object, &model->objects[MODEL_SQE], next) {
        add_request(findings, walk, object);
    }
    QTAILQ_FOREACH(object, &model->objects[MODEL_JOB], next) {
        add_request(findings, walk, object);
    }
    QTAILQ_FOREACH(object, &model->objects[MODEL_COROUTINE], next) {
        if (object->state == STATE_YIELDED ||
            object->state == STATE_SCHEDULED) {
            add_coroutine(findings, walk, object);
        }
    }
    findings->any_coroutine_events = model->created[MODEL_COROUTINE] > 0;
}

static void clear_request(gpointer opaque)
{
    PendingRequest *request = opaque;

    g_free(request->name);
    g_free(request->what);
    g_free(request->coroutine_name);
}

static void clear_coroutine(gpointer opaque)
{
    LostCoroutine *lost = opaque;

    g_free(lost->name);
    g_free(lost->last_text);
    g_free(lost->waits_for);
    g_free(lost->held_by);
}

QemuFindings *qemu_findings_new(Session *session)
{
    QemuFindings *findings = g_new0(QemuFindings, 1);
    Walk walk = {
        .session = session,
        .trails = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                        free_trail),
        .running = g_array_new(false, true, sizeof(uint64_t)),
    };

    findings->requests = g_array_new(false, true, sizeof(PendingRequest));
    findings->coroutines = g_array_new(false, true, sizeof(LostCoroutine));
    g_array_set_clear_func(findings->requests, clear_request);
    g_array_set_clear_func(findings->coroutines, clear_coroutine);
    for (uint64_t seq = 1; seq <= session_count(session); seq++) {
        ProbeEvent event = event_store_get(session->events, seq);

        walk_event(&walk, seq, &event);
    }
    session_goto(session, session_count(session));
    collect(findings, &walk);
    g_hash_table_destroy(walk.trails);
    g_array_free(walk.running, true);
    return findings;
}

void qemu_findings_free(QemuFindings *findings)
{
    if (findings) {
        g_array_free(findings->requests, true);
        g_array_free(findings->coroutines, true);
        g_free(findings);
    }
}
