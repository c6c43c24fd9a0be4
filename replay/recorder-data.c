/* SPDX-License-Identifier: MIT */
/* The recorder's data: what was read, what was overwritten, and from where. */
#include "recorder-internal.h"

#include "qemu/iov.h"

#include <sys/stat.h>
#include <unistd.h>

/* ---- Files ---- */

/*
 * A file that the recorded program has opened.  It may have it open twice, or
 * open it again: then they share what is known of the content.
 */
struct RecordedFile {
    int fd;
    unsigned ordinal;
    unsigned first; /* the ordinal of the first that is the same file */
    dev_t dev;
    ino_t ino;
    GHashTable *saved;     /* DATA_HASH: clusters whose pre-image is stored */
    GHashTable *uncertain; /* pages that two writes in flight at once wrote:
                              only the kernel knows in which order */
};

enum { RECORDED_FDS = 4096 };

/*
 * All threads' files.  Requests are tracked, under the lock, from the time at
 * which a file was opened for writing; reads alone disturb nobody.
 */
static struct {
    pthread_mutex_t lock;
    GPtrArray *all; /* of RecordedFile, by ordinal; under the lock */
    RecordedFile *by_fd[RECORDED_FDS];
    bool tracked;
    QTAILQ_HEAD(, Pending) flights; /* requests that are out; under the lock */
    unsigned writes; /* of those */
    uint8_t *cluster;
} files = {.lock = PTHREAD_MUTEX_INITIALIZER};

static RecordedFile *recorded_file(int fd)
{
    RecordedFile *file = fd < 0 ? NULL
                       : qatomic_load_acquire(&files.by_fd[fd % RECORDED_FDS]);

    return file && file->fd == fd ? file : NULL;
}

static void free_file(gpointer opaque)
{
    RecordedFile *file = opaque;

    g_hash_table_unref(file->saved);
    g_hash_table_unref(file->uncertain);
    g_free(file);
}

void rec_files_init(void)
{
    files.all = g_ptr_array_new_with_free_func(free_file);
    files.tracked = false;
    files.writes = 0;
    QTAILQ_INIT(&files.flights);
    files.cluster = g_aligned_alloc(1, CLUSTER, 4096);
}

void rec_files_finish(void)
{
    memset(files.by_fd, 0, sizeof(files.by_fd));
    g_ptr_array_free(files.all, true);
    g_aligned_free(files.cluster);
}

static unsigned ordinal_of(int fd)
{
    RecordedFile *file = recorded_file(fd);

    return file ? file->ordinal : 0;
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
    return (Range){pending->off, pending->off + pending_bytes(pending)};
}

static bool moves_data(const Pending *pending)
{
    return pending_is_read(pending) || pending_is_write(pending);
}

static void two_writes(const Pending *write, Range a, Range b)
{
    RecordedFile *file = recorded_file(write->fd);
    uint64_t begin = MAX(a.begin, b.begin), end = MIN(a.end, b.end);

    for (uint64_t page = begin / PAGE; file && page <= (end - 1) / PAGE;
         page++) {
        g_hash_table_add(file->uncertain, GSIZE_TO_POINTER(page));
    }
}

static bool same_file(int fd, int other)
{
    RecordedFile *a = recorded_file(fd), *b = recorded_file(other);

    return a && b && a->dev == b->dev && a->ino == b->ino;
}

static void note_overlap(Pending *pending, Range range, Pending *other)
{
    Range others = range_of(other);

    if (others.begin >= range.end || others.end <= range.begin ||
        !same_file(other->fd, pending->fd)) {
        return;
    }
    if (pending_is_write(pending) && pending_is_write(other)) {
        two_writes(pending, range, others);
        two_writes(other, range, others);
    } else if (pending_is_write(pending) || pending_is_write(other)) {
        pending->contended = other->contended = true;
    }
}

static void note_overlaps(Pending *pending)
{
    Pending *other;
    Range range;

    if (!files.writes && !pending_is_write(pending)) {
        return; /* reads alone do not disturb each other */
    }
    range = range_of(pending);
    QTAILQ_FOREACH(other, &files.flights, flight) {
        note_overlap(pending, range, other);
    }
}

static bool was_overwritten(const Pending *read)
{
    RecordedFile *file = recorded_file(read->fd);
    Range range;

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

/* A replay could not tell what the read found: its data must be kept. */
static bool is_uncertain(const Pending *read)
{
    /* It went out before files were tracked: there may have been a write. */
    bool uncertain = !read->flying && qatomic_read(&files.tracked);

    if (read->flying) {
        pthread_mutex_lock(&files.lock);
        uncertain = read->contended || was_overwritten(read);
        pthread_mutex_unlock(&files.lock);
    }
    return uncertain;
}

/* ---- Results ---- */

/* How a result is noted: without data, with it, and with its hash only. */
typedef struct ResultKinds {
    InputKind plain, data, hash;
} ResultKinds;

static void put_result(const Pending *pending, ResultKinds kinds, uint64_t obj,
                       int32_t res)
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
            rec_put(kinds.data, obj, res, hash);
        } else {
            rec_put(kinds.hash, obj, res, input_hash(hash));
        }
    } else {
        rec_put(kinds.plain, obj, (int64_t)res, 0);
    }
}

