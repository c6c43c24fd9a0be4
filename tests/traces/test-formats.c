/* SPDX-License-Identifier: MIT */
/*
 * What each format can say, a few lines at a time: the records that come of
 * them, as the CSV of an export has them:
 * queue,issue,complete,op,flags,offset,bytes,device,comm,pid,tid,cpu,error,quality
 */
#include "traces-util.h"
#include "testlib.h"

static char *dir;

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

static void expect_records(const char *text, const char *format,
                           const char *want)
{
    g_autofree char *got = import_bytes(dir, text, -1, format, 0);

    if (strcmp(got, want)) {
        fail_msg("of\n%sit makes\n%snot\n%s", text, got, want);
    }
}

/* ---- Block events ---- */

static void test_trace_cmd(void **state)
{
    expect_records(
        "cpus=2\n"
        "     dd-odd 1-99    [001]    10.000001: block_bio_queue:      "
        "8,0 FWS 100 + 8 [dd]\n"
        "     dd-odd 1-99    [001]    10.000002: block_rq_issue:       "
        "8,0 WS 4096 () 100 + 8 [dd]\n"
        "     <idle>-0     [000]    10.000009: block_rq_complete:    "
        "8,0 WS () 100 + 8 [-5]\n",
        "ftrace",
        "0,1000,8000,write,preflush+sync,51200,4096,\"8,0\",\"dd-odd 1\",99,99,"
        "1,-5,\n");
}

/* One issue is split by the device, one queue goes down two layers. */
static void test_split_and_layers(void **state)
{
    expect_records(
        "  253,0    0        1     0.000000000  7  Q   R 0 + 8 [a]\n"
        "  8,0    0        2     0.000000100  7  A   R 64 + 8 <- (253,0) 0\n"
        "  8,0    0        3     0.000000200  7  Q   R 64 + 8 [a]\n"
        "  8,0    0        4     0.000000300  7  X   R 64 / 68 [a]\n"
        "  8,0    0        5     0.000000400  7  D   R 64 + 4 [a]\n"
        "  8,0    0        6     0.000000500  7  D   R 68 + 4 [a]\n"
        "  8,0    0        7     0.000000600  0  C   R 64 + 4 [0]\n"
        "  8,0    0        8     0.000000700  0  C   R 68 + 4 [0]\n"
        "  253,0    0        9     0.000000800  0  C   R 0 + 8 [0]\n",
        "blkparse",
        "0,400,800,read,,0,4096,\"253,0\",a,7,-1,0,0,split\n");
}

/* Two bios go as one request; a third is issued again. */
static void test_merge_and_reissue(void **state)
{
    expect_records(
        "  8,0    1        1     0.000000000  7  Q   W 8 + 8 [a b]\n"
        "  8,0    1        2     0.000000010  7  G   W 8 + 8 [a b]\n"
        "  8,0    1        3     0.000000020  7  Q   W 16 + 8 [a b]\n"
        "  8,0    1        4     0.000000030  7  M   W 16 + 8 [a b]\n"
        "  8,0    1        5     0.000000040  7  U   N [a b] 1\n"
        "  8,0    1        6     0.000000050  7  D   W 8 + 16 (   50) [a b]\n"
        "  8,0    1        7     0.000000060  7  R   W 8 + 16 [0]\n"
        "  8,0    1        8     0.000000070  7  D   W 8 + 16 (   70) [a b]\n"
        "  8,0    1        9     0.000000090  0  C   W 8 + 16 (   20) [0]\n",
        "blkparse",
        "0,50,90,write,,4096,4096,\"8,0\",\"a b\",7,-1,1,0,reissued\n"
        "20,50,90,write,,8192,4096,\"8,0\",\"a b\",7,-1,1,0,reissued+merged\n");
}

