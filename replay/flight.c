/* SPDX-License-Identifier: MIT */
/* What a flight recorder has kept, oldest first; see flight.h. */
#include "flight.h"

typedef struct Kept {
    uint64_t name; /* a chunk's id, or a content's hash */
    uint64_t last_ticket;
} Kept;

struct Flight {
    uint64_t n, first;
    GQueue chunks, contents; /* of Kept */
    GHashTable *last_use;    /* content -> ticket of its newest input */
    unsigned n_rings;
    GArray **waiting; /* by ring: contents whose input is still to come */
};

Flight *flight_new(uint64_t n, unsigned n_rings)
{
    Flight *flight = g_new0(Flight, 1);

    flight->n = n;
    flight->first = 1;
    flight->last_use = g_hash_table_new(NULL, NULL);
    flight->n_rings = n_rings;
    flight->waiting = g_new0(GArray *, n_rings);
    return flight;
}

void flight_free(Flight *flight)
{
    if (!flight) {
        return;
    }
    for (unsigned i = 0; i < flight->n_rings; i++) {
        if (flight->waiting[i]) {
            g_array_unref(flight->waiting[i]);
        }
    }
    g_queue_clear_full(&flight->chunks, g_free);
    g_queue_clear_full(&flight->contents, g_free);
    g_hash_table_destroy(flight->last_use);
    g_free(flight->waiting);
    g_free(flight);
}

static void keep(GQueue *queue, uint64_t name, uint64_t last_ticket)
{
    Kept *kept = g_new(Kept, 1);

    *kept = (Kept){name, last_ticket};
    g_queue_push_tail(queue, kept);
}

/* The oldest, if it is older than @first; for g_free. */
static Kept *take_older(GQueue *queue, uint64_t first)
{
    Kept *oldest = g_queue_peek_head(queue);

    return oldest && oldest->last_ticket < first ? g_queue_pop_head(queue)
                                                 : NULL;
}

void flight_content(Flight *flight, unsigned ring, uint64_t hash)
{
    if (!flight->waiting[ring]) {
        flight->waiting[ring] = g_array_new(false, false, sizeof(hash));
    }
    g_array_append_val(flight->waiting[ring], hash);
    /* It may be in the log already, and old: it must not go just now. */
    g_hash_table_insert(flight->last_use, GSIZE_TO_POINTER(hash),
                        GSIZE_TO_POINTER(SIZE_MAX));
}

void flight_input(Flight *flight, unsigned ring, uint64_t ticket)
{
    GArray *waiting = flight->waiting[ring];

    for (unsigned i = 0; waiting && i < waiting->len; i++) {
        uint64_t hash = g_array_index(waiting, uint64_t, i);

        keep(&flight->contents, hash, ticket);
        g_hash_table_insert(flight->last_use, GSIZE_TO_POINTER(hash),
                            GSIZE_TO_POINTER(ticket));
    }
    if (waiting) {
        g_array_set_size(waiting, 0);
    }
}

void flight_chunk(Flight *flight, int64_t id, uint64_t last_ticket)
{
    keep(&flight->chunks, id, last_ticket);
}

/* A content that another input has used since stands further back, too. */
static void trim_contents(Flight *flight, Log *log)
{
    Kept *old;

    while ((old = take_older(&flight->contents, flight->first))) {
        gpointer key = GSIZE_TO_POINTER(old->name);

        if (GPOINTER_TO_SIZE(g_hash_table_lookup(flight->last_use, key)) ==
            old->last_ticket) {
            g_hash_table_remove(flight->last_use, key);
            log_drop_payload(log, old->name);
        }
        g_free(old);
    }
}

void flight_trim(Flight *flight, Log *log, uint64_t newest)
{
    uint64_t before = flight->first;
    Kept *old;

    while (newest > flight->n &&
           (old = take_older(&flight->chunks, newest - flight->n + 1))) {
        log_drop_chunk(log, old->name);
        flight->first = MAX(flight->first, old->last_ticket + 1);
        g_free(old);
    }
    if (flight->first != before) {
        trim_contents(flight, log);
        log_set_meta_int(log, "flight.first", flight->first);
    }
}

uint64_t flight_first(const Flight *flight)
{
    return flight->first;
}
