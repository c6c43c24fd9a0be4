/* SPDX-License-Identifier: MIT */
/*
 * Screens compared with what they looked like: frames/NAME.txt holds the text,
 * and under it the roles.  AIOLAB_UPDATE_FRAMES=1 writes them anew.
 */
#include "testlib.h"

#include "app.h"
#include "keymap.h"
#include "world.h"

static char *render(App *app, int rows, int cols)
{
    Frame *frame = screen(&app->view, rows, cols);
    g_autofree char *text = frame_text(frame);
    g_autofree char *roles = frame_roles(frame);

    frame_free(frame);
    return g_strconcat(text, "--- roles ---\n", roles, NULL);
}

static void compare(App *app, int rows, int cols, const char *name)
{
    g_autofree char *file = g_strdup_printf("%s/%s.txt", FRAMES_DIR, name);
    g_autofree char *actual = render(app, rows, cols);
    g_autofree char *golden = NULL;

    if (g_getenv("AIOLAB_UPDATE_FRAMES")) {
        assert_true(g_file_set_contents(file, actual, -1, NULL));
        return;
    }
    assert_true(g_file_get_contents(file, &golden, NULL, NULL));
    assert_string_equal(actual, golden);
}

static void press(App *app, const char *keys)
{
    for (; *keys; keys++) {
        app_key(app, *keys);
    }
}

static void begin(App *app)
{
    app_init(app, world_new(3), false);
}

static void test_stuck(void **state)
{
    App app;

    begin(&app);
    compare(&app, 24, 80, "stuck-80x24");
    compare(&app, 48, 160, "stuck-160x48");
    press(&app, "a");
    compare(&app, 24, 80, "stuck-80x24-ascii");
    app_finish(&app);
}

static void test_positions(void **state)
{
    App app;

    begin(&app);
    press(&app, "g14\r");
    compare(&app, 24, 80, "event14");
    press(&app, "c");
    assert_int_equal(app.view.session->position,
                     session_count(app.view.session));
    app_key(&app, KEY_HOME_);
    compare(&app, 24, 80, "event1");
    app_finish(&app);
}

static void test_zoom_and_help(void **state)
{
    App app;

    begin(&app);
    press(&app, "4z");
    compare(&app, 24, 80, "zoom-loop");
    press(&app, "?");
    compare(&app, 24, 80, "help");
    press(&app, "xz6b");
    compare(&app, 24, 80, "breakpoint");
    app_finish(&app);
}

/* The list of choices, the newest at the position; what was taken is marked. */
static void test_choices(void **state)
{
    App app;

    app_init(&app, world_with_choices(), false);
    press(&app, "o");
    compare(&app, 24, 80, "choices");
    app_key(&app, KEY_UP_);
    app_key(&app, KEY_UP_);
    app_key(&app, KEY_UP_);
    press(&app, "a");
    compare(&app, 24, 80, "choices-earlier-ascii");
    app_finish(&app);
}

/* Half of the runs fail after the first choice, all after the second. */
static void test_chances(void **state)
{
    const FailureChance known[] = {{0, 20}, {17, 50}, {24, 100}, {31, 100}};
    Finding *finding = finding_new();
    App app;

    app_init(&app, world_with_choices(), false);
    finding->events = session_count(app.view.session);
    finding->point_of_no_return = 24;
    g_array_append_vals(finding->chances, known, ARRAY_SIZE(known));
    app.view.finding = finding;
    press(&app, "og24\r");
    compare(&app, 24, 80, "chances");
    press(&app, "Soa");
    compare(&app, 24, 80, "chances-before-ascii");
    app_finish(&app);
    finding_free(finding);
}


static void test_waits(void **state)
{
    App app;

    begin(&app);
    press(&app, "2w");
    assert_int_equal(app.view.focus, PANE_WAITS);
    compare(&app, 24, 80, "waits-80x24");
    press(&app, "aS");
    compare(&app, 24, 80, "waits-before");
    press(&app, "w");
    assert_int_equal(app.view.focus, PANE_COROUTINES);
    press(&app, "9");
    app_key(&app, KEY_ESCAPE_);
    assert_int_equal(app.view.focus, PANE_COROUTINES);
    press(&app, "9\t");
    assert_int_equal(app.view.focus, PANE_CONTEXTS);
    app_finish(&app);
}

static void test_too_small(void **state)
{
    App app;

    begin(&app);
    compare(&app, 10, 40, "too-small");
    app_finish(&app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_zoom_and_help),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_chances),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_too_small),
    };

    return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
