/* SPDX-License-Identifier: MIT */
/* Adding what a dead recorder left in its rings to its log; see recover.h. */
#include "recover.h"

#include "log-internal.h"
#include "ring.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_TRIES = 10, LOCK_PAUSE_US = 10000 };

/* ---- The rings' file, as the log names it ---- */

typedef enum Finding { FOUND, GONE, LOCKED, UNREADABLE } Finding;

typedef struct RingFile {
    int fd;
    char *path;
} RingFile;

/* A log may be from a stranger: it does not choose which file is removed. */
static bool is_a_name_of_ours(Log *log, const char *path)
{
    static const char prefix[] = "/dev/shm/aiolab-";
    g_autofree char *beside = g_strconcat(log->path, ".ring", NULL);

    return (g_str_has_prefix(path, prefix) &&
            !strchr(path + strlen(prefix), '/')) || g_str_equal(path, beside);
}

static bool is_a_file_of_ours(int fd, const char *id)
{
    struct stat st;
    BlackBox box;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           (st.st_uid == geteuid() || geteuid() == 0) &&
           pread(fd, &box, sizeof(box), 0) == sizeof(box) && id &&
           blackbox_is_valid(&box, id);
}

/* A process that was killed a moment ago may still be about to let go. */
static bool lock_file(int fd)
{
    for (unsigned i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            return true;
        }
        g_usleep(LOCK_PAUSE_US);
    }
    return false;
}

static Finding find_rings(Log *log, RingFile *file)
{
    const char *path = log_meta(log, "ring");
    int fd = -1;

    if (path && is_a_name_of_ours(log, path)) {
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    }
    if (fd < 0) {
        return path && errno == EACCES ? UNREADABLE : GONE;
    }
    if (!is_a_file_of_ours(fd, log_meta(log, "ring.id"))) {
        close(fd);
        return GONE;
    }
    if (!lock_file(fd)) {
        close(fd);
        return LOCKED;
    }
    file->fd = fd;
    file->path = g_strdup(path);
    return FOUND;
}

/* The rings of a log that was copied are still the original's. */
static void remove_rings(RingFile *file, const char *log_path)
{
    struct stat original, ours;
    BlackBox box;

    if (pread(file->fd, &box, sizeof(box), 0) == sizeof(box) &&
        (stat(box.log, &original) < 0 || stat(log_path, &ours) < 0 ||
         (original.st_dev == ours.st_dev && original.st_ino == ours.st_ino))) {
        unlink(file->path);
    }
}

/* ---- From rings to the log ---- */

typedef struct Adder {
    Log *log;
    uint64_t last_tickets[RINGS_MAX]; /* that the log has of each ring */
    Input batch[CHUNK_INPUTS];
    unsigned n, ring;
    size_t added;
} Adder;

static void flush(Adder *adder)
{
    if (adder->n) {
        log_put_chunk(adder->log, adder->ring, adder->batch, adder->n);
        adder->added += adder->n;
        adder->n = 0;
    }
}

static void add_input(unsigned ring, const Input *input, void *opaque)
{
    Adder *adder = opaque;

    /* It was committed, and its writer could not note that any more. */
    if (input->ticket <= adder->last_tickets[ring]) {
        return;
    }
    adder->ring = ring;
    adder->batch[adder->n++] = *input;
    if (adder->n == CHUNK_INPUTS) {
        flush(adder);
    }
}

static void add_content(uint64_t hash, const void *data, size_t len,
                        void *opaque)
{
    Adder *adder = opaque;

    log_put_payload(adder->log, hash, data, len);
}

/* Read, not mapped: a file that is cut meanwhile must not kill us. */
static void add_ring(Adder *adder, int fd, unsigned index)
{
    size_t size = ring_offset(index + 1) - ring_offset(index);
    g_autofree Ring *ring = g_malloc(size);
    RingReader reader = {add_input, add_content, adder};

    if (pread(fd, ring, size, ring_offset(index)) == (ssize_t)size) {
        ring_read(ring, index, &reader);
        flush(adder);
    }
}

static size_t add_rings(Log *log, int fd)
{
    g_autofree Adder *adder = g_new0(Adder, 1);
    BlackBox box;

    adder->log = log;
    log_last_tickets(log, adder->last_tickets, RINGS_MAX);
    if (pread(fd, &box, sizeof(box), 0) == sizeof(box)) {
        for (unsigned i = 0; i < MIN(box.n_rings, RINGS_MAX); i++) {
            add_ring(adder, fd, i);
        }
    }
    return adder->added;
}

