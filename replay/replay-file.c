/* SPDX-License-Identifier: MIT */
/*
 * Input data at replay.
 *
 * With --data=full every content that was read is in the log, under its hash.
 * With --data=hash it has to be built again: what the image holds now, below
 * what it held before the recorded run overwrote it (the pre-images in the
 * log), below what the replayed run has written so far (kept in memory; a
 * replay never writes to the image).  The hash then tells whether that worked.
 */
#include "replay-file.h"

#include "qemu/iov.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, CLUSTER = 65536 };

typedef struct ReplayFile {
    char *path;
    int fd;             /* -1: not opened, or cannot be */
    bool borrowed;      /* another one's descriptor: it closes it */
    dev_t dev;
    ino_t ino;
    GHashTable *before; /* cluster number -> its pre-image, a GBytes */
    GHashTable *pages;  /* page number -> bytes, written by the replay */
} ReplayFile;

struct ReplayFiles {
    Log *log;
    bool full; /* all data is in the log */
    GPtrArray *files; /* of ReplayFile, by ordinal */
};

static ReplayFile *get_file(ReplayFiles *files, unsigned ordinal)
{
    while (files->files->len <= ordinal) {
        ReplayFile *file = g_new0(ReplayFile, 1);

        file->fd = -1;
        file->before = g_hash_table_new_full(NULL, NULL, NULL,
                                             (GDestroyNotify)g_bytes_unref);
        file->pages = g_hash_table_new_full(NULL, NULL, NULL, g_free);
        g_ptr_array_add(files->files, file);
    }
    return g_ptr_array_index(files->files, ordinal);
}

static void add_preimage(ReplayFiles *files, const Input *in)
{
    size_t len;
    void *data = log_payload(files->log, in->b, &len);

    if (data && in->obj < FILES_MAX) {
        g_hash_table_insert(get_file(files, in->obj)->before,
                            GSIZE_TO_POINTER(in->a / CLUSTER),
                            g_bytes_new_take(data, len));
    } else {
        g_free(data);
    }
}

ReplayFiles *replay_files_new(Log *log, const Input *inputs, size_t n)
{
    ReplayFiles *files = g_new0(ReplayFiles, 1);

    files->log = log;
    files->full = g_strcmp0(log_meta(log, "data"), "hash") != 0;
    files->files = g_ptr_array_new();
    for (size_t i = 0; i < n; i++) {
        if (inputs[i].kind == INPUT_PREIMAGE) {
            add_preimage(files, &inputs[i]);
        }
    }
    return files;
}

void replay_files_free(ReplayFiles *files)
{
    for (unsigned i = 0; i < files->files->len; i++) {
        ReplayFile *file = g_ptr_array_index(files->files, i);

        if (file->fd >= 0 && !file->borrowed) {
            close(file->fd);
        }
        g_hash_table_unref(file->before);
        g_hash_table_unref(file->pages);
        g_free(file->path);
        g_free(file);
    }
    g_ptr_array_free(files->files, true);
    g_free(files);
}

static bool is_same_file(const ReplayFile *a, const ReplayFile *b)
{
    return g_strcmp0(a->path, b->path) == 0 ||
           (a->fd >= 0 && b->fd >= 0 && a->dev == b->dev && a->ino == b->ino);
}

/* Of files that are the same one, the first has the pre-images. */
static void share_content(ReplayFiles *files, unsigned ordinal)
{
    ReplayFile *file = get_file(files, ordinal);

    for (unsigned i = 0; i < ordinal; i++) {
        ReplayFile *other = get_file(files, i);

        if (is_same_file(file, other)) {
            g_hash_table_unref(file->before);
            g_hash_table_unref(file->pages);
            file->before = g_hash_table_ref(other->before);
            file->pages = g_hash_table_ref(other->pages);
            return;
        }
    }
}

/* A run may open a file again and again; here, once is enough. */
static bool borrow(ReplayFiles *files, ReplayFile *file)
{
    for (unsigned i = 0; i < files->files->len; i++) {
        ReplayFile *other = get_file(files, i);

        if (other != file && other->fd >= 0 &&
            g_strcmp0(other->path, file->path) == 0) {
            file->fd = other->fd;
            file->dev = other->dev;
            file->ino = other->ino;
            return true;
        }
    }
    return false;
}

static void open_now(ReplayFile *file)
{
    struct stat st;

    file->fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (file->fd >= 0 && fstat(file->fd, &st) == 0) {
        file->dev = st.st_dev;
        file->ino = st.st_ino;
    }
}

