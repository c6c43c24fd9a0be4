/* SPDX-License-Identifier: MIT */
/*
 * Every parser gets its samples with bytes changed, lines cut and pieces
 * swapped: it accounts for each line, and neither crashes nor goes on for ever.
 * tests/fuzz/long does the same for hours.
 */
#include "one-input.h"
#include "child.h"
#include "testlib.h"
#include "traces-util.h"

enum { SAMPLE_MAX = 24576, ROUNDS = 200 };

/* Where each format's input is taken from; or a text. */
static const struct {
    const char *format, *file, *text;
} seeds[] = {
    {"fio1", "fio1.txt", NULL}, {"fio2", "fio2_wait.txt", NULL},
    {"fio3", "fio_v3_torn_numjobs.iolog.xz", NULL},
    {"blktrace", "loop0.blktrace.0", NULL},
    {"blktrace", "synthetic_bigendian.blktrace.0", NULL},
    {"blktrace", "synthetic_v8_blk_io_trace2.blktrace.0", NULL},
    {"blkparse", "loop0.blkparse.txt.xz", NULL},
    {"ftrace", "ftrace_block_events.txt.xz", NULL},
    {"ftrace", "ftrace_write_zeroes_discard_fua.txt.xz", NULL},
    {"ftrace", "ftrace_io_uring_events.txt.xz", NULL},
    {"ftrace", "perf_script_block.txt.xz", NULL},
    {"qemu-log", "qemu_io_log_notimestamp.txt.xz", NULL},
    {"qemu-log", "qemu_log_timestamped_monitor.txt.xz", NULL},
    {"qemu-log", NULL,
     "qemu_aio_coroutine_enter ctx 0x5 from 0x6 to 0x7 opaque (nil)\n"
     "blk_co_pwritev blk 0x3 bs 0x1 offset 0 bytes 4096 flags 0x16\n"
     "qemu_co_mutex_lock_entry mutex 0x9 self 0x7\n"
     "thread_pool_submit pool 0x1 req 0x2 opaque 0x3\n"
     "qemu_coroutine_yield from 0x7 to 0x6\n"
     "job_state_transition job 0x1 (ret: 0) attempting allowed transition "
     "(created-->running)\n"
     "qemu_coroutine_terminate self 0x7\n"},
    {"simpletrace", "qemu_img_bench.simpletrace.xz", NULL},
    {"biosnoop", "bpftrace_block.txt.xz", NULL},
    {"strace", "strace_qemu_io_threads.txt.xz", NULL},
    {"strace", "strace_sqlite.txt.xz", NULL},
    {"perf-trace", "perf_trace_sqlite.txt.xz", NULL},
    {"msr", "msr_cambridge_rows.csv", NULL},
    {"systor", "systor_blank_iotype.txt", NULL},
    {"alibaba", "alibaba_rows.csv", NULL},
    {"tencent", "tencent_rows.csv", NULL}, {"spc", "spc_rows.csv", NULL},
    {"fiu", "fiu_rows.txt", NULL}, {"mqsim", "tpcc-small.trace.xz", NULL},
    {"disksim", NULL, "1.5 0 100 8 1\n2.25 0 200 16 0\n"},
    {"blkreplay", NULL, "start ; sector; length ; op\n1.5 ; 8 ; 2 ; R ; 0.0\n"},
    {"csv", NULL,
     "queue_ns,issue_ns,complete_ns,op,flags,offset,bytes,device,comm,pid,tid,"
     "cpu,error,quality\n1,2,3,write,preflush+fua,0,512,\"a \"\"b\",c,1,2,0,-5,"
     "merged\n"},
    {"columns", NULL, "when what\n1 read 5 6 sda 7 8 x\n"},
    {"vscsi", NULL, "\1\0\0\0\0\20\0\0\1\0\0\0\x28\0\0\1"
                    "\5\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0"},
};

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state >> 24;
}

/* The beginning of the sample, unpacked. */
static uint8_t *load_seed(unsigned i, size_t *len)
{
    g_autofree char *path = NULL;
    TraceSource *source;
    const uint8_t *bytes;
    uint8_t *copy;

    if (!seeds[i].file) {
        *len = strlen(seeds[i].text);
        *len = g_str_equal(seeds[i].format, "vscsi") ? 32 : *len;
        return g_memdup2(seeds[i].text, *len);
    }
    path = sample_path(seeds[i].file);
    source = trace_source_open(path, TRACE_BUFFER_BYTES, &error_abort);
    bytes = trace_source_peek(source, SAMPLE_MAX, len);
    *len = MIN(*len, SAMPLE_MAX);
    copy = g_memdup2(bytes, *len);
    trace_source_close(source);
    return copy;
}

/* A few bytes are others, a stretch is moved, the end is cut. */
static size_t mutate(uint8_t *bytes, size_t len)
{
    static const char interesting[] = "0918-+.,:;()[]{}\"\\<>@ \t\n\0\377=";
    size_t n = 1 + next_random() % 8;

    while (n--) {
        size_t at = next_random() % len, from = next_random() % len;
        size_t stretch = next_random() % 64;

        switch (next_random() % 4) {
        case 0:
            bytes[at] = next_random();
            break;
        case 1:
            bytes[at] = interesting[next_random() % sizeof(interesting)];
            break;
        default:
            stretch = MIN(stretch, len - MAX(at, from));
            memmove(bytes + at, bytes + from, stretch);
            break;
        }
    }
    return next_random() % 4 ? len : next_random() % len;
}

static void mutate_seed(unsigned i)
{
    const TraceFormat *format = trace_format_find(seeds[i].format);
    size_t len;
    g_autofree uint8_t *seed = load_seed(i, &len);

    assert_non_null(format);
    if (!one_input(format, seed, len)) {
        fail_msg("%s: its seed makes no record", seeds[i].format);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        g_autofree uint8_t *bytes = g_memdup2(seed, len);

        one_input(format, bytes, mutate(bytes, len));
    }
}

static void test_mutate(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(seeds); i++) {
        mutate_seed(i);
    }
}

/* No format is left out above. */
static void test_all_formats(void **state)
{
    for (unsigned i = 0; i < trace_formats_count; i++) {
        bool found = false;

        for (unsigned k = 0; k < G_N_ELEMENTS(seeds); k++) {
            found |= g_str_equal(seeds[k].format, trace_formats[i]->name);
        }
        if (!found) {
            fail_msg("%s has no seed", trace_formats[i]->name);
        }
    }
}

/* What was changed may be anything, but is not told for something else. */
static void test_detection(void **state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(seeds); i++) {
        size_t len;
        g_autofree uint8_t *seed = load_seed(i, &len);

        for (unsigned round = 0; round < 5; round++) {
            g_autofree uint8_t *bytes = g_memdup2(seed, len);
            size_t n = round ? mutate(bytes, len) : len;
            TraceSample sample = {(char *)bytes, (char *)bytes + n, true};
            g_autofree char *why = NULL;
            Error *err = NULL;
            const TraceFormat *format = trace_format_detect(&sample, "x", &why,
                                                            &err);

            if (format && strcmp(format->name, seeds[i].format)) {
                fail_msg("%s is told for %s, round %u", seeds[i].format,
                         format->name, round);
            }
            error_free(err);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_formats),
        cmocka_unit_test(test_mutate),
        cmocka_unit_test(test_detection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
