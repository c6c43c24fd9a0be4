/* SPDX-License-Identifier: MIT */
/*
 * The report of a divergence: what the log says, what came instead and from
 * where, and how far back everything agreed.
 *
 * A digest that differs does not say which event does.  It is one of those
 * that the thread has made since its last equal digest, so these are listed;
 * "aiolab bisect-divergence" looks further.
 */
#include "input-text.h"
#include "replay-internal.h"
#include "stacks.h"

enum { SHOWN_EVENTS = 8 };

static const char *thread_name(uint32_t id)
{
    VThread *thread = replay_thread(id);

    return thread ? thread->name : "a thread that does not exist";
}

static void add_chain(GString *text, GPtrArray *frames)
{
    for (unsigned i = 0; i < frames->len; i++) {
        g_string_append_printf(text, "                    %s %s\n",
                               i ? "by" : "in",
                               (char *)g_ptr_array_index(frames, i));
    }
}

static void add_expected(GString *text)
{
    const Input *in = &rp.inputs[MIN(rp.at, rp.n - 1)];
    g_autofree char *want = rp.at < rp.n ? input_text(in)
                                         : g_strdup("the end of the log");

    g_string_append_printf(text, "  expected        %s: %s\n",
                           thread_name(in->thread), want);
    if (rp.watched) {
        g_string_append_printf(text, "                    as before, at input %"
                               PRIu64 ",\n", replay_watched_input);
        add_chain(text, rp.watched);
    }
}

static void add_got(GString *text, const char *got)
{
    GPtrArray *frames = stacks_call_chain(REPLAY_CHAIN);

    g_string_append_printf(text, "  got             %s: %s\n",
                           host_self()->name, got);
    add_chain(text, frames);
    g_ptr_array_free(frames, true);
}

static void add_agreed(GString *text)
{
    const Input *last = rp.at ? &rp.inputs[rp.at - 1] : NULL;
    g_autofree char *what = last ? input_text(last) : g_strdup("nothing");
    const Agreed *own = &rp.agreed[host_self()->id];

    g_string_append_printf(text, "  last agreement  input %zu: %s%s%s\n", rp.at,
                           last ? thread_name(last->thread) : "",
                           last ? ": " : "", what);
    g_string_append_printf(text, "  state digests   %" PRIu64 " were equal; the "
                           "last of %s at input %" PRIu64 ", event %" PRIu64
                           "\n", rp.result.digests, host_self()->name,
                           own->input, own->event);
}

/* The events of this thread that no equal digest covers, newest first. */
static void add_events(GString *text)
{
    uint64_t end = rp.result.events;
    uint64_t begin = MAX(rp.agreed[host_self()->id].event,
                         end > REPLAY_LAST_EVENTS ? end - REPLAY_LAST_EVENTS
                                                  : 0);
    unsigned shown = 0;

    for (uint64_t n = end; n > begin && shown < SHOWN_EVENTS; n--) {
        const ProbeEvent *e = &rp.last_events[(n - 1) % REPLAY_LAST_EVENTS];
        g_autofree char *object = object_text(e->obj);

        if (e->thread != host_self()->id) {
            continue;
        }
        g_string_append_printf(text, "  %-15s event %" PRIu64 ": %s %s %" PRId64
                               " at %s:%d (%s)\n",
                               shown++ ? "" : "events since", n,
                               probe_table[e->kind].name, object, e->a,
                               e->site->file, e->site->line, e->site->func);
    }
}

static const char *usual_cause(void)
{
    bool threads = false;

    for (size_t i = 0; i < rp.at && !threads; i++) {
        threads = rp.inputs[i].thread != 1;
    }
    return rp.simulated || !threads
               ? "state that no input covers decided here, or the code is "
                 "another version"
               : "state that no input covers decided here: most likely a word "
                 "that threads share without a lock or qatomic_*(); or the "
                 "code is another version";
}

void replay_diverge(const char *got, const char *why)
{
    GString *text = g_string_new(NULL);
    g_autofree char *name = g_path_get_basename(log_path(rp.log));

    g_string_append_printf(text, "DIVERGENCE at input %zu of %zu (%s, turn %u), "
                           "event %" PRIu64 "   log: %s\n", rp.at + 1, rp.n,
                           host_self()->name,
                           rp.agreed[host_self()->id].turns + 1,
                           rp.result.events, log_path(rp.log));
    add_expected(text);
    add_got(text, got);
    add_agreed(text);
    add_events(text);
    g_string_append_printf(text, "  hint            %s\n"
                           "  look            aiolab bisect-divergence %s\n",
                           why ? why : usual_cause(), name);
    rp.result.report = g_string_free(text, false);
    replay_stop(REPLAY_DIVERGED);
}

void replay_diverge_at_last(const char *got, const char *why)
{
    replay_step_back();
    replay_diverge(got, why);
}

void replay_compare_digest(uint64_t recorded, const char *where)
{
    HostThread *self = host_self();

    if (recorded != probe_digest()) {
        g_autofree char *got = g_strdup_printf("%s, with digest %016" PRIx64,
                                               where, probe_digest());

        replay_diverge_at_last(got, NULL);
    }
    rp.result.digests++;
    rp.agreed[self->id].input = rp.at;
    rp.agreed[self->id].event = rp.result.events;
}
