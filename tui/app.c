/* SPDX-License-Identifier: MIT */
/* What keys do; see app.h. */
#include "app-internal.h"

#include "aiolab-paths.h"
#include "keymap.h"
#include "stack-lines.h"

#include <sys/stat.h>

void app_init(App *app, Session *session, bool ascii)
{
    *app = (App){
        .view = {.session = session, .ascii = ascii, .focus = PANE_LOG},
        .rows = LAYOUT_MIN_ROWS, .cols = LAYOUT_MIN_COLS,
        .former = g_ptr_array_new_with_free_func(
            (GDestroyNotify)session_free),
    };
    app_show_session(app, session);
}

void app_finish(App *app)
{
    View *view = &app->view;

    session_free(view->session);
    g_ptr_array_free(app->former, true);
    g_array_free(view->choices, true);
    finding_free(app->explained);
    g_free(view->prompt);
    g_free(view->prompt_label);
    g_free(view->message);
    g_free(view->source_file);
    g_strfreev(view->source_lines);
    if (view->stacks) {
        g_ptr_array_free(view->stacks, true);
    }
}

void app_say(App *app, const char *fmt, ...)
{
    va_list ap;

    g_free(app->view.message);
    va_start(ap, fmt);
    app->view.message = g_strdup_vprintf(fmt, ap);
    va_end(ap);
}

/* ---- What the position needs ---- */

enum { SOURCE_MAX = 64 << 20 };

/* Ours, or a trace as it was named when it was imported. */
static char **load_lines(const char *file)
{
    g_autofree char *path =
        g_path_is_absolute(file) || g_file_test(file, G_FILE_TEST_IS_REGULAR)
        ? g_strdup(file) : g_build_filename(AIOLAB_SOURCE_DIR, file, NULL);
    g_autofree char *text = NULL;
    struct stat st;

    if (stat(path, &st) < 0 || st.st_size > SOURCE_MAX) {
        return NULL;
    }
    return g_file_get_contents(path, &text, NULL, NULL)
               ? g_strsplit(text, "\n", 0) : NULL;
}

static GArray *find_choices(const Session *session)
{
    GArray *choices = g_array_new(false, false, sizeof(uint64_t));

    for (uint64_t n = 1; n <= session_count(session); n++) {
        if (event_store_get(session->events, n).kind == PROBE_CHOICE) {
            g_array_append_val(choices, n);
        }
    }
    return choices;
}

void app_show_session(App *app, Session *session)
{
    View *view = &app->view;

    view->session = session;
    view->forks = app->former->len;
    g_clear_pointer(&view->choices, g_array_unref);
    view->choices = find_choices(session);
    g_clear_pointer(&view->stacks, g_ptr_array_unref);
    app_update(app);
}

void app_update(App *app)
{
    View *view = &app->view;
    const ProbeSite *site = view_site(view);
    const char *file = site ? site->file : NULL;

    if (file && g_strcmp0(file, view->source_file) != 0) {
        g_free(view->source_file);
        g_strfreev(view->source_lines);
        view->source_file = g_strdup(file);
        view->source_lines = load_lines(file);
    }
}

void app_fetch_stacks(App *app)
{
    View *view = &app->view;

    if (view->stacks && view->stacks_at == view->session->position) {
        return;
    }
    if (view->stacks) {
        g_ptr_array_free(view->stacks, true);
    }
    view->stacks = stack_lines(view->session, NULL);
    view->stacks_at = view->session->position;
}

void app_move_to(App *app, uint64_t n, const char *otherwise)
{
    if (!n) {
        app_say(app, "%s", otherwise);
        return;
    }
    session_goto(app->view.session, n);
    app->view.scroll[PANE_LOG] = 0;
    app_update(app);
}

/* ---- Everything else ---- */

static void toggle_breakpoint(App *app)
{
    View *view = &app->view;
    g_autofree char *text = NULL;
    uint32_t kind;

    if (!view->session->position) {
        return;
    }
    kind = session_event(view->session).kind;
    view->breakpoints[kind] = !view->breakpoints[kind];
    text = g_strdup_printf("breakpoint on %s is %s; c and C run to it",
                           probe_table[kind].name,
                           view->breakpoints[kind] ? "set" : "removed");
    app_say(app, "%s", text);
}

