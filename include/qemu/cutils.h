/* SPDX-License-Identifier: MIT */
/* Of QEMU's qemu/cutils.h, what this project needs. */
#ifndef QEMU_CUTILS_H
#define QEMU_CUTILS_H

#include "qemu/osdep.h"

/* True for @len 0. */
bool buffer_is_zero(const void *buf, size_t len);

#endif
