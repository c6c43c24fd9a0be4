/* SPDX-License-Identifier: MIT */
/*
 * aiolab diff, for people: what both runs do, where they part, what made them,
 * where each of them was then, and what became of each thread.
 */
#include "diff-print.h"

#include "report.h"

/* ---- What was run ---- */

static void print_facts(const DiffSide *sides)
{
    GList *names = diff_other_facts(sides);

    for (GList *l = names; l; l = l->next) {
        printf("They were run differently: %s is %s in A, %s in B\n",
               (char *)l->data, diff_side_fact(&sides[0], l->data),
               diff_side_fact(&sides[1], l->data));
    }
    g_list_free(names);
}

/* ---- Events ---- */

/* The one that the session is at. */
static void print_event(const Session *session, const char *letter)
{
    ProbeEvent e = session_event(session);
    const ModelThread *thread = model_thread(session->model, e.thread);
    g_autofree char *text = report_event(session->model, &e);
    g_autofree char *time = report_time(e.t_ns);

    printf("  %s %6" PRIu64 " %11s %-10s %s   at %s:%d (%s)\n", letter,
           session->position, time, thread ? thread->name : "?", text,
           e.site->file, e.site->line, e.site->func);
}

/* Those that come first where the runs have parted. */
static void print_next(const Diff *diff, unsigned which, const DiffSide *side,
                       unsigned max)
{
    for (unsigned i = 0; i < max; i++) {
        uint64_t n = diff_event(diff, which, diff->common + i);

        if (n) {
            session_goto(side->session, n);
            print_event(side->session, side->letter);
        } else if (i == 0) {
            printf("  %s        has no more: %s\n", side->letter,
                   diff_side_ending(side));
        }
    }
}

static void print_parting(const Diff *diff, const DiffSide *sides,
                          unsigned events)
{
    if (diff->same_threads) {
        puts("Each thread does the same in both; only the order between "
             "threads differs.");
    }
    if (diff->common) {
        printf("The first %" PRIu64 " events are the same, to\n", diff->common);
        session_goto(sides[0].session, diff_event(diff, 0, diff->common - 1));
        print_event(sides[0].session, " ");
        puts("then come");
    } else {
        puts("They differ from the first event on");
    }
    print_next(diff, 0, &sides[0], events);
    print_next(diff, 1, &sides[1], events);
}

/* ---- Inputs ---- */

static void print_input(const DiffSide *side, size_t n)
{
    if (n < side->n_inputs) {
        g_autofree char *text = diff_describe_input(side->session,
                                                    &side->inputs[n]);

        printf("  %s %6" PRIu64 " %s\n", side->letter, side->inputs[n].ticket,
               text);
    } else {
        printf("  %s        has no more\n", side->letter);
    }
}

/* What came in from outside, which everything else follows from. */
static void print_inputs(const Diff *diff, DiffSide *sides)
{
    size_t common;

    if (!diff_side_inputs(diff, sides, &common)) {
        return;
    }
    if (common == sides[0].n_inputs && common == sides[1].n_inputs) {
        printf("All %zu inputs are the same%s\n", common, diff->same_events
               ? "" : ": times, parameters or the code make the difference");
    } else {
        printf("The first input that differs comes behind %zu that are the "
               "same\n", common);
        print_input(&sides[0], common);
        print_input(&sides[1], common);
    }
}

/* ---- States ---- */

static void print_doing(const Diff *diff)
{
    Session *session = diff->run[0];
    GString *text = g_string_new("When they parted\n");

    session_goto(session, diff->common
                              ? diff_event(diff, 0, diff->common - 1) : 0);
    for (unsigned i = 0; i < session->model->threads->len; i++) {
        const ModelThread *t = &g_array_index(session->model->threads,
                                              ModelThread, i);

        if (t->frames->len) {
            report_thread(text, session->model, t);
        } else if (!t->exited) {
            g_string_append_printf(text, "  thread %s\n    runs code of its "
                                   "own\n", t->name);
        }
    }
    fputs(text->str, stdout);
    g_string_free(text, true);
}

static void print_states(const Diff *diff, unsigned events)
{
    g_autofree char *text = NULL;

    for (unsigned side = 0; side < 2; side++) {
        uint64_t n = diff_event(diff, side, diff->common + events - 1);

        session_goto(diff->run[side],
                     n ? n : session_count(diff->run[side]));
    }
    text = diff_describe_states(diff, 12);
    if (*text) {
        printf("%u events later\n%s", events, text);
    }
}

/* ---- Threads ---- */

static void print_thread(const Diff *diff, const DiffSide *sides,
                         const DiffThread *t)
{
    if (!t->id[0] || !t->id[1]) {
        printf("  %-10s only in %s\n", t->name, t->id[0] ? "A" : "B");
        return;
    }
    if (t->common == t->events[0]->len && t->common == t->events[1]->len) {
        printf("  %-10s does the same: %" PRIu64 " events\n", t->name,
               t->common);
        return;
    }
    printf("  %-10s does the same for %" PRIu64 " events, then\n", t->name,
           t->common);
    for (unsigned side = 0; side < 2; side++) {
        uint64_t n = diff_side_own_event(t, side);

        if (n) {
            session_goto(diff->run[side], n);
            print_event(diff->run[side], sides[side].letter);
        } else {
            printf("  %s        nothing more\n", sides[side].letter);
        }
    }
}

static void print_threads(const Diff *diff, const DiffSide *sides)
{
    puts("Thread by thread");
    for (unsigned i = 0; i < diff->threads->len; i++) {
        print_thread(diff, sides, g_ptr_array_index(diff->threads, i));
    }
}

/* ---- All of it ---- */

void diff_print_text(const Diff *diff, DiffSide *sides, unsigned events)
{
    printf("A is %s: %" PRIu64 " events, %s\nB is %s: %" PRIu64
           " events, %s\n", sides[0].name, session_count(sides[0].session),
           diff_side_ending(&sides[0]), sides[1].name,
           session_count(sides[1].session), diff_side_ending(&sides[1]));
    print_facts(sides);
    if (diff->same_events) {
        puts("All events are the same.");
        print_inputs(diff, sides);
        return;
    }
    print_parting(diff, sides, events);
    print_inputs(diff, sides);
    print_doing(diff);
    print_states(diff, events);
    print_threads(diff, sides);
}
