/* SPDX-License-Identifier: MIT */
/*
 * Sockets, after QEMU's qemu/sockets.h: what an event loop's users need.
 *
 * Live only: a simulated machine has no sockets, and a recorder does not see
 * these calls.  Everything returns what the system call does: -1 and errno on
 * failure.  New descriptors are close-on-exec.
 */
#ifndef QEMU_SOCKETS_H
#define QEMU_SOCKETS_H

#include "qemu/osdep.h"

/* Where sockets are descriptors. */
#define socket_error() errno
#define closesocket(s) close(s)

bool fd_is_socket(int fd);
int qemu_socket(int domain, int type, int protocol);
int qemu_socketpair(int domain, int type, int protocol, int sv[2]);
int qemu_accept(int s, struct sockaddr *addr, socklen_t *addrlen);

/*
 * Sends all of it through a socket that blocks.  Returns how much it was:
 * errno says why it is less.
 */
ssize_t qemu_send_full(int s, const void *buf, size_t count)
    QEMU_WARN_UNUSED_RESULT;

/* Until QEMU 10.1; since then qemu_set_blocking() of qemu/osdep.h. */
void qemu_socket_set_block(int fd);
void qemu_socket_set_nonblock(int fd);
/* Returns 0 or a negative errno. */
int qemu_socket_try_set_nonblock(int fd);

/* TCP: hold back what is not a full segment; send it at once. */
int socket_set_cork(int fd, int v);
int socket_set_nodelay(int fd);
int socket_set_fast_reuse(int fd);
int socket_init(void);

#endif
