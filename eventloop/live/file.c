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

int32_t live_perform_sqe(const struct io_uring_sqe *sqe)
{
    void *addr = (void *)(uintptr_t)sqe->addr;
    ssize_t ret;

    do {
        switch (sqe->opcode) {
        case IORING_OP_NOP:
            return 0;
        case IORING_OP_READ:
            ret = pread(sqe->fd, addr, sqe->len, sqe->off);
            break;
        case IORING_OP_WRITE:
            ret = pwrite(sqe->fd, addr, sqe->len, sqe->off);
            break;
        case IORING_OP_READV:
            ret = preadv2(sqe->fd, addr, sqe->len, sqe->off, sqe->rw_flags);
            break;
        case IORING_OP_WRITEV:
            ret = pwritev2(sqe->fd, addr, sqe->len, sqe->off, sqe->rw_flags);
            break;
        case IORING_OP_FSYNC:
            ret = sqe->fsync_flags & IORING_FSYNC_DATASYNC ? fdatasync(sqe->fd)
                                                           : fsync(sqe->fd);
            break;
        default:
            return -EOPNOTSUPP;
        }
    } while (ret < 0 && errno == EINTR);
    return ret < 0 ? -errno : ret;
}
