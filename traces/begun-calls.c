/* SPDX-License-Identifier: MIT */
/* Unfinished calls, by thread. */
#include "begun-calls.h"

enum {
    TEXT_MAX = 65536,  /* bytes that are kept of one part */
    BYTES_MAX = 1 << 22, /* of all; beyond, they are given up */
    UNNUMBERED = -1,   /* the first thread, before there was a second one */
};

typedef struct BegunCall {
    GString *text;
    size_t bytes; /* when it was begun */
    int64_t start_ns;
    uint64_t place;
} BegunCall;

struct BegunCalls {
    GHashTable *by_tid; /* -> BegunCall */
    size_t bytes;       /* theirs */
};

static void free_call(gpointer opaque)
{
    BegunCall *begun = opaque;

    g_string_free(begun->text, true);
    g_free(begun);
}

BegunCalls *begun_calls_new(void)
{
    BegunCalls *calls = g_new0(BegunCalls, 1);

    calls->by_tid = g_hash_table_new_full(NULL, NULL, NULL, free_call);
    return calls;
}

void begun_calls_free(BegunCalls *calls)
{
    g_hash_table_destroy(calls->by_tid);
    g_free(calls);
}

static void drop(BegunCalls *calls, int64_t tid)
{
    BegunCall *begun = g_hash_table_lookup(calls->by_tid,
                                           GINT_TO_POINTER(tid));

    if (begun) {
        calls->bytes -= begun->bytes;
        g_hash_table_remove(calls->by_tid, GINT_TO_POINTER(tid));
    }
}

void begun_calls_put(BegunCalls *calls, const Call *call, Scan text)
{
    BegunCall *begun = g_new0(BegunCall, 1);

    drop(calls, call->tid);
    if (calls->bytes > BYTES_MAX) {
        g_hash_table_remove_all(calls->by_tid);
        calls->bytes = 0;
    }
    begun->text = g_string_new_len(text.at, MIN(text.end - text.at, TEXT_MAX));
    begun->start_ns = call->start_ns;
    begun->place = call->place;
    begun->bytes = sizeof(*begun) + begun->text->len;
    calls->bytes += begun->bytes;
    g_hash_table_insert(calls->by_tid, GINT_TO_POINTER(call->tid), begun);
}

/* A thread that has a number now may have begun without one. */
static BegunCall *find(BegunCalls *calls, int64_t tid)
{
    BegunCall *begun = g_hash_table_lookup(calls->by_tid,
                                           GINT_TO_POINTER(tid));

    if (!begun && (begun = g_hash_table_lookup(
                       calls->by_tid, GINT_TO_POINTER(UNNUMBERED)))) {
        g_hash_table_steal(calls->by_tid, GINT_TO_POINTER(UNNUMBERED));
        g_hash_table_insert(calls->by_tid, GINT_TO_POINTER(tid), begun);
    }
    return begun;
}

bool begun_calls_go_on(BegunCalls *calls, Call *call, Scan rest, Scan *text)
{
    BegunCall *begun = find(calls, call->tid);

    if (!begun) {
        return false;
    }
    g_string_append_len(begun->text, rest.at,
                        MIN(rest.end - rest.at, TEXT_MAX));
    call->start_ns = begun->start_ns;
    call->place = begun->place;
    *text = (Scan){begun->text->str, begun->text->str + begun->text->len};
    return true;
}

void begun_calls_end(BegunCalls *calls, const Call *call)
{
    drop(calls, call->tid);
}
