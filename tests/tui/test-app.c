/* SPDX-License-Identifier: MIT */
/* Keys in, positions and rectangles out; no size and no key does harm. */
#include "testlib.h"

#include "app.h"
#include "keymap.h"
#include "world.h"

static char *text_of(const App *app)
{
    Frame *frame = screen(&app->view, 24, 80);
    char *text = frame_text(frame);

    frame_free(frame);
    return text;
}

/* Back a thousand steps and forward again: the same screen. */
static void test_thousand_steps(void **state)
{
    g_autofree char *before = NULL, *after = NULL;
    App app;

    app_init(&app, world_new(3000), false);
    before = text_of(&app);
    for (unsigned i = 0; i < 1000; i++) {
        app_key(&app, 'S');
    }
    assert_int_equal(app.view.session->position,
                     session_count(app.view.session) - 1000);
    for (unsigned i = 0; i < 1000; i++) {
        app_key(&app, 's');
    }
    after = text_of(&app);
    assert_string_equal(before, after);
    app_finish(&app);
}

/* The model at N is the same whether N was reached forwards or backwards. */
static void test_model_both_ways(void **state)
{
    Session *session = world_new(2000);
    uint64_t count = session_count(session);

    for (uint64_t n = 1; n <= count; n += 977) {
        g_autofree char *there = NULL, *back = NULL;
        App app = {.view = {.session = session}};

        session_goto(session, 0);
        session_goto(session, n);
        there = text_of(&app);
        session_goto(session, count);
        session_goto(session, n);
        back = text_of(&app);
        assert_string_equal(there, back);
    }
    world_free(session);
}

static void test_movements(void **state)
{
    Session *session;
    App app;

    app_init(&app, world_new(3), false);
    session = app.view.session;
    app_key(&app, KEY_HOME_);
    app_key(&app, 'S');
    assert_int_equal(session->position, 1);
    app_key(&app, 'i');
    assert_int_equal(session_event(session).kind, PROBE_POLL_BEGIN);
    app_key(&app, 'f');
    assert_int_equal(session_event(session).kind, PROBE_POLL_END);
    app_key(&app, 'F');
    assert_int_equal(session_event(session).kind, PROBE_POLL_BEGIN);
    app_key(&app, 's');
    app_key(&app, 's');
    app_key(&app, 'b');
    app_key(&app, 'c');
    assert_int_equal(session_event(session).kind, PROBE_BH_SLICE);
    app_key(&app, 'C');
    assert_int_equal(session_event(session).kind, PROBE_BH_SLICE);
    app_finish(&app);
}

static void test_every_key_says_something(void **state)
{
    bool back;

    for (Action action = 0; action < ACTION_MAX; action++) {
        assert_int_equal(keymap_find(key_table[action].key, &back), action);
        assert_false(back);
        assert_true(*key_table[action].long_help);
        if (key_table[action].back_key) {
            assert_int_equal(keymap_find(key_table[action].back_key, &back),
                             action);
            assert_true(back);
        }
    }
    assert_int_equal(keymap_find('Q', &back), ACTION_NONE);
}

static void assert_inside(Rect r, int rows, int cols)
{
    assert_true(r.row >= 1 && r.col >= 0 && r.rows >= 2 && r.cols >= 2);
    assert_true(r.row + r.rows <= rows - 1 && r.col + r.cols <= cols);
}

/* Insides of different panes have no cell in common. */
static void assert_apart(Rect a, Rect b)
{
    bool rows = a.row + a.rows - 1 <= b.row || b.row + b.rows - 1 <= a.row;
    bool cols = a.col + a.cols - 1 <= b.col || b.col + b.cols - 1 <= a.col;

    assert_true(rows || cols);
}

static void check_layout(PaneId focus)
{
    Rect rects[PANE_MAX];

    for (int rows = LAYOUT_MIN_ROWS; rows <= 200; rows += 1) {
        for (int cols = LAYOUT_MIN_COLS; cols <= 400; cols += 7) {
            layout(rows, cols, focus, false, rects);
            for (int i = 0; i < PANE_MAX; i++) {
                if (rects[i].rows == 0) {
                    assert_true(i == PANE_WAITS ||
                                i == (focus == PANE_CHOICES ? PANE_LOG
                                                            : PANE_CHOICES));
                    continue;
                }
                assert_inside(rects[i], rows, cols);
                for (int j = 0; j < i; j++) {
                    if (rects[j].rows) {
                        assert_apart(rects[i], rects[j]);
                    }
                }
            }
        }
    }
}

static void test_layout(void **state)
{
    check_layout(PANE_LOG);
    check_layout(PANE_CHOICES);
}

/* They are alone. */
static void test_layout_of_waits(void **state)
{
    Rect rects[PANE_MAX];

    layout(LAYOUT_MIN_ROWS, LAYOUT_MIN_COLS, PANE_WAITS, false, rects);
    assert_inside(rects[PANE_WAITS], LAYOUT_MIN_ROWS, LAYOUT_MIN_COLS);
    for (int i = 0; i < PANE_WAITS; i++) {
        assert_int_equal(rects[i].rows, 0);
    }
}

/* ---- Forking ---- */

typedef struct Forks {
    unsigned picks[16], n, calls;
    bool fail;
} Forks;

