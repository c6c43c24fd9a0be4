/* SPDX-License-Identifier: MIT */
/* Keys to positions: the movements through a run. */
#include "app-internal.h"

/* The searches return the event to go to, or 0. */
typedef bool EventTest(const ProbeEvent *event, const ProbeEvent *now,
                       const View *view);

static uint64_t search(const View *view, bool back, EventTest *test)
{
    const Session *session = view->session;
    uint64_t n = session->position, count = session_count(session);
    ProbeEvent now = n ? session_event(session) : (ProbeEvent){.thread = 1};

    for (n += back ? -1 : 1; n >= 1 && n <= count; n += back ? -1 : 1) {
        ProbeEvent event = event_store_get(session->events, n);

        if (test(&event, &now, view)) {
            return n;
        }
    }
    return 0;
}

static bool same_thread(const ProbeEvent *event, const ProbeEvent *now,
                        const View *view)
{
    return event->thread == now->thread;
}

static bool turn_begins(const ProbeEvent *event, const ProbeEvent *now,
                        const View *view)
{
    return event->thread == now->thread && event->kind == PROBE_POLL_BEGIN;
}

static bool is_breakpoint(const ProbeEvent *event, const ProbeEvent *now,
                          const View *view)
{
    return view->breakpoints[event->kind] || event->kind == PROBE_STUCK ||
           event->kind == PROBE_CHECK;
}

/* +1 where a callback or a leg of a coroutine begins, -1 where one ends. */
static int nesting(const ProbeEvent *event)
{
    switch (event->kind) {
    case PROBE_BH_BEGIN:
    case PROBE_FD_BEGIN:
    case PROBE_TIMER_BEGIN:
    case PROBE_CQE_BEGIN:
    case PROBE_CO_ENTER:
    case PROBE_POLL_BEGIN:
        return 1;
    case PROBE_BH_END:
    case PROBE_FD_END:
    case PROBE_TIMER_END:
    case PROBE_CQE_END:
    case PROBE_CO_YIELD:
    case PROBE_CO_END:
    case PROBE_POLL_END:
        return -1;
    default:
        return 0;
    }
}

/* The end (or, backwards, the begin) of what encloses the position. */
static uint64_t enclosing(const View *view, bool back)
{
    const Session *session = view->session;
    uint64_t n = session->position, count = session_count(session);
    uint32_t thread = n ? session_event(session).thread : 1;
    int depth = 0;

    for (n += back ? -1 : 1; n >= 1 && n <= count; n += back ? -1 : 1) {
        ProbeEvent event = event_store_get(session->events, n);

        if (event.thread == thread) {
            depth += back ? -nesting(&event) : nesting(&event);
            if (depth < 0) {
                return n;
            }
        }
    }
    return 0;
}

void app_move(App *app, Action action, bool back)
{
    const View *view = &app->view;
    const Session *session = view->session;
    uint64_t n = session->position, count = session_count(session);

    switch (action) {
    case ACTION_STEP:
        app_move_to(app, back ? MAX(n, 2) - 1 : n + 1,
                "there is nothing before the first event");
        if (n == count && !back) {
            app_say(app, "this is the last event");
        }
        break;
    case ACTION_NEXT:
        app_move_to(app, search(view, back, same_thread),
                "this thread has no more events that way");
        break;
    case ACTION_ITERATION:
        app_move_to(app, search(view, back, turn_begins),
                "this thread has no more loop turns that way");
        break;
    case ACTION_FINISH:
        app_move_to(app, enclosing(view, back), "no callback encloses this event");
        break;
    case ACTION_CONTINUE: {
        uint64_t found = search(view, back, is_breakpoint);

        app_move_to(app, found ? found : back ? 1 : count, "");
        if (!found) {
            app_say(app, "no breakpoint that way; b sets one on this kind of "
                     "event");
        }
        break;
    }
    case ACTION_HOME:
        app_move_to(app, 1, "");
        break;
    default:
        app_move_to(app, count, "the run has no events");
        break;
    }
}
