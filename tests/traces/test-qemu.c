/* SPDX-License-Identifier: MIT */
/*
 * A QEMU's trace as a model: what inspect, tui and report make of one that ends
 * in the middle of its requests, with thread ids and without.
 */
#include "traces-util.h"
#include "testlib.h"

static char *dir, *in, *log_path;

/*
 * Two coroutines: one has a request at io_uring, and holds a lock that the
 * other waits for; a third has come to its end, and its pointer is used again.
 */
static const char *const lines[] = {
    "bdrv_open_common bs 0xb5 filename \"d.qcow2\" flags 0x2 format_name \"q\"",
    "qemu_aio_coroutine_enter ctx 0xc0 from 0x1ead to 0xa opaque (nil)",
    "blk_co_preadv blk 0xb1 bs 0xb5 offset 0 bytes 512 flags 0x0",
    "qemu_coroutine_terminate self 0xa",
    "qemu_aio_coroutine_enter ctx 0xc0 from 0x1ead to 0xa opaque (nil)",
    "blk_co_pwritev blk 0xb1 bs 0xb5 offset 4096 bytes 8192 flags 0x0",
    "qemu_co_mutex_lock_uncontended mutex 0x10c self 0xa",
    "luring_co_submit bs 0xb5 s 0x5 luringcb 0xcb fd 4 offset 4096 nbytes 8192 "
    "type 2",
    "qemu_coroutine_yield from 0xa to 0x1ead",
    "qemu_aio_coroutine_enter ctx 0xc0 from 0x1ead to 0xb opaque (nil)",
    "qemu_co_mutex_lock_entry mutex 0x10c self 0xb",
    "qemu_coroutine_yield from 0xb to 0x1ead",
};

/* With @prefix before each line, but the last, which is cut. */
static void write_trace(const char *prefix)
{
    GString *text = g_string_new("Sending 4 write requests\n");

    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        if (prefix) {
            g_string_append_printf(text, prefix, i);
        }
        g_string_append_printf(text, "%s\n", lines[i]);
    }
    g_string_append(text, "luring_process_completion LuringState 0x5 luri");
    assert_true(g_file_set_contents(in, text->str, text->len, NULL));
    g_string_free(text, true);
}

static void expect_output(ChildResult result, const char *const *texts)
{
    child_expect_ok(&result, texts[0]);
    for (; *texts; texts++) {
        expect_text("output", result.out, *texts);
    }
    child_finish(&result);
}

static void import(void)
{
    static const char *const texts[] = {
        "\"stored\":2,", "\"prose\":1,", "\"cut\":1", NULL,
    };

    expect_output(aiolab("import", in, "-f", "--json", "-o", log_path, NULL),
                  texts);
}

static void test_findings(void **state)
{
    static const char *const texts[] = {
        "\nIn flight at the end: 2\n",
        "write 8192 bytes at 4096 of 0xb1 (blk0), for 6 lines",
        "write handed to io_uring, for 4 lines",
        "waited for by 0xa (co1)",
        "\nCoroutines that never came back: 2\n",
        "0xa (co1): yielded 3 lines ago",
        ":9 (luring_co_submit): sqe.add",
        "0xb (co2): yielded 0 lines ago, event 18, waits for CoMutex 0x10c\n"
        "      which 0xa (co1) has\n",
        "What such a trace cannot say", NULL,
    };
    static const char *const html[] = {
        "In flight at the end: 2</h2>", "waited for by 0xa (co1)", "</html>",
        NULL,
    };

    write_trace(NULL);
    import();
    expect_output(aiolab("report", log_path, NULL), texts);
    expect_output(aiolab("report", in, "--html", NULL), html);
}

static void test_inspect(void **state)
{
    static const char *const coroutines[] = {
        "0xa (co1)                    yielded", "0xb (co2) ", NULL,
    };
    static const char *const requests[] = {
        "write (req1)                 pending    offset 4096 bytes 8192",
        "write (sqe0)                 pending", NULL,
    };
    static const char *const screen[] = {
        "Coroutines", "0xb (co2)", "qemu_coroutine_yield", NULL,
    };
    static const char *const earlier[] = {"0xa (co0)", "running", NULL};

    write_trace(NULL);
    import();
    expect_output(aiolab("inspect", log_path, "coroutines", NULL), coroutines);
    expect_output(aiolab("inspect", log_path, "requests", NULL), requests);
    expect_output(aiolab("inspect", log_path, "--at", "5", "coroutines", NULL),
                  earlier);
    expect_output(aiolab("tui", log_path, "--dump", NULL), screen);
}

static void test_index(void **state)
{
    static const char *const index[] = {"2 records, 18 events", NULL};
    static const char *const verify[] = {"whole, 2 records, 18 events", NULL};

    write_trace(NULL);
    import();
    expect_output(aiolab("index", log_path, NULL), index);
    expect_output(aiolab("verify", log_path, NULL), verify);
}

/* Times and threads, where the trace has them. */
static void test_threads(void **state)
{
    static const char *const texts[] = {
        "thread 7", "0xb (co2): yielded 0 ns ago",
        "handed to io_uring, for 4.0 us", NULL,
    };
    ChildResult result;

    write_trace("7@1700000000.0000%02u:");
    import();
    expect_output(aiolab("report", log_path, NULL), texts + 1);
    result = aiolab("tui", log_path, "--dump", NULL);
    expect_text("tui", result.out, texts[0]);
    child_finish(&result);
}

/* There is nothing to run again, and nothing to step through without events. */
static void test_refusals(void **state)
{
    g_autofree char *sample = sample_path("fio2_wait.txt");
    ChildResult result;

    write_trace(NULL);
    import();
    result = aiolab("replay", log_path, NULL);
    child_expect_status(&result, 3, "replay of a trace");
    expect_text("replay", result.err, "is a captured trace");
    child_finish(&result);
    result = aiolab("inspect", log_path, "bt", NULL);
    expect_text("bt", result.err, "has no stacks");
    child_finish(&result);
    result = aiolab("import", sample, "-f", "-q", "-o", log_path, NULL);
    child_expect_ok(&result, "import");
    child_finish(&result);
    result = aiolab("tui", log_path, "--dump", NULL);
    child_expect_status(&result, 3, "tui of requests");
    expect_text("tui", result.err, "no events of a loop");
    child_finish(&result);
}

static int setup(void **state)
{
    dir = test_dir_new();
    in = g_build_filename(dir, "qemu.log", NULL);
    log_path = g_build_filename(dir, "qemu.aiolog", NULL);
    return 0;
}

static int teardown(void **state)
{
    test_dir_free(dir);
    g_free(in);
    g_free(log_path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_findings),
        cmocka_unit_test(test_inspect),
        cmocka_unit_test(test_index),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