static Session *fork_world(void *opaque, const unsigned *picks, unsigned n,
                           Error **errp)
{
    Forks *forks = opaque;

    forks->calls++;
    if (forks->fail) {
        error_setg(errp, "no memory for that");
        return NULL;
    }
    forks->n = n;
    memcpy(forks->picks, picks, n * sizeof(*picks));
    return world_with_choices();
}

static void keys(App *app, const char *text)
{
    for (; *text; text++) {
        app_key(app, *text);
    }
}

/* The answers before the choice, the other option, and back to the event. */
static void test_fork_and_back(void **state)
{
    Forks forks = {.n = 0};
    const RunSource source = {.fork = fork_world, .opaque = &forks};
    Session *first;
    App app;

    app_init(&app, world_with_choices(), false);
    app.source = &source;
    first = app.view.session;
    keys(&app, "o");
    app_key(&app, KEY_UP_);
    app_key(&app, KEY_UP_); /* the request, of two options */
    keys(&app, "x");
    assert_int_equal(forks.n, 4);
    assert_memory_equal(forks.picks, ((unsigned[]){0, 1, 0, 0}),
                        4 * sizeof(unsigned));
    assert_ptr_not_equal(app.view.session, first);
    assert_int_equal(app.view.forks, 1);
    assert_int_equal(app.view.session->position, first->position);
    assert_non_null(strstr(app.view.message, "this run ends well"));

    keys(&app, "x"); /* and from there once more */
    assert_int_equal(app.view.forks, 2);
    keys(&app, "XX");
    assert_ptr_equal(app.view.session, first);
    assert_int_equal(app.view.forks, 0);
    keys(&app, "X");
    assert_non_null(strstr(app.view.message, "this is the first run"));
    app_finish(&app);
}

static void test_fork_of_three(void **state)
{
    Forks forks = {.n = 0};
    const RunSource source = {.fork = fork_world, .opaque = &forks};
    App app;

    app_init(&app, world_with_choices(), false);
    app.source = &source;
    keys(&app, "g24\rx"); /* who goes on: main, io0 (taken), time */
    assert_string_equal(app.view.prompt_label,
                        "take option (0 main, 2 time passes)");
    keys(&app, "1\r");
    assert_int_equal(forks.calls, 0);
    assert_non_null(strstr(app.view.message, "a number from 0 to 2, but not 1"));
    keys(&app, "x2\r");
    assert_int_equal(forks.n, 2);
    assert_int_equal(forks.picks[1], 2);
    app_finish(&app);
}

static void test_fork_is_refused(void **state)
{
    Forks forks = {.fail = true};
    const RunSource source = {.fork = fork_world, .opaque = &forks};
    App app;

    app_init(&app, world_with_choices(), false);
    keys(&app, "x");
    assert_non_null(strstr(app.view.message, "what was recorded has no other"));
    keys(&app, "l");
    assert_non_null(strstr(app.view.message, "only a schedule that"));
    app.source = &source;
    keys(&app, "x"); /* at the end */
    assert_non_null(strstr(app.view.message, "no choice is made at this"));
    keys(&app, "g17\rx");
    assert_string_equal(app.view.message, "no memory for that");
    assert_int_equal(app.view.forks, 0);
    app_finish(&app);
}

static void test_every_size(void **state)
{
    App app;

    app_init(&app, world_new(1), false);
    for (int rows = 1; rows <= 60; rows++) {
        for (int cols = 1; cols <= 170; cols += 3) {
            Frame *frame = screen(&app.view, rows, cols);

            assert_int_equal(frame->rows, rows);
            frame_free(frame);
        }
    }
    app_finish(&app);
}

static void test_random_keys(void **state)
{
    uint64_t rng = 1;
    App app;

    app_init(&app, world_new(50), false);
    for (unsigned i = 0; i < 20000; i++) {
        int key;

        rng = rng * 6364136223846793005ULL + 1442695040888963407ULL;
        key = rng >> 33 & 7 ? (int)(rng >> 40 & 127)
                            : KEY_HOME_ + (int)(rng >> 40 & 15);
        app_key(&app, key);
        app.quit = false;
        assert_true(app.view.session->position <=
                    session_count(app.view.session));
        if (i % 50 == 0) {
            Frame *frame = screen(&app.view, 24, 80);

            frame_free(frame);
        }
    }
    app_finish(&app);
}

static void test_ascii_is_complete(void **state)
{
    App app;

    app_init(&app, world_new(1), true);
    for (int pane = 0; pane < PANE_MAX; pane++) {
        g_autofree char *text = NULL;

        app_key(&app, '1' + pane);
        text = text_of(&app);
        for (const char *p = text; *p; p++) {
            assert_true((*p >= 32 && *p < 127) || *p == '\n');
        }
    }
    app_finish(&app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thousand_steps),
        cmocka_unit_test(test_model_both_ways),
        cmocka_unit_test(test_movements),
        cmocka_unit_test(test_every_key_says_something),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_layout_of_waits),
        cmocka_unit_test(test_fork_and_back),
        cmocka_unit_test(test_fork_of_three),
        cmocka_unit_test(test_fork_is_refused),
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_random_keys),
        cmocka_unit_test(test_ascii_is_complete),
    };

    return cmocka_run_group_tests_name("app", tests, NULL, NULL);
}