static void test_cgroup_column(void **state)
{
    expect_records(
        "# tracer: blk\n"
        "     x-12    [000] d..1.     1.000001:   7,0   1,0  Q  DS 8 + 16 [x]\n"
        "     x-12    [000] d..1.     1.000003:   7,0    D  DS 8 + 16 [x]\n"
        "     x-12    [000] d..1.     1.000004:   7,0    C  DS 8 + 16 [0]\n"
        "CPU:1 [LOST 12 EVENTS]\n",
        NULL,
        "0,2000,3000,discard,sync,4096,8192,\"7,0\",x,12,12,0,0,\n");
}

static void test_perf_script(void **state)
{
    expect_records(
        "     a b   7/8  [003]    5.000000100:     block:block_rq_issue: "
        "254,0 N 8192 () 16 + 16 0x2,0,4 [a b]\n"
        "     a b   7/8  [003]    5.000000300:  1  block:block_rq_complete: "
        "254,0 N () 16 + 16 0x2,0,4 [0]\n",
        NULL,
        ",0,200,write-zeroes,,8192,8192,\"254,0\",\"a b\",7,8,3,0,\n");
}

/* perf script -F comm,tid,time,event,trace */
static void test_perf_script_without_cpu(void **state)
{
    expect_records(
        "     a 1   8     5.000000100: block:block_rq_issue: "
        "8,0 R 512 () 16 + 1 0x2,0,4 [a 1]\n"
        "     a 1   8     5.000000300: block:block_rq_complete: "
        "8,0 R () 16 + 1 0x2,0,4 [0]\n",
        NULL,
        ",0,200,read,,8192,512,\"8,0\",\"a 1\",8,8,0,0,\n");
}

/* ---- biosnoop ---- */

static void test_biosnoop(void **state)
{
    expect_records(
        "TIME(s)     COMM           PID     DISK      T SECTOR     BYTES  "
        "QUE(ms) LAT(ms)\n"
        "1.000000    my cmd         12      sda       W 8          4096   "
        "0.50    1.25\n"
        "1.500000    ?              ?       <unknown> RA 16         512   "
        "0.00    0.10\n"
        "lost 3 events\n",
        NULL,
        "0,500000,1750000,write,,4096,4096,sda,\"my cmd\",12,-1,0,0,"
        "latency-synth\n"
        ",501650000,501750000,read,ahead,8192,512,<unknown>,?,-1,-1,0,0,"
        "latency-synth\n");
    expect_records(
        "STARTs         ENDs           COMM         PID    TYPE DEV      BLOCK"
        "        BYTES     LATms\n"
        "10.000000      10.002000      sync         9      WS   202,1    8"
        "            4096       2.00\n",
        NULL,
        ",0,2000000,write,sync,4096,4096,\"202,1\",sync,9,-1,0,0,"
        "latency-synth\n");
}

/* Lines that are told by what they look like. */
static void test_no_title(void **state)
{
    expect_records(
        "0.000100 x 1 sda R 8 512 0.05\n0.000200 y z 2 sda W 9 512 0.05\n", NULL,
        ",0,50000,read,,4096,512,sda,x,1,-1,0,0,latency-synth\n"
        ",100000,150000,write,,4608,512,sda,\"y z\",2,-1,0,0,latency-synth\n");
    expect_records("1.5 ; 8 ; 2 ; W ; 0.0 ; 0.0\n2.5 ; 9 ; 1 ; R ; 0.0 ; 0.0\n",
                   NULL,
                   ",0,,write,,4096,1024,,,-1,-1,0,0,\n"
                   ",1000000000,,read,,4608,512,,,-1,-1,0,0,\n");
}

/* ---- System calls ---- */

