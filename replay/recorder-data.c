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

static void put_content(uint64_t hash, const struct iovec *iov, unsigned niov,
                        size_t len)
{
    g_autofree uint8_t *flat = NULL;

    if (niov == 1) {
        ring_put_bytes(rec_ring, hash, iov->iov_base, len);
        return;
    }
    flat = g_malloc(len);
    iov_to_buf(iov, niov, 0, flat, len);
    ring_put_bytes(rec_ring, hash, flat, len);
}

static uint64_t hash_iov(const struct iovec *iov, unsigned niov, size_t len)
{
    g_autofree uint8_t *flat = NULL;

    if (niov == 1) {
        return content_hash(iov->iov_base, len);
    }
    flat = g_malloc(len);
    iov_to_buf(iov, niov, 0, flat, len);
    return content_hash(flat, len);
}

void rec_put_cqe(CqeHandler *handler)
{
    uint64_t id = handler->cqe.user_data;
    Pending *pending = pending_find(&rec.pending, id);
    int32_t res = handler->cqe.res;

    if (res > 0 && pending_is_read(pending)) {
        struct iovec one;
        unsigned niov;
        const struct iovec *iov = pending_iov(pending, &one, &niov);
        uint64_t hash = hash_iov(iov, niov, res);

        if (rec.policy == DATA_FULL) {
            put_content(hash, iov, niov, res);
        }
        rec_put(INPUT_CQE_DATA, id, res, hash);
    } else {
        rec_put(INPUT_CQE, id, (int64_t)res, 0);
    }
    pending_remove(&rec.pending, id);
}

void rec_save_preimage(const Pending *write)
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

/* ---- Files ---- */

int rec_file_open(const char *path, bool writable, bool direct)
{
    int fd = rec.base->file_open(path, writable, direct);
    uint64_t hash = content_hash(path, strlen(path));
    int result = fd;

    if (fd >= 0) {
        RecordedFile file = {
            .fd = fd, .saved = g_hash_table_new(NULL, NULL),
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
