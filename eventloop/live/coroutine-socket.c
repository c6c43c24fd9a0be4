/* SPDX-License-Identifier: MIT */
/*
 * Sockets in coroutines (util/qemu-coroutine-io.c).
 *
 * A kernel's socket is neither simulated nor recorded: what it brings is no
 * input that a replay could bring again.  So these insist on the live host
 * itself, and say so.
 */
#include "live.h"
#include "qemu/coroutine.h"

#include <sys/socket.h>

enum { PIECES = 64 };

static void check_host(void)
{
    if (host != &live_host) {
        fprintf(stderr, "aiolab: a socket of the kernel is for live runs that "
                "are not recorded: qemu_co_sendv_recvv() on the %s host\n",
                host->name);
        abort();
    }
}

/* The part of @iov that begins at @offset; returns how many pieces it has. */
static unsigned cut(struct iovec *piece, const struct iovec *iov,
                    unsigned iov_cnt, size_t offset, size_t bytes)
{
    unsigned n = 0;

    for (unsigned i = 0; i < iov_cnt && n < PIECES && bytes; i++) {
        size_t len;

        if (offset >= iov[i].iov_len) {
            offset -= iov[i].iov_len;
            continue;
        }
        len = MIN(bytes, iov[i].iov_len - offset);
        piece[n++] = (struct iovec){(char *)iov[i].iov_base + offset, len};
        bytes -= len;
        offset = 0;
    }
    return n;
}

/* What one system call takes; -1 and errno. */
static ssize_t transfer(int fd, const struct iovec *iov, unsigned iov_cnt,
                        size_t offset, size_t bytes, bool do_send)
{
    struct iovec piece[PIECES];
    struct msghdr msg = {
        .msg_iov = piece,
        .msg_iovlen = cut(piece, iov, iov_cnt, offset, bytes),
    };
    ssize_t ret;

    assert(msg.msg_iovlen > 0); /* the range must be inside */
    do {
        ret = do_send ? sendmsg(fd, &msg, MSG_NOSIGNAL) : recvmsg(fd, &msg, 0);
    } while (ret < 0 && errno == EINTR);
    return ret;
}

ssize_t coroutine_fn qemu_co_sendv_recvv(int sockfd, struct iovec *iov,
                                         unsigned iov_cnt, size_t offset,
                                         size_t bytes, bool do_send)
{
    size_t done = 0;

    check_host();
    while (done < bytes) {
        ssize_t ret = transfer(sockfd, iov, iov_cnt, offset + done,
                               bytes - done, do_send);

        if (ret > 0) {
            done += ret;
        } else if (ret < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            qemu_coroutine_yield();
        } else if (ret < 0 && done == 0) {
            return -1;
        } else {
            break; /* an error for the next call, or the end of the stream */
        }
    }
    return done;
}

ssize_t coroutine_fn qemu_co_send_recv(int sockfd, void *buf, size_t bytes,
                                       bool do_send)
{
    struct iovec iov = {buf, bytes};

    return qemu_co_sendv_recvv(sockfd, &iov, 1, 0, bytes, do_send);
}
