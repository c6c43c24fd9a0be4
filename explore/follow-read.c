/* SPDX-License-Identifier: MIT */
/* What the follower knows of a recording before it begins. */
#include "follow-internal.h"

/* ---- Kinds ---- */

InputKind follow_plain_kind(InputKind kind)
{
    switch (kind) {
    case INPUT_CQE_DATA:
    case INPUT_CQE_HASH:
        return INPUT_CQE;
    case INPUT_FILE_IO_DATA:
    case INPUT_FILE_IO_HASH:
        return INPUT_FILE_IO;
    default:
        return kind;
    }
}

bool follow_is_loose(InputKind kind)
{
    switch (kind) {
    case INPUT_WAIT:
    case INPUT_READY:
    case INPUT_NOTIFIER:
    case INPUT_POLL:
    case INPUT_BUSY_POLL:
    case INPUT_FOUND:
    case INPUT_LAIO_EVENTS:
    case INPUT_WORD:
    case INPUT_SEEN:
        return true;
    default:
        return false;
    }
}

bool follow_knows(InputKind kind)
{
    switch (follow_plain_kind(kind)) {
    case INPUT_LOCK:
    case INPUT_TRYLOCK:
    case INPUT_COND:
    case INPUT_CQE:
    case INPUT_BH:
    case INPUT_CO:
    case INPUT_THREAD_CREATE:
    case INPUT_THREAD_START:
    case INPUT_THREAD_JOIN:
    case INPUT_THREAD_END:
    case INPUT_FILE_OPEN:
    case INPUT_FILE_SIZE:
    case INPUT_FILE_IO:
    case INPUT_LAIO_SUBMIT:
    case INPUT_REPLAY_BH:
        return true;
    default:
        return follow_is_loose(kind);
    }
}

bool follow_has_object(InputKind kind)
{
    return input_table[kind].obj && kind != INPUT_WAIT &&
           kind != INPUT_BUSY_POLL && kind != INPUT_FILE_IO &&
           kind != INPUT_FILE_SIZE;
}

/* ---- Reading the recording ---- */

static GArray *array_of(GHashTable *table, uint64_t key)
{
    GArray *array = g_hash_table_lookup(table, &key);

    if (!array) {
        array = g_array_new(false, false, sizeof(uint32_t));
        g_hash_table_insert(table, g_memdup2(&key, sizeof(key)), array);
    }
    return array;
}

GHashTable *follow_table_new(GDestroyNotify free_value)
{
    return g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                 free_value);
}

/*
 * What was published for a slice was there when its thread woke up for it;
 * gate[thread]: when it did, 0 if it has taken a slice since.
 */
static uint64_t gate_of(const Input *in, uint64_t *wakes, uint64_t *slices)
{
    unsigned thread = in->thread % FOLLOW_THREADS;

    switch (in->kind) {
    case INPUT_WAIT:
    case INPUT_POLL:
        wakes[thread] = in->a ? in->ticket : 0;
        break;
    case INPUT_BH_SLICE:
        slices[thread] = wakes[thread] ? wakes[thread] : in->ticket;
        wakes[thread] = 0;
        break;
    case INPUT_BH:
    case INPUT_CO:
        return slices[thread];
    case INPUT_NOTIFIER:
        return wakes[thread] ? wakes[thread] : in->ticket;
    default:
        break;
    }
    return in->ticket;
}

/*
 * What a slice has not, though it took all there was, came after it; @ends: by
 * context, the ticket of the last one's end.
 */
typedef struct Slice {
    uint64_t *end;   /* of its context */
    uint64_t before; /* the end of the slice before it */
} Slice;

static uint64_t earliest_of(const Input *in, Slice *slices, GHashTable *ends)
{
    Slice *slice = &slices[in->thread % FOLLOW_THREADS];

    if (in->kind == INPUT_BH_SLICE) {
        slice->end = g_hash_table_lookup(ends, &in->obj);
        if (!slice->end) {
            slice->end = g_new0(uint64_t, 1);
            g_hash_table_insert(ends, g_memdup2(&in->obj, sizeof(in->obj)),
                                slice->end);
        }
        slice->before = *slice->end;
    } else if (in->kind == INPUT_BH && slice->end) {
        *slice->end = in->ticket;
        return slice->before;
    }
    return 0;
}

void follow_read(void)
{
    uint64_t wakes[FOLLOW_THREADS] = {0}, slices[FOLLOW_THREADS] = {0};
    Slice last[FOLLOW_THREADS] = {{NULL}};
    GHashTable *ends = follow_table_new(g_free);

    for (uint32_t i = 0; i < follow.n; i++) {
        const Input *in = &follow.inputs[i];

        follow.gates[i] = gate_of(in, wakes, slices);
        follow.earliest[i] = earliest_of(in, last, ends);
        if (follow_knows(in->kind)) {
            g_array_append_val(array_of(follow.sequences, in->thread), i);
        }
        if (in->kind == INPUT_BH || in->kind == INPUT_CO ||
            (in->kind == INPUT_NOTIFIER && in->a)) {
            g_array_append_val(array_of(follow.taken, in->obj), i);
        } else if (in->kind == INPUT_THREAD_CREATE) {
            g_hash_table_insert(follow.numbers,
                                g_memdup2(&in->obj, sizeof(in->obj)),
                                GSIZE_TO_POINTER(in->a));
        }
    }
    g_hash_table_destroy(ends);
}
