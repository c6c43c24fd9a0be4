/* SPDX-License-Identifier: MIT */
/*
 * aiolab verify: is a log whole?
 *
 * What it does by itself reads the log and runs nothing of it.  A replay runs
 * the recorded program, which may be a stranger's, so it is asked for.
 */
#include "cli.h"

#include "log-events.h"
#include "run.h"
#include "session.h"
#include "store.h"

typedef struct Verify {
    CommonOptions common;
    gboolean replay, twice;
    const char *path;
    Log *log;
    size_t inputs;
    uint64_t records; /* of a captured trace */
    uint64_t gaps; /* tickets of killed threads */
    uint64_t digests, events; /* compared by the replay */
} Verify;

/* ---- Without running it ---- */

static bool refers_to_content(const Input *in, bool full)
{
    return in->kind == INPUT_FILE_OPEN || in->kind == INPUT_PREIMAGE ||
           (full && (in->kind == INPUT_CQE_DATA ||
                     in->kind == INPUT_FILE_IO_DATA));
}

/* Each content that inputs refer to must be there and be itself. */
static bool check_contents(Log *log, const Input *inputs, size_t n,
                           Error **errp)
{
    bool full = g_strcmp0(log_meta(log, "data"), "hash") != 0;
    GHashTable *seen = g_hash_table_new(NULL, NULL);
    bool ok = true;

    for (size_t i = 0; i < n && ok; i++) {
        size_t len;

        if (refers_to_content(&inputs[i], full) &&
            g_hash_table_add(seen, GSIZE_TO_POINTER(inputs[i].b))) {
            g_autofree void *data = log_payload(log, inputs[i].b, &len);

            ok = data != NULL;
            if (!ok) {
                error_setg(errp, "%s: damaged log (the data of input %" PRIu64
                           " is missing or changed); restore it from a copy, "
                           "or record again", log_path(log), inputs[i].ticket);
            }
        }
    }
    g_hash_table_destroy(seen);
    return ok;
}

/* Of a captured trace: each chunk of its records... */
static bool check_records(Log *log, uint64_t *n, Error **errp)
{
    TraceReader *reader = trace_reader_open(log, errp);
    TraceRecord record;
    Error *err = NULL;

    while (reader && trace_reader_next(reader, &record, &err)) {
        (*n)++;
    }
    trace_reader_free(reader);
    error_propagate(errp, err);
    return reader && !err;
}

/* ...and of its events, if it has any. */
static bool check_events(Log *log, Error **errp)
{
    Session *session = log_has_events(log) ? session_open_events(log, errp)
                                           : NULL;
    bool ok = session || !log_has_events(log);

    session_free(session);
    return ok;
}

static bool check_log(Verify *v, Error **errp)
{
    g_autofree Input *inputs = NULL;

    if (trace_log_is_only(v->log)) {
        return log_check_structure(v->log, errp) &&
               check_records(v->log, &v->records, errp) &&
               check_events(v->log, errp);
    }
    if (!log_check_structure(v->log, errp) ||
        !(inputs = log_inputs(v->log, &v->inputs, errp)) ||
        !check_contents(v->log, inputs, v->inputs, errp)) {
        return false;
    }
    v->gaps = inputs[v->inputs - 1].ticket - inputs[0].ticket + 1 - v->inputs;
    return true;
}

/* ---- By running it ---- */

static bool same_event(const ProbeEvent *x, const ProbeEvent *y)
{
    return x->kind == y->kind && x->thread == y->thread &&
           x->t_ns == y->t_ns && x->obj == y->obj && x->a == y->a &&
           x->b == y->b && x->c == y->c && x->site == y->site &&
           g_strcmp0(x->text, y->text) == 0;
}

static bool same_events(const Session *first, const Session *second,
                        Error **errp)
{
    uint64_t n = session_count(first), m = session_count(second);

    for (uint64_t seq = 1; seq <= MIN(n, m); seq++) {
        ProbeEvent x = event_store_get(first->events, seq);
        ProbeEvent y = event_store_get(second->events, seq);

        if (!same_event(&x, &y)) {
            error_setg(errp, "%s: two replays differ at event %" PRIu64,
                       first->title, seq);
            return false;
        }
    }
    if (n != m) {
        error_setg(errp, "%s: one replay has %" PRIu64 " events, another %"
                   PRIu64, first->title, n, m);
    }
    return n == m;
}

/* It says what is wrong. */
static int judge(const Session *session)
{
    switch (session->end) {
    case SESSION_DIVERGED:
        fputs(session->text, stderr);
        return STATUS_DIVERGED;
    case SESSION_BAD_LOG:
        cli_error("%s", session->text);
        return STATUS_BAD_INPUT;
    case SESSION_CRASHED:
        cli_error("%s: the replay was killed by signal %d after event %" PRIu64,
                  session->title, (int)session->a, session_count(session));
        return session_exit_status(session);
    default: /* however the run ended: it did so again */
        return STATUS_OK;
    }
}