static void flight_is_over(Pending *pending)
{
    if (pending->flying) {
        pthread_mutex_lock(&files.lock);
        QTAILQ_REMOVE(&files.flights, pending, flight);
        files.writes -= pending_is_write(pending);
        pthread_mutex_unlock(&files.lock);
    }
}

void rec_request_is_over(PendingTable *table, uint64_t id)
{
    flight_is_over(pending_find(table, id));
    pending_remove(table, id);
}

/*
 * The request is out until its result has a ticket: who finds it over, and
 * writes, is later in the log, too.
 */
void rec_put_cqe(PendingTable *table, CqeHandler *handler)
{
    uint64_t id = handler->cqe.user_data;

    put_result(pending_find(table, id),
               (ResultKinds){INPUT_CQE, INPUT_CQE_DATA, INPUT_CQE_HASH}, id,
               handler->cqe.res);
    rec_request_is_over(table, id);
}

/* ---- What a write overwrites ---- */

static void save_preimage(const Pending *write)
{
    RecordedFile *file = recorded_file(write->fd);
    uint64_t end = write->off + pending_bytes(write);

    for (uint64_t at = ROUND_DOWN(write->off, CLUSTER); file && at < end;
         at += CLUSTER) {
        gpointer key = GSIZE_TO_POINTER(at / CLUSTER);
        ssize_t len;

        if (!g_hash_table_add(file->saved, key)) {
            continue;
        }
        len = pread(file->fd, files.cluster, CLUSTER, at);
        if (len > 0) {
            uint64_t hash = content_hash(files.cluster, len);

            ring_put_bytes(rec_ring, hash, files.cluster, len);
            rec_put(INPUT_PREIMAGE, file->first, at, hash);
        }
    }
}

void rec_request_begins(Pending *pending)
{
    if (!qatomic_read(&files.tracked) || !moves_data(pending)) {
        return;
    }
    pthread_mutex_lock(&files.lock);
    note_overlaps(pending);
    if (pending_is_write(pending)) {
        save_preimage(pending);
    }
    pending->flying = true;
    QTAILQ_INSERT_TAIL(&files.flights, pending, flight);
    files.writes += pending_is_write(pending);
    pthread_mutex_unlock(&files.lock);
}

/* ---- Opening ---- */

/* With the lock. */
static void know_content(RecordedFile *file)
{
    for (unsigned i = 0; !rec.simulated && i < files.all->len; i++) {
        RecordedFile *other = g_ptr_array_index(files.all, i);

        if (other->dev == file->dev && other->ino == file->ino) {
            file->first = other->first;
            file->saved = g_hash_table_ref(other->saved);
            file->uncertain = g_hash_table_ref(other->uncertain);
            return;
        }
    }
    file->first = file->ordinal;
    file->saved = g_hash_table_new(NULL, NULL);
    file->uncertain = g_hash_table_new(NULL, NULL);
}

/* With the lock, which the ticket is taken under, too: ordinals have its order. */
static RecordedFile *add_file(int fd)
{
    RecordedFile *file = g_new0(RecordedFile, 1);
    struct stat st = {.st_dev = 0};

    if (!rec.simulated && fstat(fd, &st) == 0) {
        file->dev = st.st_dev;
        file->ino = st.st_ino;
    } else {
        file->ino = fd;
    }
    file->fd = fd;
    file->ordinal = files.all->len;
    know_content(file);
    g_ptr_array_add(files.all, file);
    return file;
}

int rec_file_open(const char *path, bool writable, bool direct)
{
    int fd = rec.base->file_open(path, writable, direct);
    uint64_t hash = content_hash(path, strlen(path));
    int result = fd;

    ring_put_bytes(rec_ring, hash, path, strlen(path));
    pthread_mutex_lock(&files.lock);
    if (fd >= 0) {
        RecordedFile *file = add_file(fd);

        if (!rec.simulated && fd >= RECORDED_FDS) {
            rec_stop("a recording can follow %d descriptors, and this scenario "
                     "has more open", RECORDED_FDS);
        }
        if (file->ordinal >= FILES_MAX) {
            rec_stop("a recording can follow %d files, and this scenario has "
                     "opened more, or one so often", FILES_MAX);
        }
        qatomic_store_release(&files.by_fd[fd % RECORDED_FDS], file);
        if (writable && rec.policy == DATA_HASH && !rec.simulated) {
            qatomic_set(&files.tracked, true);
        }
        result = file->ordinal;
    }
    rec_put(INPUT_FILE_OPEN, 0, (int64_t)result, hash);
    pthread_mutex_unlock(&files.lock);
    return fd;
}

void rec_file_close(int fd)
{
    if (recorded_file(fd)) {
        qatomic_set(&files.by_fd[fd % RECORDED_FDS], NULL);
    }
    rec.base->file_close(fd);
}

int64_t rec_file_size(int fd)
{
    int64_t size = rec.base->file_size(fd);

    rec_put(INPUT_FILE_SIZE, ordinal_of(fd), size, 0);
    return size;
}

int32_t rec_file_perform(const struct io_uring_sqe *sqe)
{
    Pending pending = pending_of(sqe);
    int32_t res;

    rec_request_begins(&pending);
    res = rec.base->file_perform(sqe);
    put_result(&pending,
               (ResultKinds){INPUT_FILE_IO, INPUT_FILE_IO_DATA,
                             INPUT_FILE_IO_HASH}, ordinal_of(sqe->fd), res);
    flight_is_over(&pending);
    return res;
}
