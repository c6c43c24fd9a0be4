/* SPDX-License-Identifier: MIT */
/*
 * Recordings that end by death: of the recorded scenario, of everything, at
 * any moment.  Whatever the scenario had done is in the log, which opens, is
 * whole, and replays to its end.  And recordings that nobody may touch yet.
 *
 * AIOLAB_TEST_KILLS says how often, AIOLAB_TEST_SCENARIO what is recorded:
 * a scenario and its parameters, which stamps its progress (see busy.c, which
 * is recorded with one thread and with four if nothing is said).
 */
#include "log.h"
#include "program.h"
#include "ring.h"
#include "testlib.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLS = 12, STAMPS = 64, SPAN = 30000 };

static char *dir, *path, *stamps_path, *scenarios[2];
static unsigned recordings;
static uint64_t *stamps;
static uint64_t rng;

static uint64_t next_random(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng >> 11;
}

static int setup(void **state)
{
    const char *given = g_getenv("AIOLAB_TEST_SCENARIO");
    int fd;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    dir = test_dir_new();
    path = g_build_filename(dir, "run.aiolog", NULL);
    stamps_path = g_build_filename(dir, "stamps", NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(scenarios); i++) {
        scenarios[i] = given ? g_strdup(given)
                             : g_strdup_printf("%s -p rounds=1000000000 -p "
                                               "threads=%d",
                                               g_getenv("AIOLAB_BUSY"), i * 3);
    }
    rng = test_number("AIOLAB_TEST_SEED", 1) * 2654435761u + 1;
    fd = open(stamps_path, O_RDWR | O_CREAT, 0666);
    assert_true(fd >= 0 && ftruncate(fd, STAMPS * sizeof(*stamps)) == 0);
    stamps = mmap(NULL, STAMPS * sizeof(*stamps), PROT_READ | PROT_WRITE,
                  MAP_SHARED, fd, 0);
    assert_true(stamps != MAP_FAILED);
    close(fd);
    g_setenv("AIOLAB_STAMPS", stamps_path, true);
    return 0;
}

static int teardown(void **state)
{
    munmap(stamps, STAMPS * sizeof(*stamps));
    test_dir_free(dir);
    g_free(path);
    g_free(stamps_path);
    g_free(scenarios[0]);
    g_free(scenarios[1]);
    return 0;
}

static uint64_t stamped(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < STAMPS; i++) {
        sum += __atomic_load_n(&stamps[i], __ATOMIC_ACQUIRE);
    }
    return sum;
}

/* ---- A recording in a process group of its own ---- */

static pid_t start_recording(void)
{
    g_autofree char *line = g_strdup_printf(
        "%s record %s --no-replay -q -f -o %s", g_getenv("AIOLAB"),
        scenarios[recordings++ % ARRAY_SIZE(scenarios)], path);
    g_auto(GStrv) argv = NULL;
    pid_t pid;

    memset(stamps, 0, STAMPS * sizeof(*stamps));
    assert_true(g_shell_parse_argv(line, NULL, &argv, NULL));
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);

        setsid();
        dup2(null, STDERR_FILENO);
        execv(argv[0], argv);
        _exit(126);
    }
    return pid;
}

static void wait_for_stamps(pid_t pid, uint64_t target)
{
    int64_t end = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;

    while (stamped() < target && g_get_monotonic_time() < end) {
        if (waitpid(pid, NULL, WNOHANG) != 0) {
            fail_msg("the recording has ended at %" PRIu64, stamped());
        }
        sched_yield();
    }
    assert_true(stamped() >= target);
}

/* The process that runs the scenario. */
static pid_t recorded_child(pid_t parent)
{
    g_autofree char *file = g_strdup_printf("/proc/%d/task/%d/children",
                                            (int)parent, (int)parent);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(file, &text, NULL, NULL) || !atoi(text)) {
        fail_msg("no child of %d", (int)parent);
    }
    return atoi(text);
}

/* Until nobody holds the rings any more. */
static void kill_and_wait(pid_t pid, unsigned way)
{
    pid_t child = recorded_child(pid);

    kill(way == 0 ? -pid : way == 1 ? pid : child, SIGKILL);
    waitpid(pid, NULL, 0);
    /* It is ours when its parent is gone, and over when all its threads are. */
    waitpid(child, NULL, 0);
}

/* ---- What must be there ---- */

static size_t count_kind(const Input *inputs, size_t n, InputKind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        count += inputs[i].kind == kind;
    }
    return count;
}

