/* SPDX-License-Identifier: MIT */
/*
 * Each sample is told for what it is, and what it holds is counted: how many
 * lines or records were read, and what became of them.
 */
#include "traces-util.h"
#include "testlib.h"

typedef struct Sample {
    const char *file, *at; /* at: --at, or NULL */
    int status;
    const char *format;    /* NULL: nothing can be made of it */
    unsigned read, stored, skipped, rejected;
    const char *ops;       /* as JSON has them */
} Sample;

static const Sample samples[] = {
    {"alibaba_rows.csv", NULL, 0, "alibaba", 7, 7, 0, 0,
     "{\"read\":2,\"write\":5}"},
    {"bpftrace_block.txt.xz", NULL, 0, "biosnoop", 1339, 1331, 8, 0,
     "{\"read\":170,\"write\":920,\"flush\":184,\"discard\":57}"},
    {"fio1.txt", NULL, 0, "fio1", 2, 2, 0, 0,
     "{\"read\":1,\"write\":1}"},
    {"fio2_wait.txt", NULL, 0, "fio2", 8, 2, 6, 0,
     "{\"read\":2}"},
    {"fio3_blank_comment.txt", NULL, 0, "fio3", 6, 1, 5, 0,
     "{\"read\":1}"},
    {"fio3_bom.txt", NULL, 0, "fio3", 4, 1, 3, 0,
     "{\"read\":1}"},
    {"fio3_crlf.txt", NULL, 0, "fio3", 4, 1, 3, 0,
     "{\"read\":1}"},
    {"fio3_header_twice.txt", NULL, 3, "fio3", 6, 1, 4, 1,
     "{\"read\":1}"},
    {"fio3_len_gt_4g.txt", NULL, 0, "fio3", 5, 2, 3, 0,
     "{\"read\":1,\"discard\":1}"},
    {"fio3_negative_offset.txt", NULL, 3, "fio3", 5, 1, 3, 1,
     "{\"read\":1}"},
    {"fio3_noadd.txt", NULL, 0, "fio3", 2, 1, 1, 0,
     "{\"read\":1}"},
    {"fio3_space_in_name.txt", NULL, 0, "fio3", 4, 1, 3, 0,
     "{\"read\":1}"},
    {"fio3_sync_with_len.txt", NULL, 0, "fio3", 6, 3, 3, 0,
     "{\"read\":1,\"write\":1,\"sync\":1}"},
    {"fio3_time_backwards.txt", NULL, 0, "fio3", 7, 4, 3, 0,
     "{\"read\":3,\"write\":1}"},
    {"fio3_torn_merge.txt", NULL, 3, "fio3", 5, 1, 3, 1,
     "{\"read\":1}"},
    {"fio3_truncated_tail.txt", NULL, 0, "fio3", 5, 1, 4, 0,
     "{\"read\":1}"},
    {"fio3_unknown_op.txt", NULL, 3, "fio3", 5, 1, 3, 1,
     "{\"read\":1}"},
    {"fio3_zero_len.txt", NULL, 0, "fio3", 5, 1, 4, 0,
     "{\"read\":1}"},
    {"fio_v3_randrw_fdatasync.iolog.xz", NULL, 0, "fio3", 17062, 17058, 4, 0,
     "{\"read\":11457,\"write\":4927,\"datasync\":674}"},
    {"fio_v3_torn_numjobs.iolog.xz", NULL, 3, "fio3", 2016, 1994, 13, 9,
     "{\"write\":1994}"},
    {"fiu_rows.txt", NULL, 0, "fiu", 2, 2, 0, 0,
     "{\"read\":1,\"write\":1}"},
    {"ftrace_blk_tracer.txt.xz", NULL, 0, "ftrace", 4359, 852, 3507, 0,
     "{\"read\":182,\"write\":607,\"flush\":25,\"discard\":38}"},
    {"ftrace_blk_tracer.txt.xz", "issue", 0, "ftrace", 4359, 612, 3747, 0,
     "{\"read\":182,\"write\":381,\"flush\":25,\"discard\":24}"},
    {"ftrace_block_events.txt.xz", NULL, 0, "ftrace", 14721, 1984, 12737, 0,
     "{\"read\":379,\"write\":1354,\"flush\":195,\"discard\":56}"},
    {"ftrace_block_events.txt.xz", "issue", 0, "ftrace", 14721, 1619, 13102, 0,
     "{\"read\":379,\"write\":1002,\"flush\":196,\"discard\":42}"},
    {"ftrace_io_uring_events.txt.xz", NULL, 0, "ftrace", 526, 204, 322, 0,
     "{\"read\":100,\"write\":103,\"sync\":1}"},
    {"ftrace_write_zeroes_discard_fua.txt.xz", NULL, 0, "ftrace", 834, 111, 723, 0,
     "{\"read\":102,\"write\":4,\"flush\":3,\"discard\":1,\"write-zeroes\":1}"},
    {"loop0.blkparse.bin.xz", NULL, 0, "blktrace", 4342, 849, 3493, 0,
     "{\"read\":178,\"write\":611,\"flush\":25,\"discard\":35}"},
    {"loop0.blkparse.bin.xz", "issue", 0, "blktrace", 4342, 611, 3731, 0,
     "{\"read\":178,\"write\":387,\"flush\":25,\"discard\":21}"},
    {"loop0.blkparse.txt.xz", NULL, 0, "blkparse", 4372, 849, 3523, 0,
     "{\"read\":178,\"write\":611,\"flush\":25,\"discard\":35}"},
    {"loop0.blkparse.txt.xz", "issue", 0, "blkparse", 4372, 611, 3761, 0,
     "{\"read\":178,\"write\":387,\"flush\":25,\"discard\":21}"},
    {"loop0.blktrace.0", NULL, 0, "blktrace", 4342, 849, 3493, 0,
     "{\"read\":178,\"write\":611,\"flush\":25,\"discard\":35}"},
    {"loop0.blktrace.0", "issue", 0, "blktrace", 4342, 611, 3731, 0,
     "{\"read\":178,\"write\":387,\"flush\":25,\"discard\":21}"},
    {"loop0_cgroup.blktrace.raw.xz", NULL, 0, "blktrace", 2863, 607, 2256, 0,
     "{\"read\":43,\"write\":505,\"flush\":24,\"discard\":35}"},
    {"loop0_cgroup.blktrace.raw.xz", "issue", 0, "blktrace", 2863, 366, 2497, 0,
     "{\"read\":43,\"write\":277,\"flush\":25,\"discard\":21}"},
    {"loop0_ftrace_bin_merged.blktrace.raw.xz", NULL, 0, "blktrace", 4342, 849, 3493, 0,
     "{\"read\":178,\"write\":611,\"flush\":25,\"discard\":35}"},
    {"loop0_ftrace_bin_merged.blktrace.raw.xz", "issue", 0, "blktrace", 4342, 611, 3731, 0,
     "{\"read\":178,\"write\":387,\"flush\":25,\"discard\":21}"},
    {"msr_cambridge_rows.csv", NULL, 0, "msr", 10, 10, 0, 0,
     "{\"read\":3,\"write\":7}"},
    {"perf_script_block.txt.xz", NULL, 0, "ftrace", 5572, 1874, 3698, 0,
     "{\"read\":187,\"write\":1419,\"flush\":214,\"discard\":54}"},
    {"perf_script_block.txt.xz", "issue", 0, "ftrace", 5572, 1561, 4011, 0,
     "{\"read\":187,\"write\":1128,\"flush\":206,\"discard\":40}"},
    {"perf_trace_sqlite.txt.xz", NULL, 0, "perf-trace", 125, 109, 16, 0,
     "{\"read\":29,\"write\":75,\"datasync\":5}"},
    {"qemu_img_bench.simpletrace.xz", NULL, 0, "simpletrace", 10814, 3000, 7814, 0,
     "{\"write\":3000}"},
    {"qemu_img_bench.simpletrace.xz", "issue", 0, "simpletrace", 10814, 3126, 7688, 0,
     "{\"read\":1,\"write\":3062,\"flush\":63}"},
    {"qemu_img_bench_qcow2_log.txt.xz", NULL, 0, "qemu-log", 6172, 2000, 4172, 0,
     "{\"write\":2000}"},
    {"qemu_img_bench_qcow2_log.txt.xz", "issue", 0, "qemu-log", 6172, 2086, 4086, 0,
     "{\"read\":1,\"write\":2042,\"flush\":43}"},
    {"qemu_io_log_notimestamp.txt.xz", NULL, 0, "qemu-log", 42, 5, 37, 0,
     "{\"read\":1,\"write\":2,\"write-zeroes\":2}"},
    {"qemu_log_timestamped_monitor.txt.xz", NULL, 0, "qemu-log", 54, 17, 37, 0,
     "{\"read\":8,\"write\":8,\"write-zeroes\":1}"},
    {"qemu_trace_events_subset.txt.xz", NULL, 3, NULL, 0, 0, 0, 0, NULL},
    {"spc_missing_dot.txt", NULL, 3, "spc", 3, 2, 0, 1,
     "{\"write\":2}"},
    {"spc_rows.csv", NULL, 0, "spc", 10, 10, 0, 0,
     "{\"read\":2,\"write\":8}"},
    {"strace_qemu_io_threads.txt.xz", NULL, 0, "strace", 154, 26, 128, 0,
     "{\"read\":11,\"write\":8,\"discard\":1,\"datasync\":6}"},
    {"strace_qemu_io_uring.txt.xz", NULL, 0, "strace", 13, 4, 9, 0,
     "{\"read\":4}"},
    {"strace_sqlite.txt.xz", NULL, 0, "strace", 2868, 2819, 49, 0,
     "{\"read\":282,\"write\":2506,\"datasync\":31}"},
    {"synthetic_bigendian.blktrace.0", NULL, 0, "blktrace", 400, 98, 302, 0,
     "{\"write\":93,\"flush\":2,\"discard\":3}"},
    {"synthetic_bigendian.blktrace.0", "issue", 0, "blktrace", 400, 42, 358, 0,
     "{\"write\":37,\"flush\":3,\"discard\":2}"},
    {"synthetic_v8_blk_io_trace2.blktrace.0", NULL, 0, "blktrace", 400, 98, 302, 0,
     "{\"write\":93,\"flush\":2,\"discard\":3}"},
    {"synthetic_v8_blk_io_trace2.blktrace.0", "issue", 0, "blktrace", 400, 42, 358, 0,
     "{\"write\":37,\"flush\":3,\"discard\":2}"},
    {"systor17_rows.csv", NULL, 0, "systor", 2, 1, 1, 0,
     "{\"read\":1}"},
    {"systor_blank_iotype.txt", NULL, 0, "systor", 3, 1, 2, 0,
     "{\"write\":1}"},
    {"tencent_rows.csv", NULL, 0, "tencent", 3, 3, 0, 0,
     "{\"read\":1,\"write\":2}"},
    {"tpcc-small.trace.xz", NULL, 0, "mqsim", 6999, 6999, 0, 0,
     "{\"read\":4381,\"write\":2618}"},
    {"truncated_midrecord.blktrace.0", NULL, 0, "blktrace", 100, 28, 72, 0,
     "{\"write\":27,\"flush\":1}"},
    {"truncated_midrecord.blktrace.0", "issue", 0, "blktrace", 100, 10, 90, 0,
     "{\"write\":8,\"flush\":2}"},
};