/* Positions are followed through dup(), lseek() and O_APPEND. */
static void test_strace_positions(void **state)
{
    expect_records(
        "10:00:00.000001 openat(AT_FDCWD, \"/a, \\\"b\", O_RDWR) = 3 <0.000001>\n"
        "10:00:00.000002 read(3, \"x) = 9\"..., 100) = 100 <0.000001>\n"
        "10:00:00.000003 dup(3) = 4\n"
        "10:00:00.000004 write(4, \"...\", 50) = 50 <0.000002>\n"
        "10:00:00.000005 lseek(3, 4096, SEEK_SET) = 4096\n"
        "10:00:00.000006 write(4, \"\", 10) = 10\n"
        "10:00:00.000007 pwrite64(3, \"\", 8, 512) = -1 EIO (Input/output error)\n"
        "10:00:00.000008 fallocate(3, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE,"
        " 0, 4096) = 0\n"
        "10:00:00.000009 fdatasync(3) = 0 <0.000100>\n"
        "10:00:00.000010 close(3) = 0\n"
        "10:00:00.000011 write(1, \"out\", 3) = 3\n",
        NULL,
        "0,,1000,read,,0,100,\"/a, \\\"\"b\",,-1,-1,0,0,\n"
        "2000,,4000,write,,100,50,\"/a, \\\"\"b\",,-1,-1,0,0,\n"
        "4000,,,write,,4096,10,\"/a, \\\"\"b\",,-1,-1,0,0,\n"
        "6000,,,discard,,0,4096,\"/a, \\\"\"b\",,-1,-1,0,0,\n"
        "7000,,107000,datasync,,0,0,\"/a, \\\"\"b\",,-1,-1,0,0,\n");
}

static void test_strace_threads(void **state)
{
    expect_records(
        "[pid    7] 1700000000.000001 pwrite64(4</d>, \"a\"..., 512, 1024 "
        "<unfinished ...>\n"
        "[pid    8] 1700000000.000002 pread64(4</d>,  <unfinished ...>\n"
        "[pid    8] 1700000000.000003 <... pread64 resumed>\"\\0\", 512, 0) = 512 "
        "<0.000001>\n"
        "[pid    7] 1700000000.000005 <... pwrite64 resumed>) = 512 <0.000004>\n"
        "[pid    7] 1700000000.000006 io_submit(0x7f, 2, [{aio_data=0, "
        "aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=4</d>, aio_buf=0x1, "
        "aio_nbytes=4096, aio_offset=8192}, {aio_lio_opcode=IOCB_CMD_FDSYNC, "
        "aio_fildes=4</d>}]) = 2 <0.000009>\n"
        "[pid    7] 1700000000.000020 +++ exited with 0 +++\n",
        NULL,
        "0,,4000,write,,1024,512,/d,,-1,7,0,0,\n"
        "1000,,2000,read,,0,512,/d,,-1,8,0,0,\n"
        "5000,,,read,,8192,4096,/d,,-1,7,0,0,\n"
        "5000,,,datasync,,0,0,/d,,-1,7,0,0,\n");
}

static void test_perf_trace(void **state)
{
    expect_records(
        "     1.000 ( 0.010 ms): db/77 openat(dfd: CWD, filename: \"/d\", flags: "
        "RDWR)         = 5\n"
        "     2.000 ( 0.020 ms): db/77 pwrite64(fd: 5, buf: 0x1, count: 512)"
        "            = 512\n"
        "     3.000 ( 0.030 ms): db/77 pread64(fd: 5</d>, buf: 0x1, count: 512, "
        "pos: 1024)  = 256\n"
        "     4.000 (         ): db/77 fdatasync(fd: 5</d>) ...\n",
        NULL,
        "0,,20000,write,,0,512,/d,db,-1,77,0,0,\n"
        "1000000,,1030000,read,,1024,256,/d,db,-1,77,0,0,\n");
}

/* ---- Tables ---- */

static void test_tables(void **state)
{
    expect_records("1.5 0 100 8 1\n2.25 0 200 16 0\n", NULL,
                   ",0,,read,,51200,4096,0,,-1,-1,0,0,\n"
                   ",750000,,write,,102400,8192,0,,-1,-1,0,0,\n");
    expect_records("0, 10, 512, w, 1.0, x\n0,5,1024,R,0.5\n", NULL,
                   ",0,,read,,2560,1024,0,,-1,-1,0,0,time-repaired\n"
                   ",500000000,,write,,5120,512,0,,-1,-1,0,0,\n");
    expect_records("notice\nstart ; sector; length ; op ; replay_delay=0\n"
                   " 1.000000001 ; 8 ; 2 ;RA ; 0.0 ; 0.0\n", NULL,
                   ",0,,read,,4096,1024,,,-1,-1,0,0,\n");
}

