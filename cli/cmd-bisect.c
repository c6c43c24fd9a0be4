/* SPDX-License-Identifier: MIT */
/*
 * aiolab bisect-divergence: which event is it that a replay does differently?
 *
 * A log holds digests, so a divergence is known to the turn, not to the event.
 * Two questions narrow it down.  Do two replays agree with each other?  If not,
 * the first event that differs between them is the answer: an address, the
 * time or memory that nobody initialised decides there.  If they do, it was
 * the recording that saw what no input covers, and what the thread did since
 * its last equal digest is all that can differ.
 */
#include "cli.h"

#include "diff.h"
#include "input-text.h"
#include "replay-explicit.h"
#include "replayer.h"
#include "report.h"
#include "run.h"

enum { SHOWN = 24 };

typedef struct Bisect {
    Log *log;
    ScenarioSpec *spec;
    Input *inputs;
    size_t n;
    Session *first, *second;
} Bisect;

/* ---- What is known from the inputs ---- */

static bool is_digest(const Input *in)
{
    return in->kind == INPUT_TURN || in->kind == INPUT_THREAD_END ||
           in->kind == INPUT_END;
}

static const Input *expected(const Bisect *b)
{
    return &b->inputs[MIN(b->first->a, b->n - 1)];
}

/* The last input of that operation before the divergence, or 0. */
static uint64_t same_before(const Bisect *b)
{
    const Input *want = expected(b);

    for (size_t i = MIN(b->first->a, b->n); i-- > 0;) {
        const Input *in = &b->inputs[i];

        if (in->kind == want->kind && in->obj == want->obj &&
            in->thread == want->thread) {
            return i + 1;
        }
    }
    return 0;
}

/* How many turns of the thread had an equal digest, and at which input. */
static unsigned agreed_turns(const Bisect *b, uint32_t thread, size_t *at)
{
    unsigned turns = 0;

    *at = 0;
    for (size_t i = 0; i < MIN(b->first->a, b->n); i++) {
        if (b->inputs[i].thread == thread && is_digest(&b->inputs[i])) {
            turns++;
            *at = i + 1;
        }
    }
    return turns;
}

/* ---- The replays among themselves ---- */

static void print_event(const CommonOptions *common, Session *session,
                        uint64_t n, const char *what)
{
    ProbeEvent event;
    g_autofree char *line = NULL;

    session_goto(session, n);
    event = session_event(session);
    line = report_event(session->model, &event);
    cli_print(common, "  %sevent %" PRIu64 ": %s\n    at %s:%d (%s)\n", what, n,
              line, event.site->file, event.site->line, event.site->func);
}

/* True if they differ; then it has said where. */
static bool replays_differ(Bisect *b, const CommonOptions *common)
{
    Diff *diff = diff_new(b->first, b->second);
    bool differ = !diff->same_events;

    if (differ) {
        uint64_t one = diff_event(diff, 0, diff->common);
        uint64_t other = diff_event(diff, 1, diff->common);

        cli_print(common, "Two replays of this log differ from each other, "
                  "first here:\n");
        if (one) {
            print_event(common, b->first, one, "one    ");
        }
        if (other) {
            print_event(common, b->second, other, "other  ");
        }
        cli_print(common, "So an address, the real time, or memory that was not "
                  "initialised decides in this program.\n");
    }
    diff_free(diff);
    return differ;
}

/* ---- What the thread did since ---- */

/* The event after the thread's last turn that agreed, or 1. */
static uint64_t window_begin(const Session *session, uint32_t thread,
                             unsigned turns)
{
    uint64_t n = 1;

    for (; turns && n <= session_count(session); n++) {
        ProbeEvent event = event_store_get(session->events, n);

        turns -= event.thread == thread && event.kind == PROBE_POLL_END;
    }
    return n;
}

static void print_window(Bisect *b, const CommonOptions *common,
                         uint32_t thread, uint64_t begin)
{
    unsigned shown = 0, more = 0;

    for (uint64_t n = begin; n <= session_count(b->first); n++) {
        ProbeEvent event = event_store_get(b->first->events, n);

        if (event.thread != thread) {
            continue;
        }
        if (shown < SHOWN) {
            print_event(common, b->first, n, "");
            shown++;
        } else {
            more++;
        }
    }
    if (more) {
        cli_print(common, "  ... and %u more\n", more);
    }
}

