/* SPDX-License-Identifier: MIT */
/* Rows for people, from events and inputs. */
#include "index.h"

typedef struct Indexer {
    Log *log;
    GHashTable *sites; /* ProbeSite -> its number */
    Model *model;
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

/* Objects are written when they are born, named as the screen names them. */
static void put_object(Indexer *indexer, uint64_t seq, const ProbeEvent *event)
{
    ModelObject *object = model_find(indexer->model, event->obj);

    if (event->kind == PROBE_THREAD_START) {
        log_put_thread(indexer->log, event->thread, event->text);
    }
    if (object && (object->since == seq || event->kind == PROBE_CTX_NAME) &&
        (event->kind == PROBE_CTX_NAME || object->cause == 0)) {
        g_autofree char *name = model_name(indexer->model, event->obj);

        switch (event->kind) {
        case PROBE_CTX_NEW:
        case PROBE_CTX_NAME:
        case PROBE_FD_ADD:
        case PROBE_BH_NEW:
        case PROBE_TIMER_NEW:
        case PROBE_CO_CREATE:
        case PROBE_SQE:
        case PROBE_BLK_NEW:
        case PROBE_REQ_BEGIN:
            log_put_object(indexer->log, object->id,
                           model_kind_names[object->kind], name, event->thread,
                           seq);
            break;
        }
    }
}

static void put_events(Indexer *indexer, const Session *session)
{
    uint64_t n = session_count(session);

    for (uint64_t seq = 1; seq <= n && !log_failed(indexer->log); seq++) {
        ProbeEvent event = event_store_get(session->events, seq);

        model_apply(indexer->model, &event);
        put_object(indexer, seq, &event);
        log_put_event(indexer->log, seq, &event,
                      site_number(indexer, event.site));
    }
}

bool index_build(Log *log, const Session *session, Error **errp)
{
    Indexer indexer = {
        log, g_hash_table_new(NULL, NULL), model_new(),
    };
    size_t n;
    Input *inputs = log_inputs(log, &n, errp);

    if (inputs) {
        log_clear_derived(log);
        if (session) {
            put_events(&indexer, session);
        }
        for (size_t i = 0; i < n; i++) {
            log_put_input(log, &inputs[i]);
        }
        log_finish_derived(log);
    }
    g_free(inputs);
    model_free(indexer.model);
    g_hash_table_destroy(indexer.sites);
    return inputs != NULL;
}