static char *dir;

static void check_sample(const Sample *sample)
{
    g_autofree char *path = sample_path(sample->file);
    g_autofree char *log = g_build_filename(dir, "s.aiolog", NULL);
    ChildResult result = aiolab("import", path, "--json", "-f", "-o", log,
                                sample->at ? "--at" : NULL, sample->at, NULL);

    child_expect_status(&result, sample->status, sample->file);
    if (sample->format) {
        g_autofree char *counts = g_strdup_printf(
            "\"read\":%u,\"stored\":%u,\"skipped\":%u,", sample->read,
            sample->stored, sample->skipped);
        g_autofree char *rejected = g_strdup_printf("\"rejected\":%u,",
                                                    sample->rejected);
        g_autofree char *format = g_strdup_printf("\"format\":\"%s\"",
                                                  sample->format);

        expect_text(sample->file, result.out, counts);
        expect_text(sample->file, result.out, rejected);
        expect_text(sample->file, result.out, format);
        expect_text(sample->file, result.out, sample->ops);
    }
    child_finish(&result);
    assert_int_equal(sample->stored + sample->skipped + sample->rejected,
                     sample->read);
}

static void test_samples(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(samples); i++) {
        check_sample(&samples[i]);
    }
}

/* Writes with a flush keep both; the others of a set are found. */
static void test_loop_capture(void **state)
{
    g_autofree char *path = sample_path("loop0");
    g_autofree char *log = g_build_filename(dir, "l.aiolog", NULL);
    ChildResult result = aiolab("import", path, "-f", "-o", log, NULL);

    child_expect_ok(&result, "loop0");
    expect_text("loop0", result.out, "loop0.blktrace.1: blktrace");
    expect_text("loop0", result.out,
                "611 write (62 of them flush first) 25 flush 35 discard");
    child_finish(&result);
}

