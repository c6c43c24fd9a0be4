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
#include "qemu/iov.h"

#include <sys/socket.h>

static void check_host(void)
{
    if (!g_str_equal(host->name, live_host.name)) {
        fprintf(stderr, "aiolab: a socket of the kernel is for live runs that "
                "are not recorded: qemu_co_sendv_recvv() on the %s host\n",
                host->name);
        abort();
    }
}

ssize_t coroutine_fn qemu_co_sendv_recvv(int sockfd, struct iovec *iov,
                                         unsigned iov_cnt, size_t offset,
                                         size_t bytes, bool do_send)
{
    size_t done = 0;

    check_host();
    while (done < bytes) {
        ssize_t ret = iov_send_recv_with_flags(
            sockfd, do_send ? MSG_NOSIGNAL : 0, iov, iov_cnt, offset + done,
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
