/* SPDX-License-Identifier: MIT */
/* The live host's files, and single requests by plain system calls. */
#include "live.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int live_file_open(const char *path, bool writable, bool direct)
{
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC |
                  (direct ? O_DIRECT : 0));

    return fd < 0 ? -errno : fd;
}

void live_file_close(int fd)
{
    close(fd);
}

int64_t live_file_size(int fd)
{
    struct stat st;
    uint64_t size;

    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    if (S_ISBLK(st.st_mode)) {
        return ioctl(fd, BLKGETSIZE64, &size) < 0 ? -errno : (int64_t)size;
    }
    return st.st_size;
}

/*
 * Offset -1 is the descriptor's own position.  What has none (a pipe, a
 * socket) takes any offset for that, as a ring does.
 */
static ssize_t transfer(const struct io_uring_sqe *sqe,
                        const struct iovec *iov, int iovcnt, bool write,
                        int flags)
{
    off_t offset = sqe->off;
    ssize_t ret = write ? pwritev2(sqe->fd, iov, iovcnt, offset, flags)
                        : preadv2(sqe->fd, iov, iovcnt, offset, flags);

    if (ret < 0 && errno == ESPIPE && offset != -1) {
        ret = write ? pwritev2(sqe->fd, iov, iovcnt, -1, flags)
                    : preadv2(sqe->fd, iov, iovcnt, -1, flags);
    }
    return ret;
}

static ssize_t perform(const struct io_uring_sqe *sqe)
{
    void *addr = (void *)(uintptr_t)sqe->addr;
    struct iovec iov = {.iov_base = addr, .iov_len = sqe->len};

    switch (sqe->opcode) {
    case IORING_OP_NOP:
        return 0;
    case IORING_OP_READ:
    case IORING_OP_WRITE:
        return transfer(sqe, &iov, 1, sqe->opcode == IORING_OP_WRITE, 0);
    case IORING_OP_READV:
    case IORING_OP_WRITEV:
        return transfer(sqe, addr, sqe->len, sqe->opcode == IORING_OP_WRITEV,
                        sqe->rw_flags);
    case IORING_OP_FSYNC:
        return sqe->fsync_flags & IORING_FSYNC_DATASYNC ? fdatasync(sqe->fd)
                                                        : fsync(sqe->fd);
    case IORING_OP_FALLOCATE:
        return fallocate(sqe->fd, sqe->len, sqe->off, sqe->addr);
    default:
        errno = EOPNOTSUPP;
        return -1;
    }
}

int32_t live_perform_sqe(const struct io_uring_sqe *sqe)
{
    ssize_t ret = RETRY_ON_EINTR(perform(sqe));

    return ret < 0 ? -errno : ret;
}
