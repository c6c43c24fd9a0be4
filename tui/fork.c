/* SPDX-License-Identifier: MIT */
/*
 * Another option from here: the same run again up to a choice, with another
 * answer there and the default policy from then on.  The run before is kept,
 * at its position, to go back to.
 */
#include "app-internal.h"

static uint64_t choice_event(const View *view, unsigned i)
{
    return g_array_index(view->choices, uint64_t, i);
}

/* Is the position at a choice?  If not, says so. */
static bool at_choice(App *app)
{
    const View *view = &app->view;
    int i = view_choice(view);

    if (i >= 0 && choice_event(view, i) == view->session->position) {
        return true;
    }
    app_say(app, view->choices->len
            ? "no choice is made at this event; o lists those that are"
            : "nothing was left to choice in this run");
    return false;
}

void app_next_choice(App *app, bool back)
{
    const View *view = &app->view;
    int i = view_choice(view);
    bool at = i >= 0 && choice_event(view, i) == view->session->position;

    i += back ? (at ? -1 : 0) : 1;
    app_move_to(app, i >= 0 && i < (int)view->choices->len
                         ? choice_event(view, i) : 0,
                "there are no more choices that way");
}

/* ---- Forking ---- */

/* What was answered before the position, and @option there. */
static GArray *answers(const View *view, unsigned option)
{
    GArray *picks = g_array_new(false, false, sizeof(unsigned));

    for (int i = 0; i < view_choice(view); i++) {
        unsigned taken = event_store_get(view->session->events,
                                         choice_event(view, i)).b;

        g_array_append_val(picks, taken);
    }
    g_array_append_val(picks, option);
    return picks;
}

static const char *how_it_ends(const Session *session)
{
    switch (session->end) {
    case SESSION_STUCK:
        return "in a deadlock";
    case SESSION_FAILED:
        return "with a failed check";
    case SESSION_CRASHED:
        return "in a crash";
    case SESSION_DONE:
        return "well";
    default:
        return "too early";
    }
}

static void take(App *app, uint64_t option)
{
    View *view = &app->view;
    ProbeEvent choice = session_event(view->session);
    uint64_t at = view->session->position;
    g_autofree char *text = NULL;
    Session *session;
    Error *err = NULL;
    GArray *picks;

    if (option >= choice.a || option == choice.b) {
        app_say(app, "another option is a number from 0 to %" PRIu64
                ", but not %" PRIu64, choice.a - 1, choice.b);
        return;
    }
    picks = answers(view, option);
    session = app->source->fork(app->source->opaque,
                                (const unsigned *)picks->data, picks->len,
                                &err);
    g_array_free(picks, true);
    if (!session) {
        app_say(app, "%s", error_get_pretty(err));
        error_free(err);
        return;
    }
    text = choice_option_text(view->session->model, &choice, option);
    session_goto(session, at);
    g_ptr_array_add(app->former, view->session);
    app_show_session(app, session);
    app->redraw = true; /* the run may have printed something */
    app_say(app, "taken: %s; this run ends %s; X goes back to the one before",
            text, how_it_ends(session));
}

static char *list_options(const Model *model, const ProbeEvent *choice)
{
    GString *text = g_string_new("take option (");

    for (unsigned i = 0; i < choice->a; i++) {
        g_autofree char *option = choice_option_text(model, choice, i);

        if (i != choice->b) {
            g_string_append_printf(text, "%u %s, ", i, option);
        }
    }
    g_string_truncate(text, text->len - 2);
    g_string_append_c(text, ')');
    return g_string_free(text, false);
}

static void go_back(App *app)
{
    Session *here = app->view.session;

    if (!app->former->len) {
        app_say(app, "this is the first run; x at a choice takes another "
                "option");
        return;
    }
    app_show_session(app, g_ptr_array_steal_index(app->former,
                                                  app->former->len - 1));
    session_free(here);
}

void app_fork(App *app, bool back)
{
    const View *view = &app->view;
    ProbeEvent choice;

    if (back) {
        go_back(app);
    } else if (!app->source || !app->source->fork) {
        app_say(app, "what was recorded has no other options; open its "
                "scenario to try them");
    } else if (at_choice(app)) {
        choice = session_event(view->session);
        if (choice.a == 2) {
            take(app, 1 - choice.b);
        } else {
            app_ask(app, list_options(view->session->model, &choice), take);
        }
    }
}

/* ---- Chances ---- */

void app_fetch_chances(App *app)
{
    View *view = &app->view;
    Error *err = NULL;

    if (view->finding) {
        app_say(app, "Time and Choices show the chances of the first run");
    } else if (!app->source || !app->source->explain) {
        app_say(app, "only a schedule that 'aiolab explore' has printed has "
                "chances");
    } else {
        app->explained = app->source->explain(app->source->opaque, &err);
        view->finding = app->explained;
        app_say(app, "%s", err ? error_get_pretty(err)
                : "Time and Choices show how many of 100 random continuations "
                  "fail");
        error_free(err);
    }
}
