/* SPDX-License-Identifier: MIT */
/*
 * From chunks to one sequence: inputs in the order of their tickets.
 *
 * Tickets are numbers without gaps, so sorting is putting each input into its
 * place.  A gap means damage, with two exceptions.  A thread that is killed
 * after it took some tickets and before it wrote their inputs leaves one, and
 * writes nothing more.  And where the rings of a killed recorder are lost as
 * well, the log has what was committed, which ends at another place for each
 * thread: then everything from the first gap on is left out.
 */
#include "log-internal.h"

static uint64_t first_missing(const Input *places, size_t n, uint64_t first)
{
    for (size_t i = 0; i < n; i++) {
        if (!places[i].ticket) {
            return first + i;
        }
    }
    return first + n;
}

/* False and a complaint if two want the same place, or one has none. */
static bool place_all(const GArray *inputs, const TicketRules *rules,
                      Input *places, size_t n_places, char **complaint)
{
    bool outside = false;

    for (size_t i = 0; i < inputs->len; i++) {
        const Input *in = &g_array_index(inputs, Input, i);
        uint64_t at = in->ticket - rules->first;

        if (at >= n_places || !in->ticket) {
            outside = true;
        } else if (places[at].ticket) {
            *complaint = g_strdup_printf("input %" PRIu64 " is there twice",
                                         in->ticket);
            return false;
        } else {
            places[at] = *in;
        }
    }
    if (outside && !rules->cut_at_gap) {
        *complaint = g_strdup_printf(
            "input %" PRIu64 " is missing",
            first_missing(places, n_places, rules->first));
        return false;
    }
    return true;
}

/* Moves them together; *gaps gets where tickets begin that nobody has. */
static size_t close_gaps(Input *places, size_t n_places, size_t n_inputs,
                         const TicketRules *rules, GArray *gaps)
{
    bool in_gap = false;
    size_t n = 0;

    for (size_t i = 0; i < n_places && n < n_inputs; i++) {
        if (places[i].ticket) {
            places[n++] = places[i];
            in_gap = false;
            continue;
        }
        if (rules->cut_at_gap) {
            break;
        }
        if (!in_gap) {
            g_array_append_vals(gaps, &(uint64_t){rules->first + i}, 1);
        }
        in_gap = true;
    }
    return n;
}

/* Threads that were created, and of which there is no input yet. */
static unsigned count_newborn(const Input *inputs, size_t n, unsigned seen)
{
    unsigned created = 1;

    for (size_t i = 0; i < n; i++) {
        created += inputs[i].kind == INPUT_THREAD_CREATE;
    }
    return created > seen ? created - seen : 0;
}

/*
 * Whether each gap can be another thread's last act: for the k-th of them
 * there are k threads that have no input after it.  Returns the first gap that
 * is not, or 0.
 */
static uint64_t unexplained_gap(const Input *inputs, size_t n,
                                const GArray *gaps)
{
    GHashTable *last = g_hash_table_new(NULL, NULL);
    GHashTableIter iter;
    gpointer ticket;
    uint64_t bad = 0;
    unsigned newborn;

    for (size_t i = 0; i < n; i++) {
        g_hash_table_insert(last, GUINT_TO_POINTER(inputs[i].thread),
                            GSIZE_TO_POINTER(inputs[i].ticket));
    }
    newborn = count_newborn(inputs, n, g_hash_table_size(last));
    for (unsigned k = 0; k < gaps->len && !bad; k++) {
        uint64_t gap = g_array_index(gaps, uint64_t, k);
        unsigned silent = newborn;

        g_hash_table_iter_init(&iter, last);
        while (g_hash_table_iter_next(&iter, NULL, &ticket)) {
            silent += GPOINTER_TO_SIZE(ticket) < gap;
        }
        bad = silent > k ? 0 : gap;
    }
    g_hash_table_destroy(last);
    return bad;
}

static bool is_in_order(const GArray *inputs, uint64_t first)
{
    for (size_t i = 0; i < inputs->len; i++) {
        if (g_array_index(inputs, Input, i).ticket != first + i) {
            return false;
        }
    }
    return true;
}

Input *inputs_in_order(GArray *inputs, const TicketRules *rules, size_t *n,
                       char **complaint)
{
    size_t n_places = inputs->len + rules->gaps;
    GArray *gaps;
    Input *places;
    uint64_t bad = 0;

    if (is_in_order(inputs, rules->first)) {
        *n = inputs->len;
        return (Input *)g_array_free(inputs, false);
    }
    places = g_new0(Input, n_places + 1);
    gaps = g_array_new(false, false, sizeof(uint64_t));
    if (place_all(inputs, rules, places, n_places, complaint)) {
        *n = close_gaps(places, n_places, inputs->len, rules, gaps);
        bad = gaps->len ? unexplained_gap(places, *n, gaps) : 0;
    }
    g_array_free(inputs, true);
    g_array_free(gaps, true);
    if (bad) {
        *complaint = g_strdup_printf("input %" PRIu64 " is missing", bad);
    }
    if (*complaint) {
        g_free(places);
        return NULL;
    }
    return places;
}