static void expect_all_there(uint64_t done, const char *what)
{
    g_autofree Input *inputs = NULL;
    Error *err = NULL;
    Log *log = log_open(path, &err);
    size_t n = 0;

    if (!log || !log_check_structure(log, &err) ||
        !(inputs = log_inputs(log, &n, &err))) {
        fail_msg("%s: %s", what, error_get_pretty(err));
    }
    assert_string_equal(log_meta(log, "state"), "cut");
    if (count_kind(inputs, n, INPUT_REPLAY_BH) < done) {
        fail_msg("%s: %zu of %" PRIu64 " are in the log", what,
                 count_kind(inputs, n, INPUT_REPLAY_BH), done);
    }
    assert_int_not_equal(access(log_meta(log, "ring"), F_OK), 0);
    log_close(log, NULL);
}

static void expect_replays_to_its_end(const char *what)
{
    ChildResult result = aiolab("verify", path, NULL);

    child_expect_ok(&result, what);
    assert_string_equal(result.err, "");
    child_finish(&result);
    result = aiolab("replay", path, NULL);
    child_expect_status(&result, 3, what);
    if (!strstr(result.err, "all of them were identical")) {
        fail_msg("%s: %s", what, result.err);
    }
    child_finish(&result);
}

static void test_kills(void **state)
{
    unsigned n = test_number("AIOLAB_TEST_KILLS", KILLS);

    for (unsigned i = 0; i < n; i++) {
        g_autofree char *what = g_strdup_printf("kill %u", i);
        pid_t pid = start_recording();
        uint64_t done;

        wait_for_stamps(pid, 1 + next_random() % SPAN);
        kill_and_wait(pid, i % 3);
        done = stamped();
        expect_all_there(done, what);
        expect_replays_to_its_end(what);
    }
}

/* It is said once how many inputs came from where, and the rings go. */
static void test_says_so(void **state)
{
    pid_t pid = start_recording();
    ChildResult result;

    wait_for_stamps(pid, 1000);
    kill_and_wait(pid, 0);
    result = aiolab("verify", path, NULL);
    child_expect_ok(&result, "verify");
    assert_non_null(strstr(result.err, "its recorder died; "));
    assert_non_null(strstr(result.err, " inputs recovered from its buffer"));
    child_finish(&result);
    expect_all_there(stamped(), "after verify");
    expect_replays_to_its_end("after verify");
}

/* ---- A recording that is not over ---- */

static void expect_refused(ChildResult result, const char *text)
{
    child_expect_status(&result, 3, text);
    if (!strstr(result.err, text) ||
        strchr(result.err, '\n') != result.err + strlen(result.err) - 1) {
        fail_msg("it does not say \"%s\" in one line: %s", text, result.err);
    }
    child_finish(&result);
}

static void test_live(void **state)
{
    static const char text[] = "is being recorded right now";
    const char *busy = g_getenv("AIOLAB_BUSY");
    pid_t pid = start_recording();

    wait_for_stamps(pid, 10);
    expect_refused(aiolab("replay", path, NULL), text);
    expect_refused(aiolab("verify", path, NULL), text);
    expect_refused(aiolab("index", path, NULL), text);
    expect_refused(aiolab("record", busy, "-o", path, NULL), text);
    expect_refused(aiolab("record", busy, "-f", "-o", path, NULL), text);
    /* Nobody has done it any harm. */
    wait_for_stamps(pid, stamped() + 1000);
    kill_and_wait(pid, 0);
    expect_all_there(stamped(), "after being looked at");
    expect_replays_to_its_end("after being looked at");
}

/* ---- Rings that are gone, damaged, or another's ---- */

static char *rings_of_dead_recording(void)
{
    pid_t pid = start_recording();
    g_autofree char *text = NULL;
    char *rings;
    Error *err = NULL;

    wait_for_stamps(pid, 40000);
    kill_and_wait(pid, 0);
    /* The meta rows, without opening the log our way. */
    {
        g_autofree char *command = g_strdup_printf(
            "sqlite3 'file:%s' \"SELECT value FROM meta WHERE name = 'ring'\"",
            path);

        assert_true(g_spawn_command_line_sync(command, &text, NULL, NULL,
                                              NULL));
    }
    rings = g_strdup(g_strstrip(text));
    assert_true(g_str_has_prefix(rings, "/"));
    error_free(err);
    return rings;
}

static void test_rings_gone(void **state)
{
    g_autofree char *rings = rings_of_dead_recording();
    ChildResult result;

    unlink(rings);
    result = aiolab("verify", path, NULL);
    child_expect_ok(&result, "verify");
    assert_non_null(strstr(result.err, "its buffer is gone; it ends at its "
                                       "last commit"));
    child_finish(&result);
    expect_replays_to_its_end("the rings are gone");
}

