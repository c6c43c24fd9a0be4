/* SPDX-License-Identifier: MIT */
/* Sockets by system calls; see qemu/sockets.h, and qemu/iov.h for the last. */
#include "qemu/sockets.h"
#include "qemu/iov.h"

bool fd_is_socket(int fd)
{
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

int qemu_socket(int domain, int type, int protocol)
{
    return socket(domain, type | SOCK_CLOEXEC, protocol);
}

int qemu_socketpair(int domain, int type, int protocol, int sv[2])
{
    return socketpair(domain, type | SOCK_CLOEXEC, protocol, sv);
}

int qemu_accept(int s, struct sockaddr *addr, socklen_t *addrlen)
{
    return accept4(s, addr, addrlen, SOCK_CLOEXEC);
}

ssize_t qemu_send_full(int s, const void *buf, size_t count)
{
    size_t done = 0;

    while (done < count) {
        ssize_t ret = RETRY_ON_EINTR(send(s, (const char *)buf + done,
                                          count - done, 0));

        if (ret < 0) {
            break;
        }
        done += ret;
    }
    return done;
}

void qemu_socket_set_block(int fd)
{
    qemu_set_blocking(fd, true, NULL);
}

int qemu_socket_try_set_nonblock(int fd)
{
    return qemu_set_blocking(fd, false, NULL) ? 0 : -errno;
}

void qemu_socket_set_nonblock(int fd)
{
    int ret = qemu_socket_try_set_nonblock(fd);

    assert(ret == 0);
}

int socket_set_cork(int fd, int v)
{
    return setsockopt(fd, IPPROTO_TCP, TCP_CORK, &v, sizeof(v));
}

int socket_set_nodelay(int fd)
{
    int v = 1;

    return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &v, sizeof(v));
}

int socket_set_fast_reuse(int fd)
{
    int v = 1;

    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &v, sizeof(v));
}

int socket_init(void)
{
    return 0;
}

/* ---- Vectors ---- */

/* One system call, for as many elements as it takes at a time. */
static ssize_t send_recv_some(int fd, int flags, const struct iovec *iov,
                              unsigned iov_cnt, size_t offset, size_t bytes,
                              bool do_send)
{
    struct iovec piece[64];
    struct msghdr msg = {
        .msg_iov = piece,
        .msg_iovlen = iov_copy(piece, ARRAY_SIZE(piece), iov, iov_cnt, offset,
                               bytes),
    };

    assert(msg.msg_iovlen > 0); /* the range must be inside */
    return RETRY_ON_EINTR(do_send ? sendmsg(fd, &msg, flags)
                                  : recvmsg(fd, &msg, flags));
}

ssize_t iov_send_recv_with_flags(int sockfd, int sockflags,
                                 const struct iovec *iov, unsigned iov_cnt,
                                 size_t offset, size_t bytes, bool do_send)
{
    size_t done = 0;

    while (done < bytes) {
        ssize_t ret = send_recv_some(sockfd, sockflags, iov, iov_cnt,
                                     offset + done, bytes - done, do_send);

        if (ret < 0 && done == 0) {
            return -1;
        }
        if (ret < 0 || (ret == 0 && !do_send)) {
            break;
        }
        done += ret;
    }
    return done;
}

ssize_t iov_send_recv(int sockfd, const struct iovec *iov, unsigned iov_cnt,
                      size_t offset, size_t bytes, bool do_send)
{
    return iov_send_recv_with_flags(sockfd, 0, iov, iov_cnt, offset, bytes,
                                    do_send);
}
