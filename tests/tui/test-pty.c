/* SPDX-License-Identifier: MIT */
/*
 * The whole program on a pseudo-terminal, read by a terminal emulator.
 *
 * Nothing here sleeps: with AIOLAB_FRAME_MARK the program ends each frame with
 * the number of inputs it has consumed, and the test reads until that comes.
 */
#include "child.h"
#include "testlib.h"

#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vterm.h>

typedef struct Tty {
    int fd;
    pid_t pid;
    VTerm *vt;
    VTermScreen *screen;
    unsigned keys; /* of the newest mark */
    int rows, cols;
    bool alternate;
} Tty;

static int set_property(VTermProp prop, VTermValue *value, void *opaque)
{
    Tty *tty = opaque;

    if (prop == VTERM_PROP_ALTSCREEN) {
        tty->alternate = value->boolean;
    }
    return 1;
}

static const VTermScreenCallbacks callbacks = {.settermprop = set_property};

/* The mark is a window title; it is looked for in the stream itself, because
 * emulators differ in how they hand titles over. */
static void find_marks(Tty *tty, const char *data, size_t len)
{
    g_autofree char *text = g_strndup(data, len);

    for (size_t i = 0; i < len; i++) {
        text[i] = data[i] ? data[i] : ' ';
    }
    for (char *at = text; (at = strstr(at, "]2;keys=")); at++) {
        tty->keys = atoi(at + strlen("]2;keys="));
    }
}

/* False at the end of the program's output. */
static bool feed(Tty *tty)
{
    char data[65536];
    ssize_t n = read(tty->fd, data, sizeof(data));

    if (n <= 0) {
        return false;
    }
    find_marks(tty, data, n);
    vterm_input_write(tty->vt, data, n);
    return true;
}

static void wait_for_keys(Tty *tty, unsigned keys)
{
    while (tty->keys < keys) {
        assert_true(feed(tty));
    }
}

static void start(Tty *tty, const char *const *args, const char *term)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};

    *tty = (Tty){.rows = 24, .cols = 80, .keys = 0};
    tty->vt = vterm_new(24, 80);
    vterm_set_utf8(tty->vt, 1);
    tty->screen = vterm_obtain_screen(tty->vt);
    vterm_screen_enable_altscreen(tty->screen, 1);
    vterm_screen_set_callbacks(tty->screen, &callbacks, tty);
    vterm_screen_reset(tty->screen, 1);
    tty->pid = forkpty(&tty->fd, NULL, NULL, &size);
    assert_true(tty->pid >= 0);
    if (tty->pid == 0) {
        setenv("TERM", term, 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        setenv("AIOLAB_FRAME_MARK", "1", 1);
        unsetenv("LINES");
        unsetenv("COLUMNS");
        execv(g_getenv("AIOLAB"), (char *const *)args);
        _exit(127);
    }
}

