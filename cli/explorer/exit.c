/* SPDX-License-Identifier: MIT */
/* A scenario that calls exit() ends its schedule, not the search. */
#include "runner.h"

#include <dlfcn.h>
#include <unistd.h>

void exit(int status)
{
    void (*next)(int) = (void (*)(int))dlsym(RTLD_NEXT, "exit");

    runner_exits(status);
    next(status);
    _exit(status); /* does not return */
}
