/* SPDX-License-Identifier: MIT */
/* The file of the recording rings; see ring.h. */
#include "ring.h"

#include "front.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLACKBOX_VERSION = 1 };

static const char blackbox_magic[8] = "AIOLRING";

/*
 * In memory (tmpfs) if there is any: a mapped file on a disk stops the recorded
 * thread each time the kernel writes its pages back.
 */
static int create_file(const char *log_path, char **path)
{
    int fd;

    *path = g_strdup("/dev/shm/aiolab-XXXXXX");
    fd = g_mkstemp_full(*path, O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        g_free(*path);
        *path = g_strconcat(log_path, ".ring", NULL);
        fd = open(*path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    }
    return fd;
}

static void describe(BlackBox *box, const char *path, const char *log_path,
                     int fd)
{
    g_autofree char *id = g_uuid_string_random();
    g_autofree char *log = g_canonicalize_filename(log_path, NULL);
    struct stat st;

    memcpy(box->magic, blackbox_magic, sizeof(box->magic));
    box->version = BLACKBOX_VERSION;
    box->rings_max = RINGS_MAX;
    box->first_ring_slots = FIRST_RING_SLOTS;
    box->ring_slots = RING_SLOTS;
    g_strlcpy(box->id, id, sizeof(box->id));
    g_strlcpy(box->path, path, sizeof(box->path));
    g_strlcpy(box->log, log, sizeof(box->log));
    box->fd = fd;
    if (stat("/", &st) == 0) {
        box->root_dev = st.st_dev;
        box->root_ino = st.st_ino;
    }
}

/*
 * In a container that shares the memory but not the files, a log's path means
 * nothing to us.
 */
static bool is_our_root(const BlackBox *box)
{
    struct stat st;

    return stat("/", &st) == 0 && box->root_dev == st.st_dev &&
           box->root_ino == st.st_ino;
}

/* Rings that nobody will ask for: their recorder and their log are gone. */
static void remove_orphan(const char *path)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    BlackBox box;

    if (fd >= 0 && pread(fd, &box, sizeof(box), 0) == sizeof(box) &&
        blackbox_is_valid(&box, NULL) && is_our_root(&box) &&
        access(box.log, F_OK) < 0 && errno == ENOENT &&
        flock(fd, LOCK_EX | LOCK_NB) == 0) {
        unlink(path);
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void remove_orphans(void)
{
    GDir *dir = g_dir_open("/dev/shm", 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (g_str_has_prefix(name, "aiolab-")) {
            g_autofree char *path = g_build_filename("/dev/shm", name, NULL);

            remove_orphan(path);
        }
    }
    if (dir) {
        g_dir_close(dir);
    }
}

BlackBox *blackbox_new(const char *log_path, Error **errp)
{
    g_autofree char *path = NULL;
    BlackBox *box = MAP_FAILED;
    int fd, err;

    remove_orphans();
    fd = create_file(log_path, &path);
    err = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ? errno : 0;
    if (!err) {
        /* The rings of other threads are allocated when they begin. */
        err = posix_fallocate(fd, 0, ring_offset(1));
    }
    if (!err) {
        box = mmap(NULL, ring_offset(RINGS_MAX), PROT_READ | PROT_WRITE,
                   MAP_SHARED, fd, 0);
        err = box == MAP_FAILED ? errno : 0;
    }
    if (err) {
        error_setg_errno(errp, err, "%s: cannot make the recording buffer",
                         path);
        if (fd >= 0) {
            close(fd);
            unlink(path);
        }
        return NULL;
    }
    madvise(box, ring_offset(1), MADV_POPULATE_WRITE);
    describe(box, path, log_path, fd);
    return box;
}

void blackbox_leave(BlackBox *box)
{
    close(box->fd);
    munmap(box, ring_offset(RINGS_MAX));
}

void blackbox_free(BlackBox *box)
{
    if (box) {
        unlink(box->path);
        blackbox_leave(box);
    }
}

void blackbox_stop(BlackBox *box, const char *reason)
{
    g_strlcpy(box->reason, reason, sizeof(box->reason));
    box->state = BOX_STOPPED;
    if (!box->has_parent) {
        fprintf(stderr, "aiolab: %s: the recording ends here: %s\n", box->log,
                reason);
    }
    front_exit(5);
}

/* ---- Reading ---- */

static bool is_text(const char *field, size_t size)
{
    return memchr(field, 0, size) != NULL;
}

bool blackbox_is_valid(const BlackBox *box, const char *id)
{
    return !memcmp(box->magic, blackbox_magic, sizeof(box->magic)) &&
           box->version == BLACKBOX_VERSION && box->rings_max == RINGS_MAX &&
           box->first_ring_slots == FIRST_RING_SLOTS &&
           box->ring_slots == RING_SLOTS && is_text(box->id, sizeof(box->id)) &&
           is_text(box->path, sizeof(box->path)) &&
           is_text(box->log, sizeof(box->log)) &&
           (!id || g_str_equal(box->id, id));
}

/* Where reading is in a ring's copy. */
typedef struct RingCursor {
    const Ring *ring;
    uint64_t mask, at, end;
} RingCursor;

static const Slot *next_slot(RingCursor *cursor)
{
    return cursor->at == cursor->end
               ? NULL : &cursor->ring->slots[cursor->at++ & cursor->mask];
}

/* False if it is not whole, or not itself. */
static bool read_content(RingCursor *cursor, const Slot *head,
                         const RingReader *reader)
{
    uint64_t len = head->obj & ~SLOT_IS_LIST;
    bool is_list = head->obj & SLOT_IS_LIST;
    g_autofree uint8_t *data = NULL;

    if (len > (cursor->end - cursor->at) * SLOT_SIZE ||
        (is_list && len % sizeof(uint64_t))) {
        return false;
    }
    data = g_malloc(len + 1);
    for (size_t done = 0; done < len; done += SLOT_SIZE) {
        memcpy(data + done, next_slot(cursor), MIN(len - done, SLOT_SIZE));
    }
    if (!is_list && content_hash(data, len) != head->a) {
        return false;
    }
    reader->content(head->a, data, len, reader->opaque);
    return true;
}

void ring_read(const Ring *ring, unsigned index, const RingReader *reader)
{
    RingCursor cursor = {
        ring, ring_slots(index) - 1, ring->durable, ring->head,
    };
    uint64_t last_ticket = 0;
    const Slot *slot;

    if (cursor.end - cursor.at > ring_slots(index)) {
        return; /* not what a recorder leaves */
    }
    while ((slot = next_slot(&cursor))) {
        if (!slot->head) {
            if (!read_content(&cursor, slot, reader)) {
                return;
            }
        } else {
            Input input = slot_input(slot);

            if (input.kind >= INPUT_KIND_MAX || input.ticket <= last_ticket) {
                return;
            }
            last_ticket = input.ticket;
            reader->input(index, &input, reader->opaque);
        }
    }
}