static void scroll(App *app, int lines)
{
    int *scroll = &app->view.scroll[app->view.focus];

    *scroll += lines;
    if (app->view.focus != PANE_LOG) {
        *scroll = CLAMP(*scroll, 0, 10000);
    }
}

void app_ask(App *app, char *label, AppAnswer *answer)
{
    g_free(app->view.prompt_label);
    app->view.prompt_label = label;
    app->view.prompt = g_strdup("");
    app->answer = answer;
}

static void go_to_event(App *app, uint64_t n)
{
    app_move_to(app, MIN(n, session_count(app->view.session)),
                "events are counted from 1");
}

static void prompt_key(App *app, int key)
{
    View *view = &app->view;
    size_t len = strlen(view->prompt);

    if (key == KEY_ENTER_ || key == '\n' || key == '\r') {
        uint64_t n = g_ascii_strtoull(view->prompt, NULL, 10);

        g_clear_pointer(&view->prompt, g_free);
        app->answer(app, n);
    } else if (key == KEY_ESCAPE_) {
        g_clear_pointer(&view->prompt, g_free);
    } else if (key == KEY_BACKSPACE_ && len) {
        view->prompt[len - 1] = 0;
    } else if (key >= '0' && key <= '9' && len < 18) {
        char *longer = g_strdup_printf("%s%c", view->prompt, key);

        g_free(view->prompt);
        view->prompt = longer;
    }
}

/* ---- What has the keys ---- */

static void focus_on(App *app, PaneId pane)
{
    View *view = &app->view;

    if (pane != view->focus) {
        view->focus_before = view->focus;
        view->focus = pane;
    }
}

/* Leaves the page of the waits for what was there before it. */
static void close_waits(App *app)
{
    View *view = &app->view;

    if (view->focus == PANE_WAITS) {
        view->focus = view->focus_before == PANE_WAITS ? PANE_LOG
                                                       : view->focus_before;
    }
}

static void toggle_waits(App *app)
{
    if (app->view.focus == PANE_WAITS) {
        close_waits(app);
    } else {
        focus_on(app, PANE_WAITS);
    }
}

static void act(App *app, Action action, bool back)
{
    View *view = &app->view;

    switch (action) {
    case ACTION_STEP ... ACTION_CONTINUE:
    case ACTION_HOME:
    case ACTION_END:
        app_move(app, action, back);
        break;
    case ACTION_GOTO:
        app_ask(app, g_strdup("go to event"), go_to_event);
        break;
    case ACTION_CHOICES:
        view->focus = view->focus == PANE_CHOICES ? PANE_LOG : PANE_CHOICES;
        break;
    case ACTION_FORK:
        app_fork(app, back);
        break;
    case ACTION_CHANCES:
        app_fetch_chances(app);
        break;
    case ACTION_BREAK:
        toggle_breakpoint(app);
        break;
    case ACTION_FOCUS:
        focus_on(app, (view->focus + (back ? PANE_MAX - 1 : 1)) % PANE_MAX);
        break;
    case ACTION_WAITS:
        toggle_waits(app);
        break;
    case ACTION_ZOOM:
        view->zoom = !view->zoom;
        break;
    case ACTION_DOWN:
        if (view->focus == PANE_CHOICES) {
            app_next_choice(app, back);
        } else {
            scroll(app, back ? -1 : 1);
        }
        break;
    case ACTION_PAGE:
        scroll(app, back ? -10 : 10);
        break;
    case ACTION_ASCII:
        view->ascii = !view->ascii;
        break;
    case ACTION_DUMP:
        app->dump = true;
        app_say(app, "this screen will be printed as text when you leave");
        break;
    case ACTION_REDRAW:
        app->redraw = true;
        break;
    case ACTION_HELP:
        view->help = true;
        break;
    case ACTION_QUIT:
        app->quit = true;
        break;
    default:
        break;
    }
}

void app_key(App *app, int key)
{
    View *view = &app->view;
    Action action;
    bool back;

    g_clear_pointer(&view->message, g_free);
    if (view->help) {
        view->help = false;
    } else if (view->prompt) {
        prompt_key(app, key);
    } else if (key >= '1' && key < '1' + PANE_MAX) {
        focus_on(app, key - '1');
    } else if (key == KEY_ESCAPE_) {
        view->zoom = false;
        close_waits(app);
    } else {
        action = keymap_find(key, &back);
        if (action == ACTION_NONE) {
            app_say(app, "no such key; ? lists them");
        } else {
            act(app, action, back);
        }
    }
}