static int finish(Tty *tty)
{
    int status;

    while (feed(tty)) {
    }
    waitpid(tty->pid, &status, 0);
    vterm_free(tty->vt);
    close(tty->fd);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static char *row(Tty *tty, int row)
{
    VTermRect rect = {row, row + 1, 0, tty->cols};
    char *text = g_malloc0(tty->cols * 6 + 1);

    vterm_screen_get_text(tty->screen, text, tty->cols * 6, rect);
    return text;
}

static bool shows(Tty *tty, const char *needle)
{
    for (int i = 0; i < tty->rows; i++) {
        g_autofree char *text = row(tty, i);

        if (strstr(text, needle)) {
            return true;
        }
    }
    return false;
}

static void type(Tty *tty, const char *keys)
{
    assert_int_equal(write(tty->fd, keys, strlen(keys)), strlen(keys));
}

static const char *const deadlock[] = {"aiolab", "tui", "nested-laio/buggy",
                                       NULL};

static void wait_for_text(Tty *tty, const char *text)
{
    while (!shows(tty, text)) {
        assert_true(feed(tty));
    }
}

static void test_step_and_quit(void **state)
{
    Tty tty;

    start(&tty, deadlock, "xterm-256color");
    wait_for_text(&tty, "q quit");
    assert_true(shows(&tty, "DEADLOCK"));
    assert_true(shows(&tty, "!req->needs->done"));
    assert_true(tty.alternate);
    type(&tty, "SSS");
    wait_for_keys(&tty, 3);
    assert_false(shows(&tty, "DEADLOCK"));
    type(&tty, "?");
    wait_for_keys(&tty, 4);
    assert_true(shows(&tty, "any key closes this page"));
    type(&tty, "xq");
    assert_int_equal(finish(&tty), 0);
    assert_false(tty.alternate);
}

static void test_resize(void **state)
{
    struct winsize big = {.ws_row = 48, .ws_col = 160};
    Tty tty;

    start(&tty, deadlock, "xterm-256color");
    wait_for_text(&tty, "q quit");
    vterm_set_size(tty.vt, 48, 160);
    tty.rows = 48;
    tty.cols = 160;
    assert_int_equal(ioctl(tty.fd, TIOCSWINSZ, &big), 0);
    wait_for_keys(&tty, 1);
    {
        g_autofree char *last = row(&tty, 47);

        assert_non_null(strstr(last, "q quit"));
    }
    type(&tty, "q");
    assert_int_equal(finish(&tty), 0);
}

static void test_stacks(void **state)
{
    Tty tty;

    start(&tty, deadlock, "xterm-256color");
    wait_for_text(&tty, "q quit");
    type(&tty, "2z");
    wait_for_text(&tty, "completion_cb");
    assert_true(shows(&tty, "aio_poll"));
    type(&tty, "q");
    assert_int_equal(finish(&tty), 0);
}

static void test_vt100_and_signal(void **state)
{
    Tty tty;

    start(&tty, deadlock, "vt100");
    wait_for_text(&tty, "DEADLOCK");
    kill(tty.pid, SIGTERM);
    assert_int_equal(finish(&tty), 0);
}

/* The keys that go to the point of no return of a search that finds one. */
static char *keys_to_the_point(void)
{
    const char *const find[] = {g_getenv("AIOLAB"), "explore",
                                "nested-laio/buggy", "--json", NULL};
    ChildResult found = child_spawn(find, 0);
    const char *name = "\"point_of_no_return\":";
    const char *at = strstr(found.out, name);
    char *keys;

    assert_non_null(at);
    keys = g_strdup_printf("og%d\r", atoi(at + strlen(name)));
    child_finish(&found);
    return keys;
}

/* A failure on the screen; another choice, which helps; and back to it. */
static void test_explore_and_fork(void **state)
{
    g_autofree char *keys = keys_to_the_point();
    static const char *const args[] = {"aiolab", "explore", "nested-laio/buggy",
                                       "--tui", NULL};
    Tty tty;

    start(&tty, args, "xterm-256color");
    wait_for_text(&tty, "q quit");
    type(&tty, keys); /* which of two requests the device does first */
    wait_for_text(&tty, "no return");
    assert_true(shows(&tty, "100% fail"));
    type(&tty, "x");
    wait_for_text(&tty, "taken: option 1; this run ends well");
    assert_true(shows(&tty, " fork 1 "));
    assert_false(shows(&tty, "no return"));
    type(&tty, "X");
    wait_for_text(&tty, "no return");
    type(&tty, "q");
    assert_int_equal(finish(&tty), 1);
}

/* The chances of a schedule that was printed, from the search, by a key. */
static void test_chances_of_token(void **state)
{
    static const char *const args[] = {"aiolab", "tui", "nested-laio/buggy",
                                       "--schedule", NULL, NULL};
    const char *with_token[ARRAY_SIZE(args)];
    const char *const find[] = {g_getenv("AIOLAB"), "explore",
                                "nested-laio/buggy", NULL};
    ChildResult found = child_spawn(find, 0);
    const char *at = strstr(found.out, "aio1-");
    g_autofree char *token = NULL;
    Tty tty;

    assert_non_null(at);
    token = g_strndup(at, strcspn(at, "\n"));
    child_finish(&found);
    memcpy(with_token, args, sizeof(args));
    with_token[4] = token;
    start(&tty, with_token, "xterm-256color");
    wait_for_text(&tty, "DEADLOCK");
    assert_false(shows(&tty, "% fail"));
    type(&tty, "l");
    wait_for_text(&tty, "100% fail");
    type(&tty, "q");
    assert_int_equal(finish(&tty), 0);
}

static void test_lesson(void **state)
{
    static const char *const args[] = {"aiolab", "learn", "bh-order", NULL};
    g_autofree char *home = g_dir_make_tmp("aiolab-learn-XXXXXX", NULL);
    Tty tty;

    setenv("XDG_DATA_HOME", home, 1);
    start(&tty, args, "xterm-256color");
    wait_for_text(&tty, "Enter go on");
    type(&tty, "\r\r\r\r\r");
    wait_for_text(&tty, "In which order");
    type(&tty, "2");
    wait_for_text(&tty, "The run says");
    type(&tty, "q");
    assert_int_equal(finish(&tty), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_and_quit),
        cmocka_unit_test(test_resize),
        cmocka_unit_test(test_stacks),
        cmocka_unit_test(test_vt100_and_signal),
        cmocka_unit_test(test_explore_and_fork),
        cmocka_unit_test(test_chances_of_token),
        cmocka_unit_test(test_lesson),
    };

    return cmocka_run_group_tests_name("pty", tests, NULL, NULL);
}
