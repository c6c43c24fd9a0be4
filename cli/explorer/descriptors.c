/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that a schedule makes.  One that is abandoned cannot close them,
 * and a process may have only so many: GLib makes an eventfd for each of its
 * contexts, so each IOThread costs one.
 */
#include "runner.h"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

int eventfd(unsigned count, int flags)
{
    int fd = syscall(SYS_eventfd2, count, flags);

    runner_descriptor(fd);
    return fd;
}

int pipe2(int fds[2], int flags)
{
    int ret = syscall(SYS_pipe2, fds, flags);

    if (ret == 0) {
        runner_descriptor(fds[0]);
        runner_descriptor(fds[1]);
    }
    return ret;
}

int pipe(int fds[2])
{
    return pipe2(fds, 0);
}
