/* SPDX-License-Identifier: MIT */
/*
 * Livelocks.
 *
 * A run is cut when it takes too many steps.  Whether it would ever have ended
 * is told by its events: if the last thousands of them are the same piece again
 * and again, then the state repeats, too, because it is folded from events, and
 * only the ordinals of new objects differ.  The machine is deterministic, so it
 * goes on like that.  That proves a livelock if it is nobody's unfairness: each
 * thread that could run at a choice in the piece must run in it.
 */
#include "endless.h"

#include "report.h"

enum { LOOKED_AT = 6000, REPEATS = 4 };

static uint64_t event_hash(const ProbeEvent *e)
{
    uint64_t hash = e->kind * 31u + e->thread;

    hash = hash * 0x9e3779b97f4a7c15ULL ^ (uintptr_t)e->site;
    hash = hash * 0x9e3779b97f4a7c15ULL ^ (uintptr_t)e->text; /* kept once */
    if (e->kind == PROBE_CHOICE) {
        hash = hash * 0x9e3779b97f4a7c15ULL ^ e->a << 8 ^ e->b;
    }
    return hash;
}

static bool has_period(const uint64_t *hashes, unsigned n, unsigned period)
{
    for (unsigned i = period; i < n; i++) {
        if (hashes[i] != hashes[i - period]) {
            return false;
        }
    }
    return true;
}

/* The last @period events: who made steps, and who could have. */
static bool is_fair(const Observation *o, unsigned period)
{
    uint64_t count = event_store_count(o->events), ran = 0, could = 0;

    for (uint64_t n = count - period + 1; n <= count; n++) {
        ProbeEvent e = event_store_get(o->events, n);

        if (e.kind == PROBE_CHOICE) {
            /* Bit 0 is time, which passes when nobody can run. */
            could |= g_str_equal(e.text, choice_kind_names[CHOICE_THREAD])
                         ? e.c & ~1ULL : 0;
        } else if (e.thread < 64) {
            ran |= 1ULL << e.thread;
        }
    }
    return !(could & ~ran);
}

unsigned endless_period(const Observation *o)
{
    uint64_t count = event_store_count(o->events);
    unsigned n = MIN(count / 2, LOOKED_AT), period = 0;
    g_autofree uint64_t *hashes = g_new(uint64_t, n + 1);

    for (unsigned i = 0; i < n; i++) {
        ProbeEvent e = event_store_get(o->events, count - n + 1 + i);

        hashes[i] = event_hash(&e);
    }
    for (unsigned p = 1; p <= n / REPEATS && !period; p++) {
        period = has_period(hashes, n, p) ? p : 0;
    }
    return period && is_fair(o, period) ? period : 0;
}

/* ---- In words ---- */

static int compare_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "main: aio_poll, run", a line for each thread of the repeated piece. */
static GPtrArray *thread_lines(const Observation *o, unsigned period)
{
    uint64_t count = event_store_count(o->events);
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

    for (unsigned t = 0; t < o->model->threads->len; t++) {
        const ModelThread *thread = &g_array_index(o->model->threads,
                                                   ModelThread, t);
        GString *line = g_string_new(thread->name);
        GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);

        for (uint64_t n = count - period + 1; n <= count; n++) {
            ProbeEvent e = event_store_get(o->events, n);

            if (e.thread == thread->id && e.kind != PROBE_CHOICE && e.site &&
                g_hash_table_add(seen, (gpointer)e.site->func)) {
                g_string_append_printf(line, " %s", e.site->func);
            }
        }
        if (g_hash_table_size(seen)) {
            g_ptr_array_add(lines, g_string_free(line, false));
        } else {
            g_string_free(line, true);
        }
        g_hash_table_destroy(seen);
    }
    g_ptr_array_sort(lines, compare_text);
    return lines;
}

char *endless_signature(const Observation *o)
{
    unsigned period = endless_period(o);
    g_autoptr(GPtrArray) lines = NULL;
    GString *text;

    if (!period) {
        return g_strdup("endless");
    }
    text = g_string_new("livelock:");
    lines = thread_lines(o, period);
    for (unsigned i = 0; i < lines->len; i++) {
        g_string_append_printf(text, " %s;",
                               (char *)g_ptr_array_index(lines, i));
    }
    return g_string_free(text, false);
}

char *endless_report(const Observation *o, const char *scenario)
{
    unsigned period = endless_period(o);
    g_autoptr(GPtrArray) lines = thread_lines(o, MAX(period, 1));
    GString *text = g_string_new(NULL);

    g_string_append_printf(
        text, "LIVELOCK  the last %u events repeat for ever     %s, event %"
        PRIu64 "\n", period, scenario, event_store_count(o->events));
    for (unsigned i = 0; i < lines->len; i++) {
        g_string_append_printf(text, "  %s\n",
                               (char *)g_ptr_array_index(lines, i));
    }
    for (unsigned i = 0; i < o->model->threads->len; i++) {
        report_thread(text, o->model, &g_array_index(o->model->threads,
                                                     ModelThread, i));
    }
    return g_string_free(text, false);
}
