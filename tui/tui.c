/* SPDX-License-Identifier: MIT */
/* Key in, frame out: the loop that ties app, screen and terminal together. */
#include "tui.h"

#include "app.h"
#include "keymap.h"
#include "lesson-screen.h"
#include "term.h"

#include <langinfo.h>
#include <unistd.h>

bool tui_wants_ascii(void)
{
    return g_getenv("AIOLAB_ASCII") ||
           g_ascii_strcasecmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

bool tui_wants_color(void)
{
    const char *no_color = g_getenv("NO_COLOR");

    return !(no_color && *no_color);
}

static void show(App *app, Term *term)
{
    Frame *frame;

    term_size(term, &app->rows, &app->cols);
    frame = screen(&app->view, app->rows, app->cols);
    term_show(term, frame, app->redraw);
    app->redraw = false;
    frame_free(frame);
}

/* Stacks take a moment: they are fetched when no key waits. */
static int next_key(App *app, Term *term, bool *stop)
{
    bool wanted = app->view.focus == PANE_COROUTINES;
    int key = term_key(term, !wanted, stop);

    if (key == -1 && wanted && !*stop) {
        app_fetch_stacks(app);
        show(app, term);
        key = term_key(term, true, stop);
    }
    return key;
}

static void loop(App *app, Term *term)
{
    bool stop = false;

    show(app, term);
    while (!app->quit && !stop) {
        int key = next_key(app, term, &stop);

        /* All keys that wait, then one frame. */
        while (key != -1 && !app->quit) {
            if (key == KEY_RESIZE_) {
                app->redraw = true;
            } else {
                app_key(app, key);
            }
            key = term_key(term, false, &stop);
        }
        show(app, term);
    }
}

static Term *open_term(bool color, Error **errp)
{
    TermOptions options = {.color = color};
    const char *type = g_getenv("TERM");
    Term *term = NULL;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        error_setg(errp, "this is not a terminal; use 'aiolab inspect', "
                   "'aiolab tui --dump' or 'aiolab learn --plain'");
        return NULL;
    }
    if (g_strcmp0(type, "dumb") != 0) {
        term = term_open(&options);
    }
    if (!term) {
        error_setg(errp, "the terminal '%s' cannot show screens; set TERM, or "
                   "use 'aiolab inspect' or 'aiolab learn --plain'",
                   type ? type : "");
    }
    return term;
}

bool tui_run(Session *session, const TuiOptions *options, Error **errp)
{
    Term *term = open_term(options->color, errp);
    App app;

    if (!term) {
        session_free(session);
        return false;
    }
    if (options->at) {
        session_goto(session, options->at);
    }
    app_init(&app, session, options->ascii);
    app.source = options->source;
    app.view.finding = options->finding;
    loop(&app, term);
    term_close(term);
    if (app.dump) {
        Frame *frame = screen(&app.view, app.rows, app.cols);
        g_autofree char *text = frame_text(frame);

        fputs(text, stdout);
        frame_free(frame);
    }
    app_finish(&app);
    return true;
}

bool tui_learn(LessonRun *run, Error **errp)
{
    Term *term = open_term(tui_wants_color(), errp);
    bool stop = false, redraw = false;

    if (!term) {
        return false;
    }
    while (!stop) {
        int rows, cols, key;
        Frame *frame;

        term_size(term, &rows, &cols);
        frame = lesson_screen(run, tui_wants_ascii(), rows, cols);
        term_show(term, frame, redraw);
        frame_free(frame);
        key = term_key(term, true, &stop);
        redraw = key == KEY_RESIZE_ || key == KEY_CTRL_L_;
        if (key == 'q' || key == KEY_ESCAPE_) {
            break;
        }
        if (!redraw && key != -1) {
            lesson_key(run, key);
        }
    }
    term_close(term);
    return true;
}

char *tui_dump(Session *session, const TuiOptions *options, int rows, int cols)
{
    Frame *frame;
    char *text;
    App app;

    if (options->at) {
        session_goto(session, options->at);
    }
    app_init(&app, session, options->ascii);
    frame = screen(&app.view, rows, cols);
    text = frame_text(frame);
    frame_free(frame);
    app_finish(&app);
    return text;
}
