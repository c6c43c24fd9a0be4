/* SPDX-License-Identifier: MIT */
/*
 * Exports: what is imported of one is what was exported, as far as the format
 * can say it; other tools take it; and the report says what the tables say.
 */
#include "traces-util.h"
#include "testlib.h"

#include <sqlite3.h>

static char *dir;

static char *import_sample(const char *name, const char *log)
{
    g_autofree char *sample = sample_path(name);
    char *path = g_build_filename(dir, log, NULL);
    ChildResult result = aiolab("import", sample, "-f", "-q", "-o", path,
                                "--max-bad", "100%", NULL);

    child_expect_ok(&result, name);
    child_finish(&result);
    return path;
}

static char *exported; /* by there_and_back() */

/* Exported, imported again, and that as CSV. */
static char *there_and_back(const char *log, const char *format)
{
    static unsigned n; /* each to names of its own, because sets are found */
    g_autofree char *name = g_strdup_printf("x%u", n++);
    g_autofree char *out = g_build_filename(dir, name, NULL);
    g_autofree char *again = g_build_filename(dir, "again.aiolog", NULL);
    ChildResult result = aiolab("export", log, "--format", format, "-q", "-o",
                                out, NULL);

    child_expect_ok(&result, format);
    child_finish(&result);
    result = aiolab("import", out, "-f", "-q", "-o", again, NULL);
    child_expect_ok(&result, format);
    child_finish(&result);
    g_free(exported);
    exported = g_steal_pointer(&out);
    return export_csv(dir, again);
}

/* Without the last column, what is not as the trace said. */
static char *without_quality(const char *csv)
{
    g_auto(GStrv) lines = g_strsplit(csv, "\n", 0);

    for (char **line = lines; *line; line++) {
        char *comma = strrchr(*line, ',');

        if (comma) {
            *comma = 0;
        }
    }
    return g_strjoinv("\n", lines);
}

static void test_csv(void **state)
{
    static const char *const samples[] = {
        "loop0", "fio_v3_torn_numjobs.iolog.xz", "strace_sqlite.txt.xz",
        "qemu_img_bench.simpletrace.xz", "bpftrace_block.txt.xz",
        "msr_cambridge_rows.csv", "ftrace_io_uring_events.txt.xz",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(samples); i++) {
        g_autofree char *log = import_sample(samples[i], "csv.aiolog");
        g_autofree char *before = export_csv(dir, log);
        g_autofree char *after = there_and_back(log, "csv");

        if (strcmp(before, after)) {
            fail_msg("%s is another one as CSV", samples[i]);
        }
    }
}

static void test_blktrace(void **state)
{
    static const char *const samples[] = {
        "loop0", "loop0_cgroup.blktrace.raw.xz", "tpcc-small.trace.xz",
        "ftrace_blk_tracer.txt.xz", "spc_rows.csv",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(samples); i++) {
        g_autofree char *log = import_sample(samples[i], "blk.aiolog");
        g_autofree char *csv = export_csv(dir, log);
        g_autofree char *again = there_and_back(log, "blktrace");
        g_autofree char *before = without_quality(csv);
        g_autofree char *after = without_quality(again);
        g_auto(GStrv) x = g_strsplit(before, "\n", 0);
        g_auto(GStrv) y = g_strsplit(after, "\n", 0);

        assert_int_equal(g_strv_length(x), g_strv_length(y));
        if (i == 0 && strcmp(before, after)) {
            fail_msg("%s is another one as blktrace", samples[i]);
        }
    }
}

/* blkparse counts in an export what it counts in what was captured. */
static void test_blkparse(void **state)
{
    g_autofree char *log = import_sample("loop0", "parse.aiolog");
    g_autofree char *csv = there_and_back(log, "blktrace");
    g_autofree char *program = g_find_program_in_path("blkparse");
    ChildResult result;

    if (!program) {
        skip();
    }
    result = child_spawn(
        (const char *const[]){program, "-i", exported, NULL}, 60);
    child_expect_ok(&result, "blkparse");
    expect_text("blkparse", result.out,
                "Reads Queued:         178,      712KiB\t "
                "Writes Queued:         671,   111083KiB");
    child_finish(&result);
}

static void test_fio(void **state)
{
    g_autofree char *log = import_sample("fio_v3_randrw_fdatasync.iolog.xz",
                                         "fio.aiolog");
    g_autofree char *before = export_csv(dir, log);
    g_autofree char *after = there_and_back(log, "fio-iolog3");
    g_autofree char *second = there_and_back(log, "fio-iolog2");

    assert_string_equal(before, after);
    assert_int_equal(strlen(second) > 0, true);
}

/* ---- The report ---- */

static char *query(const char *path, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db;
    char *value = NULL;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        value = g_strdup((const char *)sqlite3_column_text(stmt, 0));
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

static void expect_number(const char *json, const char *log, const char *name,
                          const char *sql)
{
    g_autofree char *value = query(log, sql);
    g_autofree char *text = g_strdup_printf("\"%s\":%s", name, value);

    expect_text(sql, json, text);
}

static void test_report(void **state)
{
    g_autofree char *log = import_sample("loop0", "report.aiolog");
    ChildResult result = aiolab("index", log, NULL);

    child_expect_ok(&result, "index");
    child_finish(&result);
    result = aiolab("report", log, "--json", NULL);
    child_expect_ok(&result, "report");
    expect_number(result.out, log, "records", "SELECT count(*) FROM request");
    expect_number(result.out, log, "bytes_read",
                  "SELECT sum(read_bytes) FROM request_rate");
    expect_number(result.out, log, "bytes_written",
                  "SELECT sum(written_bytes) FROM request_rate");
    expect_number(result.out, log, "depth_max",
                  "SELECT max(depth) FROM queue_depth");
    expect_number(result.out, log, "max_ns",
                  "SELECT max(max_ns) FROM request_op WHERE op = 'flush'");
    expect_number(result.out, log, "latency_ns",
                  "SELECT latency_ns FROM request_slowest LIMIT 1 OFFSET 9");
    child_finish(&result);
    result = aiolab("report", log, NULL);
    child_expect_ok(&result, "report");
    expect_text("report", result.out, "Slowest requests");
    expect_text("report", result.out, "p99.99");
    child_finish(&result);
}

static int setup(void **state)
{
    dir = test_dir_new();
    return 0;
}

static int teardown(void **state)
{
    test_dir_free(dir);
    g_free(exported);
    return 0;
}

/* A disk that is full is the machine's, not the trace's. */
static void test_no_room(void **state)
{
    g_autofree char *log = g_build_filename(dir, "full.aiolog", NULL);
    g_autofree char *sample = sample_path("spc_rows.csv");
    ChildResult result = aiolab("import", sample, "-q", "-f", "-o", log, NULL);

    child_expect_ok(&result, "import");
    child_finish(&result);
    result = aiolab("export", log, "--format", "csv", "-o", "/dev/full", NULL);
    child_expect_status(&result, 5, "export to a full disk");
    expect_text("error", result.err, "cannot be written");
    child_finish(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_blktrace),
        cmocka_unit_test(test_blkparse),
        cmocka_unit_test(test_fio),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_no_room),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
