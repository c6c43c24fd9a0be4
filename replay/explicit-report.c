/* SPDX-License-Identifier: MIT */
/* Why a run could not be repeated from its explicit calls, in words. */
#include "explicit-report.h"

#include "input-text.h"
#include "machine.h"

static struct {
    GHashTable *names; /* of bottom halves: id -> their function */
    uint8_t undecided[THREAD_NUMBERS]; /* the last such event of each */
    ProbeEvent last;
} seen;

/* ---- Events ---- */

/*
 * What has decided something in a thread, and is in no log of explicit calls.
 * The first row is for a thread in which nothing was seen to.
 */
static const struct {
    ProbeKind event;
    const char *what;
} undecided[] = {
    {PROBE_KIND_MAX, "the order in which the threads ran"},
    {PROBE_CQE, "the order in which completions were taken"},
    {PROBE_LAIO_EVENT, "the order in which completions were taken"},
    {PROBE_BH_SLICE, "which bottom halves each turn of a loop took"},
    {PROBE_FD_BEGIN, "which descriptors each wait found ready"},
    {PROBE_LOCK, "the order in which threads got the locks"},
    {PROBE_TIMER_BEGIN, "when each loop came to look at its timers"},
};

static void note_undecided(const ProbeEvent *event)
{
    for (unsigned i = 1; i < ARRAY_SIZE(undecided); i++) {
        /* A lock tells little where anything else was seen. */
        if (event->kind == undecided[i].event &&
            (event->kind != PROBE_LOCK || !seen.undecided[event->thread])) {
            seen.undecided[event->thread] = i;
        }
    }
}

void explicit_report_begin(void)
{
    memset(&seen, 0, sizeof(seen));
    seen.names = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                       g_free);
}

void explicit_report_end(void)
{
    g_hash_table_destroy(seen.names);
}

void explicit_report_see(const ProbeEvent *event)
{
    if (event->kind != PROBE_CHOICE) {
        seen.last = *event;
    }
    if (event->thread < THREAD_NUMBERS) {
        note_undecided(event);
    }
    if (event->kind == PROBE_BH_NEW && event->text) {
        g_hash_table_insert(seen.names,
                            g_memdup2(&event->obj, sizeof(uint64_t)),
                            g_strdup(event->text));
    }
}

/* ---- Words ---- */

char *explicit_text(InputKind kind, uint64_t obj)
{
    static const char *const clocks[QEMU_CLOCK_MAX] = {
        "realtime", "virtual", "host", "virtual_rt",
    };
    g_autofree char *id = object_text(obj);
    const char *name = g_hash_table_lookup(seen.names, &obj);

    switch (kind) {
    case INPUT_CLOCK:
        return g_strdup_printf("a look at the clock %s",
                               obj < QEMU_CLOCK_MAX ? clocks[obj] : id);
    case INPUT_REPLAY_BH:
        return g_strdup_printf("replay_bh_schedule_event(%s, bh %s)",
                               name ? name : "?", id);
    case INPUT_REPLAY_ONESHOT:
        return g_strdup_printf("replay_bh_schedule_oneshot_event(ctx %s)", id);
    case INPUT_THREAD_END:
        return g_strdup("the end of the thread");
    case INPUT_END:
        return g_strdup("the end of the run");
    default:
        return g_strdup_printf("%s %s", input_table[kind].name, id);
    }
}

static char *input_with_thread(const Input *in)
{
    VThread *thread = machine_thread_by_id(in->thread);
    g_autofree char *what = explicit_text(in->kind, in->obj);

    return thread ? g_strdup_printf("%s: %s", thread->name, what)
                  : g_strdup_printf("thread %u: %s", in->thread, what);
}

char *explicit_report(const ExplicitReport *r)
{
    g_autofree char *want = r->expected ? input_with_thread(r->expected)
                                        : g_strdup(r->want);
    g_autofree char *last = r->last ? input_with_thread(r->last)
                                    : g_strdup("none");
    uint32_t id = host_self()->id;
    GString *text = g_string_new(NULL);

    g_string_append_printf(
        text,
        "DIVERGENCE at input %" PRIu64 " of %zu, event %" PRIu64 "   log: %s "
        "(--capture=explicit)\n"
        "  expected        %s\n"
        "  got             %s%s%s\n"
        "  agreed before   %" PRIu64 " explicit calls, %" PRIu64 " looks at "
        "clocks\n"
        "  last agreement  %s\n",
        r->at, r->n, r->events, r->path, want, r->who ? r->who : "",
        r->who ? ": " : "", r->got, r->calls, r->clocks, last);
    if (seen.last.site) {
        g_string_append_printf(
            text, "  last event      %s at %s:%d (%s)\n",
            probe_table[seen.last.kind].name, seen.last.site->file,
            seen.last.site->line, seen.last.site->func);
    }
    g_string_append_printf(
        text, "  hint            %s is not in the log: QEMU's calls say what "
        "was scheduled, not why then\n",
        undecided[id < THREAD_NUMBERS ? seen.undecided[id] : 0].what);
    return g_string_free(text, false);
}
