/* SPDX-License-Identifier: MIT */
/*
 * Columns and records come back as they were put, whatever their order, and
 * bytes from strangers give no more than false.
 */
#include "child.h"
#include "column.h"
#include "pack.h"
#include "store.h"
#include "testlib.h"

enum { MANY = 300000 };

static char *dir, *path;

/* A small generator of our own: the same numbers everywhere. */
static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state >> 16;
}

/* ---- Columns ---- */

static void expect_column(const int64_t *values, unsigned n, size_t most)
{
    static uint8_t packed[COLUMN_PACKED_MAX];
    static int64_t back[COLUMN_VALUES];
    size_t len = column_pack(values, n, packed);
    const uint8_t *at = packed;

    assert_true(len <= most);
    assert_true(column_unpack(&at, packed + len, back, n));
    assert_ptr_equal(at, packed + len);
    assert_memory_equal(values, back, n * sizeof(*values));
    at = packed;
    assert_false(column_unpack(&at, packed + len - 1, back, n));
}

static void test_columns(void **state)
{
    static int64_t values[COLUMN_VALUES];

    for (unsigned i = 0; i < COLUMN_VALUES; i++) {
        values[i] = -7;
    }
    expect_column(values, COLUMN_VALUES, 2);
    for (unsigned i = 0; i < COLUMN_VALUES; i++) {
        values[i] = i % 3 == 1 ? 4096 : INT64_MIN;
    }
    expect_column(values, COLUMN_VALUES, COLUMN_VALUES / 8 + 20);
    for (unsigned i = 0; i < COLUMN_VALUES; i++) {
        values[i] = 1795312943000000000 + (int64_t)i * 1000;
    }
    expect_column(values, COLUMN_VALUES, COLUMN_VALUES + 20);
    for (unsigned i = 0; i < COLUMN_VALUES; i++) {
        values[i] = (int64_t)(next_random() % 4096 * 4096);
    }
    expect_column(values, COLUMN_VALUES, COLUMN_VALUES * 2 + 20);
    for (unsigned i = 0; i < COLUMN_VALUES; i++) {
        values[i] = i % 2 ? INT64_MIN + (int64_t)next_random()
                          : INT64_MAX - (int64_t)next_random();
    }
    expect_column(values, COLUMN_VALUES, COLUMN_PACKED_MAX);
    expect_column(values, 2, 32);
}

/* ---- Records ---- */

static TraceRecord record_of(int64_t start)
{
    uint64_t r = next_random();

    return (TraceRecord){
        .queue_ns = r & 1 ? start : TRACE_NO_TIME, .issue_ns = start + (r & 1),
        .complete_ns = r & 2 ? start + (int64_t)(r % 100000) : TRACE_NO_TIME,
        .offset = r % (1 << 30) * 512, .bytes = (1 + r % 64) * 512,
        .place = next_random() % 1000000, .device = r % 3, .process = r % 5,
        .file = r % 2, .error = r % 7 ? 0 : -5, .cpu = r % 4,
        .op = r % TRACE_OP_MAX, .flags = r % 256, .quality = r % 4096,
    };
}

static int compare_starts(const void *a, const void *b, void *opaque)
{
    int64_t x = trace_record_start(a, TRACE_AT_QUEUE);
    int64_t y = trace_record_start(b, TRACE_AT_QUEUE);

    return x < y ? -1 : x > y;
}

static Log *write_all(const TraceRecord *records, unsigned n)
{
    Error *err = NULL;
    Log *log = log_create(path, true, &err);
    TraceWriter *writer;

    assert_non_null(log);
    writer = trace_writer_new(log, TRACE_AT_QUEUE);
    assert_int_equal(trace_writer_device(writer, "7,0", 3), 0);
    assert_int_equal(trace_writer_device(writer, "sda\xff", 4), 1);
    assert_int_equal(trace_writer_device(writer, "7,0", 3), 0);
    assert_int_equal(trace_writer_process(writer, "a b", 3, 5, -1), 0);
    assert_int_equal(trace_writer_process(writer, "a b", 3, 5, 6), 1);
    trace_writer_file(writer, "f", "fio3");
    for (unsigned i = 0; i < n; i++) {
        trace_writer_add(writer, &records[i]);
    }
    assert_int_equal(trace_writer_count(writer), n);
    assert_int_equal(trace_writer_finish(writer, TRACE_CLOCK_UNIX),
                     TRACE_AT_QUEUE);
    assert_true(log_close(log, &err));
    log = log_open(path, &err);
    assert_non_null(log);
    return log;
}

