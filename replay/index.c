/* SPDX-License-Identifier: MIT */
/* Rows for people, from events and inputs. */
#include "index.h"

typedef struct Indexer {
    Log *log;
    GHashTable *sites; /* ProbeSite -> its number */
    Model *model;
    Input *inputs;
    size_t n_inputs;
    GArray *taken; /* by thread: what stands before it has its event */
} Indexer;

static unsigned site_number(Indexer *indexer, const ProbeSite *site)
{
    unsigned number = GPOINTER_TO_UINT(
        g_hash_table_lookup(indexer->sites, site));

    if (!number) {
        number = g_hash_table_size(indexer->sites) + 1;
        g_hash_table_insert(indexer->sites, (gpointer)site,
                            GUINT_TO_POINTER(number));
        log_put_site(indexer->log, number, site);
    }
    return number;
}

/* The thread's next input of that kind, or 0; each is given out once. */
static uint64_t next_ticket(Indexer *indexer, uint32_t thread, InputKind kind,
                            uint64_t obj)
{
    size_t *at;

    if (thread >= indexer->taken->len) {
        g_array_set_size(indexer->taken, thread + 1);
    }
    at = &g_array_index(indexer->taken, size_t, thread);
    while (*at < indexer->n_inputs) {
        const Input *in = &indexer->inputs[(*at)++];

        if (in->thread == thread && in->kind == kind) {
            return in->obj == obj ? in->ticket : 0;
        }
    }
    return 0;
}

/* A turn's end has its digest, and a replay_*() call its row. */
static uint64_t ticket_of(Indexer *indexer, const ProbeEvent *event)
{
    switch (event->kind) {
    case PROBE_POLL_END:
        return next_ticket(indexer, event->thread, INPUT_TURN, event->obj);
    case PROBE_REPLAY_BH:
        return next_ticket(indexer, event->thread, INPUT_REPLAY_BH,
                           event->obj ? event->obj : event->a);
    default:
        return 0;
    }
}

/* The innermost callback or coroutine that the thread is in the middle of. */
static uint64_t inside_what(const Model *model, uint32_t id)
{
    const ModelThread *thread = model_thread(model, id);

    for (unsigned i = thread ? thread->frames->len : 0; i > 0; i--) {
        const ModelFrame *frame = &g_array_index(thread->frames, ModelFrame,
                                                 i - 1);

        if (!model_frame_waits(frame) && frame->kind != FRAME_JOB) {
            return frame->obj;
        }
    }
    return 0;
}

static void put_object(Indexer *indexer, uint64_t seq, const ProbeEvent *event)
{
    ModelObject *object = model_find(indexer->model, event->obj);
    g_autofree char *name = model_name(indexer->model, event->obj);

    log_put_object(indexer->log, object->id, model_kind_names[object->kind],
                   name, event->thread, seq);
}

/*
 * An object is written when its name is first known, as the screen shows it.
 * Where an event happened is looked up before the event has changed it.
 */
static void put_event(Indexer *indexer, uint64_t seq, const ProbeEvent *event)
{
    Model *model = indexer->model;
    uint64_t inside = inside_what(model, event->thread);
    bool was_known = model_knows_name(model, event->obj);

    model_apply(model, event);
    if (event->kind == PROBE_THREAD_START) {
        log_put_thread(indexer->log, event->thread, event->text);
    }
    if (model_find(model, event->obj) &&
        (!was_known || event->kind == PROBE_CTX_NAME)) {
        put_object(indexer, seq, event);
    }
    log_put_event(indexer->log, seq, event, site_number(indexer, event->site),
                  inside, ticket_of(indexer, event));
}

static void put_events(Indexer *indexer, const Session *session)
{
    uint64_t n = session_count(session);

    for (uint64_t seq = 1; seq <= n && !log_failed(indexer->log); seq++) {
        ProbeEvent event = event_store_get(session->events, seq);

        put_event(indexer, seq, &event);
    }
}

bool index_build(Log *log, const Session *session, Error **errp)
{
    Indexer indexer = {
        log, g_hash_table_new(NULL, NULL), model_new(),
        .taken = g_array_new(false, true, sizeof(size_t)),
    };

    bool ok;

    indexer.inputs = session && session->kept
        ? g_new0(Input, 1) : log_inputs(log, &indexer.n_inputs, errp);
    ok = indexer.inputs != NULL;
    if (ok) {
        log_clear_derived(log);
        if (session) {
            put_events(&indexer, session);
        }
        for (size_t i = 0; i < indexer.n_inputs; i++) {
            log_put_input(log, &indexer.inputs[i]);
        }
        log_finish_derived(log);
    }
    g_free(indexer.inputs);
    g_array_free(indexer.taken, true);
    model_free(indexer.model);
    g_hash_table_destroy(indexer.sites);
    return ok;
}