void replay_files_open(ReplayFiles *files, unsigned ordinal, const char *path)
{
    ReplayFile *file = get_file(files, ordinal);

    g_free(file->path);
    file->path = g_strdup(path);
    if (!files->full && file->fd < 0) {
        file->borrowed = borrow(files, file);
        if (!file->borrowed) {
            open_now(file);
        }
    }
    share_content(files, ordinal);
}

/* What the page held when the recording began. */
static void read_original(ReplayFile *file, uint64_t page, uint8_t *out)
{
    uint64_t at = page * PAGE;
    GBytes *before = g_hash_table_lookup(file->before,
                                         GSIZE_TO_POINTER(at / CLUSTER));

    memset(out, 0, PAGE);
    if (before) {
        size_t len;
        const uint8_t *data = g_bytes_get_data(before, &len);
        size_t from = at % CLUSTER;

        if (from < len) {
            memcpy(out, data + from, MIN(len - from, (size_t)PAGE));
        }
    } else if (file->fd >= 0 && pread(file->fd, out, PAGE, at) < 0) {
        /* The hash will say that something is missing. */
    }
}

static void read_page(ReplayFile *file, uint64_t page, uint8_t *out)
{
    const uint8_t *written = g_hash_table_lookup(file->pages,
                                                 GSIZE_TO_POINTER(page));

    if (written) {
        memcpy(out, written, PAGE);
    } else {
        read_original(file, page, out);
    }
}

static void build(ReplayFile *file, uint64_t offset, uint8_t *out, size_t len)
{
    uint8_t page[PAGE];

    while (len) {
        size_t from = offset % PAGE, part = MIN(len, PAGE - from);

        read_page(file, offset / PAGE, page);
        memcpy(out, page + from, part);
        out += part;
        offset += part;
        len -= part;
    }
}

static uint8_t *content(ReplayFiles *files, ReplayFile *file,
                        const Pending *read, size_t len, uint64_t hash,
                        bool named, Error **errp)
{
    size_t stored;
    uint8_t *data = named ? log_payload(files->log, hash, &stored) : NULL;
    uint64_t found;

    if (data && stored == len) {
        return data;
    }
    g_free(data);
    if (files->full && named) {
        error_setg(errp, "%s: damaged log (the data of a read is missing); "
                   "restore it from a copy, or record again",
                   log_path(files->log));
        return NULL;
    }
    data = g_malloc(len);
    build(file, read->off, data, len);
    found = content_hash(data, len);
    if ((named ? found : input_hash(found)) != hash) {
        error_setg(errp, "%s: not what it was when the log was recorded "
                   "(offset %" PRIu64 "); restore the image, or record with "
                   "--data=full", file->path, read->off);
        g_free(data);
        return NULL;
    }
    return data;
}

bool replay_files_read(ReplayFiles *files, unsigned ordinal,
                       const Pending *read, size_t len, uint64_t hash,
                       bool named, Error **errp)
{
    struct iovec one;
    unsigned niov;
    const struct iovec *iov = pending_iov(read, &one, &niov);
    uint8_t *data;

    if (len > iov_size(iov, niov)) {
        error_setg(errp, "%s: damaged log (a read returns more than was asked "
                   "for)", log_path(files->log));
        return false;
    }
    data = content(files, get_file(files, ordinal), read, len, hash, named,
                   errp);
    if (!data) {
        return false;
    }
    iov_from_buf(iov, niov, 0, data, len);
    g_free(data);
    return true;
}

/* @len bytes of what it wrote, from @done on. */
static void copy_written(const Pending *write, size_t done, uint8_t *out,
                         size_t len)
{
    struct iovec one;
    unsigned niov;
    const struct iovec *iov;

    if (pending_is_range(write)) {
        memset(out, 0, len);
    } else {
        iov = pending_iov(write, &one, &niov);
        iov_to_buf(iov, niov, done, out, len);
    }
}

void replay_files_write(ReplayFiles *files, unsigned ordinal,
                        const Pending *write, size_t len)
{
    ReplayFile *file = get_file(files, ordinal);
    uint64_t offset = write->off;
    size_t done = 0;

    if (files->full) {
        return;
    }
    len = MIN(len, pending_bytes(write));
    while (done < len) {
        uint64_t number = (offset + done) / PAGE;
        size_t from = (offset + done) % PAGE, part = MIN(len - done, PAGE - from);
        uint8_t *page = g_hash_table_lookup(file->pages,
                                            GSIZE_TO_POINTER(number));

        if (!page) {
            page = g_malloc(PAGE);
            read_original(file, number, page);
            g_hash_table_insert(file->pages, GSIZE_TO_POINTER(number), page);
        }
        copy_written(write, done, page + from, part);
        done += part;
    }
}
