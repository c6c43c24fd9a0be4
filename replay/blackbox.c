/* SPDX-License-Identifier: MIT */
/* The file of the recording rings; see ring.h. */
#include "ring.h"

#include <fcntl.h>
#include <glib/gstdio.h>
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

    memcpy(box->magic, blackbox_magic, sizeof(box->magic));
    box->version = BLACKBOX_VERSION;
    box->rings_max = RINGS_MAX;
    box->first_ring_slots = FIRST_RING_SLOTS;
    box->ring_slots = RING_SLOTS;
    g_strlcpy(box->id, id, sizeof(box->id));
    g_strlcpy(box->path, path, sizeof(box->path));
    g_strlcpy(box->log, log, sizeof(box->log));
    box->fd = fd;
}

BlackBox *blackbox_new(const char *log_path, Error **errp)
{
    g_autofree char *path = NULL;
    int fd = create_file(log_path, &path);
    int err = fd < 0 ? errno : ftruncate(fd, ring_offset(RINGS_MAX)) ? errno : 0;
    BlackBox *box = MAP_FAILED;

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

void blackbox_free(BlackBox *box)
{
    if (box) {
        unlink(box->path);
        close(box->fd);
        munmap(box, ring_offset(RINGS_MAX));
    }
}