static int replay(Verify *v)
{
    Error *err = NULL;
    ScenarioSpec *spec = run_spec_from_log(v->log, &err);
    Session *first = spec ? session_open_log(v->log, spec, &err) : NULL;
    Session *second = NULL;
    int status = first ? judge(first) : cli_fail(err, STATUS_BAD_INPUT);

    if (status == STATUS_OK && v->twice) {
        second = session_open_log(v->log, spec, &err);
        if (!second || !same_events(first, second, &err)) {
            status = cli_fail(err, second ? STATUS_DIVERGED : STATUS_MACHINE);
        }
    }
    if (status == STATUS_OK) {
        v->digests = first->b;
        v->events = session_count(first);
    }
    session_free(second); /* its processes know the first one's sockets */
    session_free(first);
    scenario_spec_free(spec);
    return status;
}

/* ---- What it says ---- */

static void print_json(const Verify *v)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    cli_json_string(b, "log", v->path);
    cli_json_bool(b, "ok", true);
    cli_json_string(b, "state", log_meta(v->log, "state"));
    cli_json_int(b, "version", LOG_VERSION);
    cli_json_string(b, "quirks", log_meta(v->log, "quirks"));
    cli_json_int(b, "inputs", v->inputs);
    cli_json_int(b, "records", v->records);
    cli_json_int(b, "let_go", log_inputs_let_go(v->log));
    cli_json_int(b, "gaps", v->gaps);
    cli_json_int(b, "recovered", log_meta_int(v->log, "recovered", 0));
    cli_json_int(b, "stalls", log_meta_int(v->log, "stalls", 0));
    cli_json_int(b, "bytes", log_size(v->log));
    cli_json_bool(b, "replayed", v->replay);
    cli_json_int(b, "digests", v->digests);
    cli_json_int(b, "events", v->events);
    json_builder_end_object(b);
    cli_print_json(b);
}

static void print_text(const Verify *v)
{
    const char *state = log_meta(v->log, "state");

    if (trace_log_is_only(v->log)) {
        cli_print(&v->common, "%s: whole, %" PRIu64 " records, %" PRId64
                  " events, complete\n", v->path, v->records,
                  log_meta_int(v->log, "events", 0));
        return;
    }
    cli_print(&v->common, "%s: whole, %zu inputs, %s", v->path, v->inputs,
              g_strcmp0(state, "complete") ? "its recorder did not end"
              : log_inputs_let_go(v->log)  ? "the last of a longer run"
                                           : "complete");
    if (v->replay) {
        cli_print(&v->common, "; identical, %" PRIu64 " state digests%s",
                  v->digests, v->twice ? ", and twice the same events" : "");
    }
    cli_print(&v->common, "\n");
}

static int verify(Verify *v)
{
    Error *err = NULL;
    int status = STATUS_OK;

    v->log = log_open(v->path, &err);
    if (!v->log || !check_log(v, &err)) {
        status = cli_fail(err, STATUS_BAD_INPUT);
    } else if (v->replay && trace_log_is_only(v->log)) {
        cli_error("%s: a captured trace has no inputs to replay; verify it "
                  "without --replay", v->path);
        status = STATUS_USAGE;
    } else if (v->replay) {
        status = replay(v);
    }
    if (status == STATUS_OK && v->common.json) {
        print_json(v);
    } else if (status == STATUS_OK) {
        print_text(v);
    }
    log_close(v->log, NULL);
    return status;
}

int cmd_verify(int argc, char **argv)
{
    static Verify v;
    const GOptionEntry entries[] = {
        {"replay", 0, 0, G_OPTION_ARG_NONE, &v.replay,
         "also run it again, and compare all state digests", NULL},
        {"twice", 0, 0, G_OPTION_ARG_NONE, &v.twice,
         "run it twice, and compare all events as well", NULL},
        {NULL}};
    int status = cli_parse(&argc, &argv, "LOG",
                           "Checks a log's structure, checksums, numbering, "
                           "data and version; runs nothing of it.\n"
                           "Exit status: 0 whole, 3 damaged, 4 another run.",
                           entries, &v.common);

    if (status >= 0) {
        return status;
    }
    if (argc != 2) {
        cli_error("verify needs one log; see --help");
        return STATUS_USAGE;
    }
    if (!cli_open_output(&v.common, argv[1])) {
        return STATUS_BAD_INPUT;
    }
    v.path = argv[1];
    v.replay |= v.twice;
    return verify(&v);
}
