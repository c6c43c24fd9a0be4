/* SPDX-License-Identifier: MIT */
/*
 * CloudPhysics' vscsi traces: records of 32 bytes (version 1) or 40 (version
 * 2, with the time that the request took), one virtual disk a file.
 *
 * There is no magic number: the version stands in each record, and what is
 * before and behind it must be plausible.
 */
#include "formats.h"

#include <endian.h>

enum {
    V1_SIZE = 32, V2_SIZE = 40,
    LOOK_AT = 64, /* records that must all have the version */
    SECTOR = 512,
};

typedef struct Vscsi {
    uint64_t sector, time_us, took_us;
    uint32_t bytes;
    uint16_t command, version;
} Vscsi;

static uint16_t get16(const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof(value));
    return le16toh(value);
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return le32toh(value);
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return le64toh(value);
}

static Vscsi unpack(const uint8_t *d, unsigned version)
{
    if (version == 1) {
        return (Vscsi){
            .bytes = get32(d + 4), .command = get16(d + 12),
            .version = get16(d + 14), .sector = get64(d + 16),
            .time_us = get64(d + 24),
        };
    }
    return (Vscsi){
        .command = get16(d), .version = get16(d + 2), .bytes = get32(d + 8),
        .sector = get64(d + 16), .time_us = get64(d + 24),
        .took_us = get64(d + 32),
    };
}

/* SCSI's operation codes. */
static TraceOp op_of(uint16_t command)
{
    switch (command & 0xff) {
    case 0x08: case 0x28: case 0xa8: case 0x88:
        return TRACE_READ;
    case 0x0a: case 0x2a: case 0xaa: case 0x8a: case 0x2e: case 0x8e:
        return TRACE_WRITE;
    case 0x35: case 0x91:
        return TRACE_FLUSH;
    case 0x42:
        return TRACE_DISCARD;
    case 0x41: case 0x93:
        return TRACE_WRITE_ZEROES;
    default:
        return TRACE_OP_MAX;
    }
}

/* Whether all records at the beginning are of that version. */
static bool all_are(const TraceSample *sample, unsigned version)
{
    size_t size = version == 1 ? V1_SIZE : V2_SIZE;
    size_t n = MIN((size_t)(sample->end - sample->text) / size, LOOK_AT);
    const uint8_t *at = (const uint8_t *)sample->text;

    for (size_t i = 0; i < n; i++) {
        Vscsi record = unpack(at + i * size, version);

        if (record.version >> 8 != (int)version || record.command > 0xff ||
            record.bytes > 1 << 30) {
            return false;
        }
    }
    return n > 0;
}

bool vscsi_recognise(const TraceSample *sample, const char **why)
{
    *why = "its records all have the version of such";
    return all_are(sample, 1) || all_are(sample, 2);
}

static void take(TraceImport *import, const Vscsi *raw, unsigned version)
{
    TraceRecord record = trace_import_record(import);

    record.op = op_of(raw->command);
    if (raw->version >> 8 != (int)version) {
        trace_import_reject(import, REASON_MAGIC, "", 0);
        return;
    }
    if (record.op == TRACE_OP_MAX) {
        trace_import_skip(import, REASON_EVENT);
        return;
    }
    if (raw->sector > INT64_MAX / SECTOR / 2 ||
        raw->time_us > INT64_MAX / 1000 / 2 ||
        raw->took_us > INT64_MAX / 1000 / 2) {
        trace_import_reject(import, REASON_RANGE, "", 0);
        return;
    }
    if (trace_op_has_range(record.op)) {
        if (!raw->bytes) {
            trace_import_skip(import, REASON_EMPTY);
            return;
        }
        record.offset = raw->sector * SECTOR;
        record.bytes = raw->bytes;
    }
    record.issue_ns = raw->time_us * 1000;
    if (version == 2) {
        record.complete_ns = record.issue_ns + raw->took_us * 1000;
        record.quality |= TRACE_QUALITY_LATENCY_SYNTH;
    }
    record.device = trace_import_device(import, (Word){"vscsi", 5});
    record.process = trace_import_process(import, (Word){"", 0}, -1, -1);
    trace_import_store(import, &record);
}

static void read_one(TraceImport *import, TraceSource *source)
{
    size_t len, size;
    const uint8_t *data = trace_source_peek(source, TRACE_SAMPLE_BYTES, &len);
    TraceSample sample = {(const char *)data, (const char *)data + len, false};
    unsigned version = all_are(&sample, 1) ? 1 : 2;

    size = version == 1 ? V1_SIZE : V2_SIZE;
    while (trace_import_goes_on(import)) {
        Vscsi raw;

        data = trace_source_peek(source, size, &len);
        if (!len) {
            return;
        }
        import->place = trace_source_offset(source);
        if (len < size) {
            trace_source_skip(source, len);
            trace_import_skip(import, REASON_CUT);
            return;
        }
        raw = unpack(data, version);
        take(import, &raw, version);
        trace_source_skip(source, size);
    }
}

bool vscsi_read(TraceImport *import, TraceSource **sources, unsigned n,
                Error **errp)
{
    for (unsigned i = 0; i < n; i++) {
        import->file = i;
        read_one(import, sources[i]);
        if (!trace_source_check(sources[i], errp)) {
            return false;
        }
    }
    return true;
}