/* ---- The log ---- */

/* How many inputs there are, without a tail that is not whole. */
static size_t count_inputs(Log *log, bool *rings_lost)
{
    Input *inputs;
    size_t n = 0;

    log_set_meta_int(log, "tail.lost", *rings_lost);
    inputs = log_inputs_or_none(log, &n, NULL);
    if (!inputs && !*rings_lost) {
        *rings_lost = true;
        log_set_meta_int(log, "tail.lost", true);
        inputs = log_inputs_or_none(log, &n, NULL);
    }
    g_free(inputs);
    return inputs ? n : 0;
}

static bool add_what_is_left(Log *log, int fd, Recovery *recovery)
{
    log_begin(log);
    log_set_meta(log, "state", "cut");
    recovery->recovered = fd >= 0 ? add_rings(log, fd) : 0;
    recovery->inputs = count_inputs(log, &recovery->rings_lost);
    log_set_meta_int(log, "inputs", recovery->inputs);
    log_set_meta_int(log, "recovered", recovery->recovered);
    log_seal_meta(log);
    log_commit(log);
    return !log_failed(log);
}

static RecoverStatus recover_from(const char *path, int fd, Recovery *recovery,
                                  Error **errp)
{
    Log *log;

    log_shrink_reserve(path, fd < 0 ? 1 : 2); /* this is what it is for */
    log = log_open_as_it_is(path, true, errp);
    if (!log) {
        return RECOVER_FAILED;
    }
    *recovery = (Recovery){.rings_lost = fd < 0};
    if (g_strcmp0(log_meta(log, "state"), "recording") != 0) {
        recovery->inputs = log_meta_int(log, "inputs", 0);
        log_close_as_it_is(log); /* somebody else was faster */
        return RECOVERED;
    }
    if (!add_what_is_left(log, fd, recovery)) {
        error_setg(errp, "%s: its recorder died, and what it left cannot be "
                   "written into it (%s); make space and try again", path,
                   log_failure(log));
        log_close(log, NULL);
        return RECOVER_FAILED;
    }
    log_close(log, NULL); /* what is committed is safe, in one file or two */
    log_shrink_reserve(path, 0);
    return RECOVERED;
}

RecoverStatus recover_last_commit(const char *path, Recovery *recovery,
                                  Error **errp)
{
    RecoverStatus status = recover_from(path, -1, recovery, errp);

    log_shrink_reserve(path, 0);
    return status;
}

RecoverStatus recover_log(const char *path, int ring_fd, Recovery *recovery,
                          Error **errp)
{
    RingFile file = {-1, NULL};
    RecoverStatus status;
    Finding finding;
    Log *log;

    if (ring_fd >= 0) {
        return recover_from(path, ring_fd, recovery, errp);
    }
    log = log_open_as_it_is(path, false, errp);
    if (!log) {
        return RECOVER_FAILED;
    }
    finding = find_rings(log, &file);
    log_close(log, NULL);
    if (finding == LOCKED) {
        error_setg(errp, "%s: is being recorded right now; wait for its end",
                   path);
        return RECOVER_LIVE;
    }
    if (finding == UNREADABLE) {
        error_setg(errp, "%s: another user records it, or did when its "
                   "recorder died; only that user can open it", path);
        return RECOVER_LIVE;
    }
    status = recover_from(path, file.fd, recovery, errp);
    if (finding == FOUND) {
        if (status == RECOVERED) {
            remove_rings(&file, path);
        }
        close(file.fd);
        g_free(file.path);
    }
    return status;
}

bool recover_discard(const char *path, bool discard)
{
    RingFile file = {-1, NULL};
    Log *log = log_open_as_it_is(path, false, NULL);
    Finding finding = GONE;

    if (log) {
        if (g_strcmp0(log_meta(log, "state"), "recording") == 0) {
            finding = find_rings(log, &file);
        }
        log_close_as_it_is(log);
    }
    if (finding == FOUND) {
        if (discard) {
            remove_rings(&file, path);
        }
        close(file.fd);
        g_free(file.path);
    }
    return finding != LOCKED;
}