/* Another recording looks for rings whose log is gone. */
static void record_something(void)
{
    g_autofree char *other = g_strconcat(path, ".other", NULL);
    ChildResult result = aiolab("record", "bh-order", "--host=live", "-q", "-f",
                                "-o", other, NULL);

    child_expect_ok(&result, "another recording");
    child_finish(&result);
    unlink(other);
}

/* Where others see the memory, but not the files, the log is only elsewhere. */
static void test_rings_of_another_root(void **state)
{
    g_autofree char *rings = rings_of_dead_recording();
    int fd = open(rings, O_RDWR);
    uint64_t inode, other;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &inode, 8, offsetof(BlackBox, root_ino)), 8);
    other = inode + 1;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(pwrite(fd, &other, 8, offsetof(BlackBox, root_ino)), 8);
    record_something();
    assert_int_equal(access(rings, F_OK), 0);
    assert_int_equal(pwrite(fd, &inode, 8, offsetof(BlackBox, root_ino)), 8);
    record_something();
    assert_int_not_equal(access(rings, F_OK), 0);
    close(fd);
}

static void overwrite_some(const char *rings, size_t size)
{
    int fd = open(rings, O_WRONLY);

    assert_true(fd >= 0);
    for (unsigned i = 0; i < 200; i++) {
        uint64_t value = next_random();
        size_t at = i % 4 ? next_random() % size : next_random() % 8192;

        assert_true(pwrite(fd, &value, 1 + i % 8, at) > 0);
    }
    close(fd);
}

/*
 * Whatever is in it, the log opens, and what it has replays; or an input that
 * was changed is found to be damaged, or to diverge.
 */
static void test_rings_damaged(void **state)
{
    for (unsigned i = 0; i < 6; i++) {
        g_autofree char *rings = rings_of_dead_recording();
        ChildResult result;
        struct stat st;

        assert_int_equal(stat(rings, &st), 0);
        if (i < 4) {
            overwrite_some(rings, st.st_size);
        } else {
            assert_int_equal(truncate(rings, next_random() % st.st_size), 0);
        }
        result = aiolab_limited(5, "verify", path, NULL);
        if (result.late || (result.status != 0 && result.status != 3)) {
            fail_msg("status %d, signal %d: %s", result.status, result.signal,
                     result.err);
        }
        child_finish(&result);
        result = aiolab_limited(5, "replay", path, NULL);
        if (result.late || (result.status != 3 && result.status != 4)) {
            fail_msg("status %d, signal %d: %s", result.status, result.signal,
                     result.err);
        }
        child_finish(&result);
        unlink(rings);
    }
}

/* What is read from a copy stays there for the log itself. */
static void test_copy(void **state)
{
    g_autofree char *rings = rings_of_dead_recording();
    g_autofree char *copy = g_build_filename(dir, "copy.aiolog", NULL);
    g_autofree char *command = g_strdup_printf(
        "sh -c 'cp %s %s; [ ! -f %s-wal ] || cp %s-wal %s-wal'", path, copy,
        path, path, copy);
    ChildResult result;

    assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    result = aiolab("verify", copy, NULL);
    child_expect_ok(&result, "a copy");
    child_finish(&result);
    assert_int_equal(access(rings, F_OK), 0);
    expect_all_there(stamped(), "after its copy");
    expect_replays_to_its_end("after its copy");
}

/* ---- Where nothing can be written ---- */

static void as_nobody(void *opaque)
{
    const char *aiolab_path = g_getenv("AIOLAB");

    if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0)) {
        _exit(77);
    }
    execl(aiolab_path, aiolab_path, "verify", path, NULL);
    _exit(126);
}

static void test_read_only(void **state)
{
    g_autofree char *rings = rings_of_dead_recording();
    ChildResult result;

    chmod(dir, 0555);
    chmod(path, 0444);
    result = child_run(as_nobody, NULL);
    if (result.status == 126 || result.status == 77) {
        child_finish(&result); /* nobody may not run the program here */
    } else {
        expect_refused(result, "only that user can open it");
    }
    chmod(dir, 0755);
    chmod(path, 0644);
    expect_all_there(stamped(), "it can be written again");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kills),
        cmocka_unit_test(test_says_so),
        cmocka_unit_test(test_live),
        cmocka_unit_test(test_rings_gone),
        cmocka_unit_test(test_rings_of_another_root),
        cmocka_unit_test(test_rings_damaged),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_read_only),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