static void test_columns(void **state)
{
    g_autofree char *in = g_build_filename(dir, "table", NULL);
    g_autofree char *log = g_build_filename(dir, "table.aiolog", NULL);
    g_autofree char *csv = NULL;
    ChildResult result;

    assert_true(g_file_set_contents(
        in, "when|what|page|pages|disk|took\n5|trim|2|3|a b|7\n", -1, NULL));
    result = aiolab("import", in, "-f", "-q", "-o", log, "--columns",
                    "time:ms,op,offset:page,bytes:page,device,latency:us",
                    NULL);
    child_expect_ok(&result, "--columns");
    child_finish(&result);
    csv = export_csv(dir, log);
    assert_string_equal(csv, ",0,7000,discard,,8192,12288,\"a b\",,-1,-1,0,0,"
                             "latency-synth\n");
    result = aiolab("import", in, "-f", "-o", log, "--columns", "time:h,op",
                    NULL);
    child_expect_status(&result, 2, "a unit that there is not");
    expect_text("error", result.err, "time has no unit 'h'");
    child_finish(&result);
    result = aiolab("import", in, "-f", "-o", log, "--columns",
                    "op,,offset,bytes", NULL);
    child_expect_status(&result, 2, "a column without a name");
    expect_text("error", result.err, "'' is none of -, time");
    child_finish(&result);
}

/* ---- vscsi ---- */

static void put32(GByteArray *out, uint32_t value)
{
    g_byte_array_append(out, (uint8_t *)&value, 4);
}

static void put64(GByteArray *out, uint64_t value)
{
    g_byte_array_append(out, (uint8_t *)&value, 8);
}

