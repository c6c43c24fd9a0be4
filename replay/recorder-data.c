/* SPDX-License-Identifier: MIT */
/* The recorder's data: what was read, what was overwritten, and from where. */
#include "recorder-internal.h"

#include "qemu/iov.h"

#include <unistd.h>

/* ---- Data ---- */

static RecordedFile *recorded_file(int fd, unsigned *ordinal)
{
    for (unsigned i = 0; i < rec.files->len; i++) {
        RecordedFile *file = &g_array_index(rec.files, RecordedFile, i);

        if (file->fd == fd) {
            *ordinal = i;
            return file;
        }
    }
    return NULL;
}

/*
 * The first @len bytes of @iov in one piece: where they are, or in a copy that
 * the caller frees with *copy.
 */
static const void *flatten(const struct iovec *iov, unsigned niov, size_t len,
                           uint8_t **copy)
{
    if (niov == 1) {
        return iov->iov_base;
    }
    *copy = g_malloc(len);
    iov_to_buf(iov, niov, 0, *copy, len);
    return *copy;
}

/* ---- Overlapping requests ---- */

enum { PAGE = 4096 };

typedef struct Range {
    uint64_t begin, end;
} Range;

static Range range_of(const Pending *pending)
{
    struct iovec one;
    unsigned niov;
    const struct iovec *iov = pending_iov(pending, &one, &niov);

    return (Range){pending->off, pending->off + iov_size(iov, niov)};
}

static bool moves_data(const Pending *pending)
{
    return pending_is_read(pending) || pending_is_write(pending);
}

static void two_writes(const Pending *write, Range a, Range b)
{
    unsigned ordinal;
    RecordedFile *file = recorded_file(write->fd, &ordinal);
    uint64_t begin = MAX(a.begin, b.begin), end = MIN(a.end, b.end);

    for (uint64_t page = begin / PAGE; file && page <= (end - 1) / PAGE;
         page++) {
        g_hash_table_add(file->uncertain, GSIZE_TO_POINTER(page));
    }
}

static void note_overlap(Pending *pending, Range range, Pending *other)
{
    Range others = range_of(other);

    if (other->fd != pending->fd || others.begin >= range.end ||
        others.end <= range.begin) {
        return;
    }
    if (pending_is_write(pending) && pending_is_write(other)) {
        two_writes(pending, range, others);
    } else if (pending_is_write(pending) || pending_is_write(other)) {
        pending->contended = other->contended = true;
    }
}

static void rec_note_overlaps(Pending *pending)
{
    Pending *other;
    Range range;

    if (!moves_data(pending) ||
        (!rec.pending.writes && !pending_is_write(pending))) {
        return; /* reads alone do not disturb each other */
    }
    range = range_of(pending);
    QTAILQ_FOREACH(other, &rec.pending.in_flight, in_flight) {
        if (other != pending && moves_data(other)) {
            note_overlap(pending, range, other);
        }
    }
}

/* A replay could not tell what the read found: its data must be kept. */
static bool is_uncertain(const Pending *read)
{
    unsigned ordinal;
    RecordedFile *file;
    Range range;

    if (read->contended) {
        return true;
    }
    file = recorded_file(read->fd, &ordinal);
    if (!file || !g_hash_table_size(file->uncertain)) {
        return false;
    }
    range = range_of(read);
    for (uint64_t page = range.begin / PAGE; page <= (range.end - 1) / PAGE;
         page++) {
        if (g_hash_table_contains(file->uncertain, GSIZE_TO_POINTER(page))) {
            return true;
        }
    }
    return false;
}

/* A result: @with_data if it brought what a replay could not know. */
static void put_result(const Pending *pending, InputKind kind,
                       InputKind with_data, uint64_t obj, int32_t res)
{
    if (res > 0 && pending_is_read(pending)) {
        struct iovec one;
        unsigned niov;
        const struct iovec *iov = pending_iov(pending, &one, &niov);
        g_autofree uint8_t *copy = NULL;
        const void *data = flatten(iov, niov, res, &copy);
        uint64_t hash = content_hash(data, res);

        if (rec.policy == DATA_FULL || is_uncertain(pending)) {
            ring_put_bytes(rec_ring, hash, data, res);
        }
        rec_put(with_data, obj, res, hash);
    } else {
        rec_put(kind, obj, (int64_t)res, 0);
    }
}

void rec_put_cqe(CqeHandler *handler)
{
    uint64_t id = handler->cqe.user_data;

    put_result(pending_find(&rec.pending, id), INPUT_CQE, INPUT_CQE_DATA, id,
               handler->cqe.res);
    pending_remove(&rec.pending, id);
}

static void rec_save_preimage(const Pending *write)
{
    struct iovec one;
    unsigned niov, ordinal;
    const struct iovec *iov = pending_iov(write, &one, &niov);
    RecordedFile *file = recorded_file(write->fd, &ordinal);
    uint64_t end = write->off + iov_size(iov, niov);

    for (uint64_t at = ROUND_DOWN(write->off, CLUSTER); file && at < end;
         at += CLUSTER) {
        gpointer key = GSIZE_TO_POINTER(at / CLUSTER);
        ssize_t len;

        if (!g_hash_table_add(file->saved, key)) {
            continue;
        }
        len = pread(file->fd, rec.cluster, CLUSTER, at);
        if (len > 0) {
            uint64_t hash = content_hash(rec.cluster, len);

            ring_put_bytes(rec_ring, hash, rec.cluster, len);
            rec_put(INPUT_PREIMAGE, ordinal, at, hash);
        }
    }
}

void rec_note_request(Pending *pending)
{
    if (rec.policy == DATA_HASH && !rec.simulated) {
        rec_note_overlaps(pending);
        if (pending_is_write(pending)) {
            rec_save_preimage(pending);
        }
    }
}

/* ---- Files ---- */

int rec_file_open(const char *path, bool writable, bool direct)
{
    int fd = rec.base->file_open(path, writable, direct);
    uint64_t hash = content_hash(path, strlen(path));
    int result = fd;

    if (fd >= 0) {
        RecordedFile file = {
            .fd = fd, .saved = g_hash_table_new(NULL, NULL),
            .uncertain = g_hash_table_new(NULL, NULL),
        };

        g_array_append_val(rec.files, file);
        result = rec.files->len - 1;
    }
    ring_put_bytes(rec_ring, hash, path, strlen(path));
    rec_put(INPUT_FILE_OPEN, 0, (int64_t)result, hash);
    return fd;
}

void rec_file_close(int fd)
{
    unsigned ordinal;
    RecordedFile *file = recorded_file(fd, &ordinal);

    if (file) {
        file->fd = -1;
    }
    rec.base->file_close(fd);
}

int64_t rec_file_size(int fd)
{
    int64_t size = rec.base->file_size(fd);
    unsigned ordinal = 0;

    recorded_file(fd, &ordinal);
    rec_put(INPUT_FILE_SIZE, ordinal, size, 0);
    return size;
}

int32_t rec_file_perform(const struct io_uring_sqe *sqe)
{
    Pending pending = pending_of(sqe);
    unsigned ordinal = 0;
    int32_t res;

    rec_note_request(&pending);
    res = rec.base->file_perform(sqe);
    recorded_file(sqe->fd, &ordinal);
    put_result(&pending, INPUT_FILE_IO, INPUT_FILE_IO_DATA, ordinal, res);
    return res;
}
