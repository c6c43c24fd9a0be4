/* SPDX-License-Identifier: MIT */
/* The choices of a simulated run: who could have gone on, and who did. */
#include "view.h"

#include "schedule.h"

int view_choice(const View *view)
{
    int i = -1;

    while (i + 1 < (int)view->choices->len &&
           g_array_index(view->choices, uint64_t, i + 1) <=
               view->session->position) {
        i++;
    }
    return i;
}

static char *thread_text(const Model *model, uint64_t id)
{
    const ModelThread *thread = model_thread(model, id);

    return id == 0 ? g_strdup("time passes")
         : thread ? g_strdup(thread->name)
                  : g_strdup_printf("thread %" PRIu64, id);
}

char *choice_option_text(const Model *model, const ProbeEvent *choice,
                         unsigned i)
{
    ChoiceKind kind = choice_kind_by_name(choice->text);
    uint64_t options[CHOICE_OPTIONS_MAX];

    if (!choice_options(kind, choice->obj, choice->a, choice->c, options)) {
        return i ? g_strdup_printf("option %u", i) : g_strdup("the first");
    }
    switch (kind) {
    case CHOICE_THREAD:
        return thread_text(model, options[i]);
    case CHOICE_BATCH:
        return options[i] ? g_strdup_printf("%" PRIu64, options[i])
                          : g_strdup("none");
    case CHOICE_WAKE:
        return g_strdup(options[i] ? "it ends by itself" : "it waits");
    case CHOICE_FAULT:
        return g_strdup(options[i] ? sim_fault_names[options[i] - 1] : "done");
    default:
        return i ? g_strdup_printf("%" PRIu64, options[i]) : g_strdup("all");
    }
}

static char *question(const Model *model, const ProbeEvent *choice)
{
    g_autofree char *name = NULL;

    switch (choice_kind_by_name(choice->text)) {
    case CHOICE_THREAD:
        return g_strdup("who goes on?");
    case CHOICE_BATCH:
        name = model_name(model, choice->obj);
        return g_strdup_printf("completions that %s gets:", name);
    case CHOICE_REQUEST:
        return g_strdup("which request is done next?");
    case CHOICE_WAKE:
        name = thread_text(model, choice->obj);
        return g_strdup_printf("the wait of %s:", name);
    case CHOICE_FAULT:
        return g_strdup("the request is answered:");
    default:
        name = thread_text(model, choice->obj);
        return g_strdup_printf("stores of %s that are seen:", name);
    }
}

/* "who goes on?  main  [io0]  time passes" */
static char *choice_text(const Model *model, const ProbeEvent *choice)
{
    GString *text = g_string_new(NULL);
    g_autofree char *asked = question(model, choice);

    g_string_append(text, asked);
    for (unsigned i = 0; i < choice->a; i++) {
        g_autofree char *option = choice_option_text(model, choice, i);

        g_string_append_printf(text, i == choice->b ? "  [%s]" : "  %s",
                               option);
    }
    return g_string_free(text, false);
}

static bool is_point_of_no_return(const View *view, uint64_t event)
{
    return view_chance(view, event) == 100 &&
           view_chance(view, event - 1) < 100;
}

static void draw_choice(const View *view, Frame *frame, Rect rect, unsigned i,
                        bool selected)
{
    const Session *session = view->session;
    uint64_t n = g_array_index(view->choices, uint64_t, i);
    ProbeEvent choice = event_store_get(session->events, n);
    g_autofree char *what = choice_text(session->model, &choice);
    int percent = view_chance(view, n);
    bool lost = is_point_of_no_return(view, n);
    g_autofree char *chance = percent < 0 ? g_strdup("")
        : g_strdup_printf(" %s%3d%% fail ", lost ? "no return " : "", percent);
    int right = strlen(chance);
    g_autofree char *text = g_strdup_printf(
        "%s%6" PRIu64 " %s %s",
        selected ? frame_glyph(frame, GLYPH_NOW) : " ", n,
        choice.b ? frame_glyph(frame, GLYPH_ON) : " ", what);

    frame_put(frame, rect.row, rect.col, rect.cols - right,
              lost ? ROLE_PROBLEM : selected ? ROLE_NOW
              : n > session->position ? ROLE_DIM : ROLE_NORMAL, text);
    frame_put(frame, rect.row, rect.col + rect.cols - right, right,
              percent == 100 ? ROLE_PROBLEM : ROLE_DIM, chance);
}

void draw_choices(const View *view, Frame *frame, Rect rect)
{
    int n = view->choices->len, at = view_choice(view);
    int first = CLAMP(at - rect.rows / 2, 0, MAX(0, n - rect.rows));

    if (n == 0) {
        frame_put(frame, rect.row, rect.col, rect.cols, ROLE_DIM,
                  "nothing was left to choice in this run");
    }
    for (int i = 0; i < rect.rows && first + i < n; i++) {
        Rect line = {rect.row + i, rect.col, 1, rect.cols};
        bool selected = first + i == at;

        draw_choice(view, frame, line, first + i, selected);
        if (selected && view->focus == PANE_CHOICES) {
            frame->cursor_row = line.row;
            frame->cursor_col = line.col;
        }
    }
}
