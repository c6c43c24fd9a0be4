/* SPDX-License-Identifier: MIT */
/* Small services of the system; see qemu/osdep.h.  QEMU: util/oslib-posix.c */
#include "qemu/osdep.h"
#include "qapi/error.h"

void qemu_set_cloexec(int fd)
{
    int flags = fcntl(fd, F_GETFD);

    assert(flags != -1);
    flags = fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    assert(flags != -1);
}

bool qemu_set_blocking(int fd, bool block, Error **errp)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags != -1) {
        flags = block ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
        flags = fcntl(fd, F_SETFL, flags);
    }
    if (flags == -1) {
        error_setg_errno(errp, errno, "Can't set file descriptor %d %s", fd,
                         block ? "blocking" : "non-blocking");
        return false;
    }
    return true;
}

ssize_t qemu_write_full(int fd, const void *buf, size_t count)
{
    size_t done = 0;

    while (done < count) {
        ssize_t ret = RETRY_ON_EINTR(write(fd, (const char *)buf + done,
                                           count - done));

        if (ret < 0) {
            break;
        }
        done += ret;
    }
    return done;
}