/* Who else ran between these two inputs, and so may have changed something. */
static void print_others(const Bisect *b, const CommonOptions *common,
                         uint32_t thread, size_t begin)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(NULL, NULL);
    GHashTableIter iter;
    gpointer id, count;

    for (size_t i = begin; i < MIN(b->first->a, b->n); i++) {
        gpointer key = GUINT_TO_POINTER(b->inputs[i].thread);

        g_hash_table_insert(counts, key, GUINT_TO_POINTER(
            GPOINTER_TO_UINT(g_hash_table_lookup(counts, key)) + 1));
    }
    g_hash_table_remove(counts, GUINT_TO_POINTER(thread));
    if (!g_hash_table_size(counts)) {
        cli_print(common, "No other thread took an input meanwhile.\n");
        return;
    }
    cli_print(common, "Meanwhile ran, and may have written what it read:");
    g_hash_table_iter_init(&iter, counts);
    while (g_hash_table_iter_next(&iter, &id, &count)) {
        ModelThread *t = model_thread(b->first->model, GPOINTER_TO_UINT(id));

        cli_print(common, " %s (%u inputs)", t ? t->name : "?",
                  GPOINTER_TO_UINT(count));
    }
    cli_print(common, "\n");
}

static void print_report(Bisect *b, const CommonOptions *common)
{
    uint32_t thread = expected(b)->thread;
    size_t at;
    unsigned turns = agreed_turns(b, thread, &at);
    ModelThread *t = model_thread(b->first->model, thread);

    cli_print(common, "%s\n", b->second->text);
    if (replays_differ(b, common)) {
        return;
    }
    cli_print(common, "Two replays agree with each other, so it was the "
              "recording that saw something\nelse.  All that %s did since its "
              "last equal digest (input %zu):\n", t ? t->name : "the thread",
              at);
    print_window(b, common, thread, window_begin(b->first, thread, turns));
    print_others(b, common, thread, at);
    cli_print(common, "AIO_REC_ASSERT(x) between these events, and another "
              "recording, narrow it down\nfurther: the first one whose value "
              "differs ends the replay.\n");
}

/* ---- The command ---- */

static bool open_both(Bisect *b, Error **errp)
{
    b->first = session_open_log(b->log, b->spec, errp);
    if (!b->first || b->first->end != SESSION_DIVERGED) {
        return b->first != NULL;
    }
    b->inputs = log_inputs(b->log, &b->n, errp);
    if (!b->inputs) {
        return false;
    }
    replay_watched_input = same_before(b);
    b->second = session_open_log(b->log, b->spec, errp);
    return b->second != NULL;
}

static int bisect(Bisect *b, const CommonOptions *common)
{
    Error *err = NULL;

    if (!open_both(b, &err)) {
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    if (b->first->end == SESSION_BAD_LOG) {
        cli_error("%s", b->first->text);
        return STATUS_BAD_INPUT;
    }
    if (b->first->end != SESSION_DIVERGED) {
        cli_print(common, "%s: the replay does not diverge\n", b->first->title);
        return STATUS_OK;
    }
    if (b->second->end != SESSION_DIVERGED) {
        cli_print(common, "%s\nThe second replay did not diverge: chance "
                  "decides in this program.\n", b->first->text);
    } else {
        print_report(b, common);
    }
    return STATUS_DIVERGED;
}

int cmd_bisect(int argc, char **argv)
{
    static CommonOptions common;
    int status = cli_parse(&argc, &argv, "LOG",
                           "Replays a log that diverges twice, and narrows the "
                           "cause down.\n"
                           "Exit status: 4 it diverges, 0 it does not.", NULL,
                           &common);
    Bisect b = {.n = 0};
    Error *err = NULL;

    if (status >= 0) {
        return status;
    }
    if (argc != 2) {
        cli_error("bisect-divergence needs one log; see --help");
        return STATUS_USAGE;
    }
    if (!cli_open_output(&common, argv[1])) {
        return STATUS_BAD_INPUT;
    }
    b.log = log_open(argv[1], &err);
    if (b.log && log_is_explicit(b.log)) {
        error_setg(&err, "%s: holds explicit calls only (--capture=explicit); "
                   "'aiolab replay' says where they were not enough", argv[1]);
    } else if (b.log) {
        b.spec = run_spec_from_log(b.log, &err);
    }
    if (b.spec) {
        cli_progress_start(&common);
        status = bisect(&b, &common);
        cli_progress_stop();
        scenario_spec_free(b.spec);
    } else {
        status = cli_fail(err, STATUS_BAD_INPUT);
    }
    session_free(b.first);
    session_free(b.second);
    g_free(b.inputs);
    log_close(b.log, NULL);
    return status;
}
