/* SPDX-License-Identifier: MIT */
/* A device's mark that it is in the middle of its I/O (a2e1753b80). */
#ifndef QEMU_MEM_REENTRANCY_H
#define QEMU_MEM_REENTRANCY_H

#include "qemu/osdep.h"

struct MemReentrancyGuard {
    bool engaged_in_io;
};

#endif
