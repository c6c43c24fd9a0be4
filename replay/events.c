/* SPDX-License-Identifier: MIT */
/* An array of events, 56 bytes each. */
#include "events.h"

typedef struct StoredEvent {
    int64_t t_ns;
    uint64_t obj, a, b, c;
    const ProbeSite *site;
    uint16_t kind, thread;
    uint32_t text; /* index, 0: none */
} StoredEvent;

struct EventStore {
    GArray *events;
    GPtrArray *texts;
    GHashTable *text_index;
};

EventStore *event_store_new(void)
{
    EventStore *store = g_new0(EventStore, 1);

    store->events = g_array_new(false, false, sizeof(StoredEvent));
    store->texts = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(store->texts, NULL);
    store->text_index = g_hash_table_new(g_str_hash, g_str_equal);
    return store;
}

void event_store_free(EventStore *store)
{
    if (store) {
        g_hash_table_destroy(store->text_index);
        g_ptr_array_free(store->texts, true);
        g_array_free(store->events, true);
        g_free(store);
    }
}

static uint32_t intern(EventStore *store, const char *text)
{
    uint32_t index;

    if (!text) {
        return 0;
    }
    index = GPOINTER_TO_UINT(g_hash_table_lookup(store->text_index, text));
    if (!index) {
        char *copy = g_strdup(text);

        index = store->texts->len;
        g_ptr_array_add(store->texts, copy);
        g_hash_table_insert(store->text_index, copy, GUINT_TO_POINTER(index));
    }
    return index;
}

void event_store_add(EventStore *store, const ProbeEvent *event)
{
    StoredEvent stored = {
        .t_ns = event->t_ns, .obj = event->obj, .a = event->a, .b = event->b,
        .c = event->c, .site = event->site, .kind = event->kind,
        .thread = event->thread, .text = intern(store, event->text),
    };

    g_array_append_val(store->events, stored);
}

uint64_t event_store_count(const EventStore *store)
{
    return store->events->len;
}

ProbeEvent event_store_get(const EventStore *store, uint64_t n)
{
    const StoredEvent *e = &g_array_index(store->events, StoredEvent, n - 1);

    return (ProbeEvent){
        .kind = e->kind, .thread = e->thread, .t_ns = e->t_ns, .obj = e->obj,
        .a = e->a, .b = e->b, .c = e->c, .site = e->site,
        .text = g_ptr_array_index(store->texts, e->text),
    };
}