static void test_vscsi(void **state)
{
    static const struct {
        unsigned version;
        const char *want;
    } forms[] = {
        {1, ",0,,read,,51200,4096,vscsi,,-1,-1,0,0,\n"
            ",1000,,discard,,51200,4096,vscsi,,-1,-1,0,0,\n"},
        {2, ",0,7000,read,,51200,4096,vscsi,,-1,-1,0,0,latency-synth\n"
            ",1000,8000,discard,,51200,4096,vscsi,,-1,-1,0,0,latency-synth\n"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(forms); i++) {
        GByteArray *out = g_byte_array_new();
        g_autofree char *got = NULL;

        for (unsigned n = 0; n < 3; n++) {
            uint32_t command = n == 0 ? 0x28 : n == 1 ? 0x42 : 0x12;
            bool v1 = forms[i].version == 1;

            put32(out, v1 ? n : command | forms[i].version << 24);
            put32(out, v1 ? 4096 : n);
            put32(out, v1 ? 1 : 4096);
            put32(out, v1 ? command | 1u << 24 : 1);
            put64(out, 100);
            put64(out, 5000000 + n);
            if (!v1) {
                put64(out, 7);
            }
        }
        got = import_bytes(dir, (char *)out->data, out->len, NULL, 0);
        assert_string_equal(got, forms[i].want);
        g_byte_array_free(out, true);
    }
}

/* ---- QEMU ---- */

static void test_qemu_stamps(void **state)
{
    expect_records(
        "2026-11-22T02:31:20.000001Z luring_co_submit bs 0x1 req 0x2 fd 8 offset "
        "4096 nbytes 512 type 2\n"
        "2026-11-22T02:31:20.000004Z luring_cqe_handler req 0x2 ret -28\n"
        "2026-11-22T02:31:20.000005Z luring_co_submit bs 0x1 luringcb 0x3 fd 8 "
        "offset 0 nbytes 0 type 8\n",
        NULL,
        ",0,3000,write,,4096,512,\"bs 0x1\",qemu,-1,-1,0,-28,\n"
        ",4000,,flush,,0,0,\"bs 0x1\",qemu,-1,-1,0,0,\n");
    expect_records(
        "7@1700000000.000001:bdrv_open_common bs 0x1 filename \"/d.qcow2\" flags "
        "0x2 format_name \"qcow2\"\n"
        "7@1700000000.000002:qemu_aio_coroutine_enter ctx 0x5 from 0x6 to 0x7 "
        "opaque (nil)\n"
        "7@1700000000.000003:blk_co_pwritev blk 0x3 bs 0x1 offset 0 bytes 4096 "
        "flags 0x16\n"
        "7@1700000000.000004:qemu_coroutine_yield from 0x7 to 0x6\n"
        "7@1700000000.000005:qemu_aio_coroutine_enter ctx 0x5 from 0x6 to 0x7 "
        "opaque (nil)\n"
        "7@1700000000.000006:qemu_coroutine_terminate self 0x7\n",
        NULL,
        "0,,3000,write-zeroes,fua+unmap,0,4096,/d.qcow2,qemu,-1,7,0,0,\n");
}

/* ---- What it is not sure of ---- */

static void test_unsure(void **state)
{
    static const struct {
        const char *text, *says;
    } files[] = {
        {"hello world\nthis is no trace\n", "is of no format that is known"},
        {"1,2,3,0,4\n2,3,4,1,5\n", "is of no format that is known"},
        {"", "is empty"},
        {"fio version 3 iolog\n0 /d add\n", "nothing that can be used"},
    };
    g_autofree char *in = g_build_filename(dir, "u", NULL);
    g_autofree char *log = g_build_filename(dir, "u.aiolog", NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        ChildResult result;

        assert_true(g_file_set_contents(in, files[i].text, -1, NULL));
        result = aiolab("import", in, "-o", log, NULL);
        child_expect_status(&result, 3, files[i].text);
        expect_text(files[i].text, result.err, files[i].says);
        child_finish(&result);
        assert_false(g_file_test(log, G_FILE_TEST_EXISTS));
    }
}

/* Packed files that are damaged, a log that is in the way, and --max-bad. */
static void test_refusals(void **state)
{
    g_autofree char *in = g_build_filename(dir, "r", NULL);
    g_autofree char *log = g_build_filename(dir, "r.aiolog", NULL);
    ChildResult result;

    assert_true(g_file_set_contents(in, "\x1f\x8b\x08garbage", -1, NULL));
    result = aiolab("import", in, "-o", log, NULL);
    child_expect_status(&result, 3, "a damaged file");
    child_finish(&result);
    assert_true(g_file_set_contents(
        in, "fio version 3 iolog\n1 d read 0 512\n2 d wrote 0 512\n", -1, NULL));
    result = aiolab("import", in, "-o", log, "--max-bad", "1", NULL);
    child_expect_ok(&result, "--max-bad 1");
    expect_text("reject", result.out, ":3: operation: 2 d wrote 0 512");
    child_finish(&result);
    result = aiolab("import", in, "-o", log, NULL);
    child_expect_status(&result, 3, "a log that is there");
    expect_text("error", result.err, "exists already");
    child_finish(&result);
    result = aiolab("import", in, "-o", log, "-f", "--max-bad", "10%", NULL);
    child_expect_status(&result, 3, "--max-bad 10%");
    child_finish(&result);
    result = aiolab("import", in, "-o", log, "-f", "--format", "no", NULL);
    child_expect_status(&result, 2, "an unknown format");
    child_finish(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_cmd),
        cmocka_unit_test(test_split_and_layers),
        cmocka_unit_test(test_merge_and_reissue),
        cmocka_unit_test(test_cgroup_column),
        cmocka_unit_test(test_perf_script),
        cmocka_unit_test(test_perf_script_without_cpu),
        cmocka_unit_test(test_biosnoop),
        cmocka_unit_test(test_no_title),
        cmocka_unit_test(test_strace_positions),
        cmocka_unit_test(test_strace_threads),
        cmocka_unit_test(test_perf_trace),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_vscsi),
        cmocka_unit_test(test_qemu_stamps),
        cmocka_unit_test(test_unsure),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
