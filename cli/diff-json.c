/* SPDX-License-Identifier: MIT */
/* aiolab diff, for programs: one JSON object. */
#include "diff-print.h"

#include "cli.h"
#include "report.h"

static void print_facts(const DiffSide *sides, JsonBuilder *b)
{
    GList *names = diff_other_facts(sides);

    json_builder_set_member_name(b, "run_differently");
    json_builder_begin_array(b);
    for (GList *l = names; l; l = l->next) {
        json_builder_begin_object(b);
        cli_json_string(b, "what", l->data);
        cli_json_string(b, "a", diff_side_fact(&sides[0], l->data));
        cli_json_string(b, "b", diff_side_fact(&sides[1], l->data));
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    g_list_free(names);
}

/* ---- The runs, and their events ---- */

/* The one that the session is at. */
static void print_event(const Session *session, JsonBuilder *b)
{
    ProbeEvent e = session_event(session);
    const ModelThread *thread = model_thread(session->model, e.thread);
    g_autofree char *text = report_event(session->model, &e);

    json_builder_begin_object(b);
    cli_json_int(b, "event", session->position);
    cli_json_string(b, "thread", thread ? thread->name : NULL);
    cli_json_string(b, "kind", probe_table[e.kind].name);
    cli_json_string(b, "text", text);
    cli_json_string(b, "function", e.site->func);
    cli_json_string(b, "file", e.site->file);
    cli_json_int(b, "line", e.site->line);
    json_builder_end_object(b);
}

/* Those that come first where the runs have parted. */
static void print_next(const Diff *diff, unsigned which, const DiffSide *side,
                       unsigned max, JsonBuilder *b)
{
    json_builder_set_member_name(b, "next");
    json_builder_begin_array(b);
    for (unsigned i = 0; !diff->same_events && i < max; i++) {
        uint64_t n = diff_event(diff, which, diff->common + i);

        if (n) {
            session_goto(side->session, n);
            print_event(side->session, b);
        }
    }
    json_builder_end_array(b);
}

static void print_side(const Diff *diff, unsigned which, const DiffSide *side,
                       unsigned events, JsonBuilder *b)
{
    json_builder_set_member_name(b, which ? "b" : "a");
    json_builder_begin_object(b);
    cli_json_string(b, "run", side->name);
    cli_json_int(b, "events", session_count(side->session));
    cli_json_string(b, "ending", diff_side_ending(side));
    print_next(diff, which, side, events, b);
    json_builder_end_object(b);
}

/* ---- Threads ---- */

static void print_thread(const DiffThread *t, JsonBuilder *b)
{
    json_builder_begin_object(b);
    cli_json_string(b, "thread", t->name);
    cli_json_int(b, "common", t->common);
    cli_json_int(b, "events_a", t->events[0]->len);
    cli_json_int(b, "events_b", t->events[1]->len);
    cli_json_int(b, "parts_at_a", diff_side_own_event(t, 0));
    cli_json_int(b, "parts_at_b", diff_side_own_event(t, 1));
    json_builder_end_object(b);
}

static void print_threads(const Diff *diff, JsonBuilder *b)
{
    json_builder_set_member_name(b, "threads");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < diff->threads->len; i++) {
        print_thread(g_ptr_array_index(diff->threads, i), b);
    }
    json_builder_end_array(b);
}

/* ---- Inputs ---- */

static void print_inputs(const Diff *diff, DiffSide *sides, JsonBuilder *b)
{
    size_t common;

    if (!diff_side_inputs(diff, sides, &common)) {
        return;
    }
    json_builder_set_member_name(b, "inputs");
    json_builder_begin_object(b);
    cli_json_int(b, "common", common);
    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *text = common < sides[i].n_inputs
            ? diff_describe_input(sides[i].session, &sides[i].inputs[common])
            : NULL;

        cli_json_string(b, i ? "b" : "a", text);
    }
    json_builder_end_object(b);
}

/* ---- All of it ---- */

void diff_print_json(const Diff *diff, DiffSide *sides, unsigned events,
                     bool identical)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    cli_json_bool(b, "identical", identical);
    cli_json_int(b, "common", diff->common);
    cli_json_bool(b, "only_order", diff->same_threads && !diff->same_events);
    print_side(diff, 0, &sides[0], events, b);
    print_side(diff, 1, &sides[1], events, b);
    print_facts(sides, b);
    print_threads(diff, b);
    print_inputs(diff, sides, b);
    json_builder_end_object(b);
    cli_print_json(b);
}