/* blktrace -o -: the buffers of one CPU, and then those of another. */
static void test_stream_of_cpus(void **state)
{
    g_autofree char *stream = g_build_filename(dir, "live", NULL);
    g_autofree char *log = g_build_filename(dir, "v.aiolog", NULL);
    GString *all = g_string_new(NULL);
    ChildResult result;

    for (int cpu = 1; cpu >= 0; cpu--) {
        g_autofree char *name = g_strdup_printf("loop0.blktrace.%d", cpu);
        g_autofree char *path = sample_path(name);
        g_autofree char *data = NULL;
        gsize len;

        assert_true(g_file_get_contents(path, &data, &len, NULL));
        g_string_append_len(all, data, len);
    }
    assert_true(g_file_set_contents(stream, all->str, all->len, NULL));
    g_string_free(all, true);
    result = aiolab("import", stream, "--at=issue", "--json", "-f", "-o", log,
                    NULL);
    child_expect_ok(&result, "a stream of CPUs");
    expect_text("counts", result.out,
                "\"read\":4342,\"stored\":611,\"skipped\":3731,");
    expect_text("kinds", result.out, "{\"read\":178,\"write\":387,"
                                     "\"flush\":25,\"discard\":21}");
    child_finish(&result);
}

/* A CPU that has no file is named, and an empty file is none that is missing. */
static void test_missing_cpu(void **state)
{
    g_autofree char *one = sample_path("loop0.blktrace.1");
    g_autofree char *data = NULL;
    g_autofree char *copy = g_build_filename(dir, "d.blktrace.4", NULL);
    g_autofree char *empty = g_build_filename(dir, "d.blktrace.2", NULL);
    g_autofree char *name = g_build_filename(dir, "d", NULL);
    g_autofree char *log = g_build_filename(dir, "m.aiolog", NULL);
    ChildResult result;
    gsize len;

    assert_true(g_file_get_contents(one, &data, &len, NULL));
    assert_true(g_file_set_contents(copy, data, len, NULL));
    assert_true(g_file_set_contents(empty, "", 0, NULL));
    result = aiolab("import", name, "-f", "-o", log, NULL);
    child_expect_ok(&result, "a set with gaps");
    expect_text("notes", result.out, "CPU 0-1, 3 is missing");
    expect_text("count", result.out, "3577 records read");
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
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_loop_capture),
        cmocka_unit_test(test_stream_of_cpus),
        cmocka_unit_test(test_missing_cpu),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