/* @records in the order in which they must come back. */
static void expect_records(Log *log, const TraceRecord *records, unsigned n)
{
    TraceReader *reader = trace_reader_open(log, NULL);
    int64_t origin = trace_record_start(&records[0], TRACE_AT_QUEUE);
    TraceRecord record;

    assert_non_null(reader);
    assert_int_equal(trace_reader_count(reader), n);
    for (unsigned i = 0; i < n; i++) {
        TraceRecord want = records[i];

        assert_true(trace_reader_next(reader, &record, NULL));
        want.queue_ns -= want.queue_ns == TRACE_NO_TIME ? 0 : origin;
        want.issue_ns -= origin;
        want.complete_ns -= want.complete_ns == TRACE_NO_TIME ? 0 : origin;
        assert_memory_equal(&record, &want, sizeof(record));
    }
    assert_false(trace_reader_next(reader, &record, NULL));
    trace_reader_seek(reader, n / 2 + 1);
    assert_true(trace_reader_next(reader, &record, NULL));
    assert_int_equal(record.offset, records[n / 2].offset);
    trace_reader_free(reader);
}

static void check_order(TraceRecord *records, unsigned n)
{
    Log *log = write_all(records, n);

    g_qsort_with_data(records, n, sizeof(*records), compare_starts, NULL);
    expect_records(log, records, n);
    log_close(log, NULL);
}

/* In order; a little out of it; two logs in one; and backwards. */
static void test_order(void **state)
{
    TraceRecord *records = g_new0(TraceRecord, MANY);

    for (unsigned kind = 0; kind < 4; kind++) {
        for (unsigned i = 0; i < MANY; i++) {
            int64_t start = kind == 0 ? i : kind == 1 ? i + i * 7 % 100
                          : kind == 2 ? i % (MANY / 2) : MANY - i;

            records[i] = record_of(1000 * start + 17);
        }
        check_order(records, MANY);
    }
    g_free(records);
}

static void test_names(void **state)
{
    TraceRecord record = record_of(1);
    Log *log = write_all(&record, 1);
    TraceNames *names = trace_names_load(log);

    assert_string_equal(trace_device_name(names, 0), "7,0");
    assert_string_equal(trace_device_name(names, 1), "sda\xef\xbf\xbd");
    assert_string_equal(trace_device_name(names, 2), "?");
    assert_string_equal(trace_process_name(names, 1).comm, "a b");
    assert_int_equal(trace_process_name(names, 0).tid, -1);
    assert_int_equal(trace_process_name(names, 1).tid, 6);
    trace_names_free(names);
    log_close(log, NULL);
}

static void test_strangers(void **state)
{
    static uint8_t packed[PACK_MAX];
    static TraceRecord records[COLUMN_VALUES];
    size_t len;

    for (unsigned i = 0; i < 1000; i++) {
        records[i] = record_of(i);
    }
    len = records_pack(records, 1000, packed);
    assert_true(records_unpack(packed, len, records, 1000));
    assert_false(records_unpack(packed, len - 1, records, 1000));
    assert_false(records_unpack(packed, len, records, 999));
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t *byte = &packed[next_random() % len], was = *byte;

        *byte = next_random();
        records_unpack(packed, len, records, 1000); /* no more than false */
        *byte = was;
    }
    assert_true(records_unpack(packed, len, records, 1000));
}

static int setup(void **state)
{
    dir = test_dir_new();
    path = g_build_filename(dir, "t.aiolog", NULL);
    return 0;
}

static int teardown(void **state)
{
    test_dir_free(dir);
    g_free(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_strangers),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
