/* SPDX-License-Identifier: MIT */
/* When a thread may publish: before whoever took it in the recording. */
#include "follow-internal.h"

/* The first of @array behind ticket @after, or NULL. */
static const uint32_t *first_after(const GArray *array, uint64_t after)
{
    unsigned low = 0, high = array ? array->len : 0;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        uint32_t at = g_array_index(array, uint32_t, middle);

        if (follow.inputs[at].ticket > after) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return array && low < array->len ? &g_array_index(array, uint32_t, low)
                                     : NULL;
}

bool follow_is_taken(uint64_t obj)
{
    uint64_t key = follow_object(obj);

    return g_hash_table_contains(follow.taken, &key);
}

void follow_publish(uint64_t obj)
{
    Follower *f = follow_self();
    uint64_t key = follow_object(obj), latest = follow_next_ticket(f);
    const uint32_t *taken = first_after(
        g_hash_table_lookup(follow.taken, &key), f->last);
    uint64_t gate = taken ? follow.gates[*taken] : 0;

    f->wanted = -1;
    f->timed = false;
    if (taken && gate <= f->last) {
        gate = follow.inputs[*taken].ticket;
    }
    if (!gate || (latest && latest < gate)) {
        gate = latest;
    }
    f->turn = gate ? turn_before(gate) : TURN_LAST;
    f->publishes = true;
    if (taken && gate) {
        f->turn = MAX(f->turn, turn_of(follow.earliest[*taken]) + 1);
    }
    f->taker = taken ? (int64_t)*taken : -1;
}
