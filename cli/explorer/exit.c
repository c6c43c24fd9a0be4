/* SPDX-License-Identifier: MIT */
/*
 * exit() for programs that run schedules: a scenario that calls it ends its
 * schedule, and not the search.  (What ends a process at once has its front in
 * sim/front.c.)
 */
#include "runner.h"

#include <dlfcn.h>
#include <stdlib.h>

void quick_exit(int status)
{
    runner_exits(status);
    _Exit(status);
}

void exit(int status)
{
    void (*libc_exit)(int) G_GNUC_NORETURN = dlsym(RTLD_NEXT, "exit");

    runner_exits(status);
    libc_exit(status);
}
