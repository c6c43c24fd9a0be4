/* SPDX-License-Identifier: MIT */
/*
 * No space left: the recording stops with one line and status 5, and what it
 * had is a log that opens, is whole, and replays to its end, even if there is
 * still no space when it is opened.  A limit on the size of files can be had
 * by anybody; a small file system needs root.
 */
#include "log.h"
#include "program.h"
#include "testlib.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Command {
    const char *name;
    size_t limit; /* of each file, or 0 */
    char *log, *image;
} Command;

static char *dir, *image;

static int setup(void **state)
{
    dir = test_dir_new();
    image = new_image(dir, 4 << 20);
    return 0;
}

static int teardown(void **state)
{
    g_autofree char *disk = g_build_filename(dir, "disk", NULL);

    umount2(disk, MNT_DETACH); /* if a test has failed in between */
    rmdir(disk);
    test_dir_free(dir);
    g_free(image);
    return 0;
}

static void run_limited(void *opaque)
{
    Command *c = opaque;
    const char *exe = g_getenv("AIOLAB");
    g_autofree char *param = g_strconcat("image=", c->image, NULL);

    if (c->limit) {
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){c->limit, c->limit});
    }
    if (g_str_equal(c->name, "record")) {
        execl(exe, exe, "record", "file-io", "--host=live", "--no-replay", "-q",
              "-f", "-p", param, "-p", "requests=100000000", "-p", "depth=8",
              "-o", c->log, NULL);
    }
    execl(exe, exe, c->name, c->log, NULL);
    _exit(126);
}

static unsigned count_lines(const char *text)
{
    unsigned n = 0;

    for (; *text; text++) {
        n += *text == '\n';
    }
    return n;
}

static void expect_stops(Command *c, const char *reason)
{
    ChildResult result;

    c->name = "record";
    result = child_run(run_limited, c);
    child_expect_status(&result, 5, "record");
    if (!strstr(result.err, reason) || count_lines(result.err) != 1 ||
        !strstr(result.err, "the recording ended early")) {
        fail_msg("it does not say \"%s\" in one line: %s", reason, result.err);
    }
    child_finish(&result);
}

static void expect_usable(Command *c)
{
    ChildResult result;

    c->name = "verify";
    result = child_run(run_limited, c);
    child_expect_ok(&result, "verify");
    assert_non_null(strstr(result.out, "whole, "));
    child_finish(&result);
    c->name = "replay";
    result = child_run(run_limited, c);
    child_expect_status(&result, 3, "replay");
    if (!strstr(result.err, "all of them were identical")) {
        fail_msg("replay: %s", result.err);
    }
    child_finish(&result);
}

/* Between one commit and several checkpoints. */
static const size_t limits[] = {3 << 20, 7 << 20, 20 << 20, 37 << 20};

static void test_size_limit(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
        g_autofree char *log = g_build_filename(dir, "limited.aiolog", NULL);
        Command c = {.limit = limits[i], .log = log, .image = image};

        expect_stops(&c, "File too large");
        expect_usable(&c);
        c.limit = 0;
        expect_usable(&c);
    }
}

static void test_full_disk(void **state)
{
    g_autofree char *disk = g_build_filename(dir, "disk", NULL);
    g_autofree char *log = g_build_filename(disk, "full.aiolog", NULL);
    Command c = {.log = log, .image = image};

    assert_int_equal(mkdir(disk, 0755), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
        g_autofree char *options = g_strdup_printf("size=%zu", limits[i]);

        if (mount("tmpfs", disk, "tmpfs", 0, options) < 0) {
            rmdir(disk);
            skip();
        }
        expect_stops(&c, "full");
        expect_usable(&c);
        umount2(disk, MNT_DETACH);
    }
    rmdir(disk);
}

/* Not even a begin: that is an error of its own. */
static void test_no_space_at_all(void **state)
{
    g_autofree char *log = g_build_filename(dir, "none.aiolog", NULL);
    Command c = {.name = "record", .limit = 4096, .log = log, .image = image};
    ChildResult result = child_run(run_limited, &c);

    child_expect_status(&result, 5, "record");
    assert_int_equal(count_lines(result.err), 1);
    assert_int_not_equal(access(log, F_OK), 0);
    child_finish(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_limit),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_no_space_at_all),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
