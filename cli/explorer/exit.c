/* SPDX-License-Identifier: MIT */
/*
 * exit() and its like for programs that run schedules: a scenario that calls
 * one of them ends its schedule, and not the search.
 */
#include "runner.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void _exit(int status)
{
    runner_exits(status);
    for (;;) {
        syscall(SYS_exit_group, status);
    }
}

void _Exit(int status)
{
    _exit(status);
}

void quick_exit(int status)
{
    _exit(status);
}

void exit(int status)
{
    void (*libc_exit)(int) G_GNUC_NORETURN = dlsym(RTLD_NEXT, "exit");

    runner_exits(status);
    libc_exit(status);
}
