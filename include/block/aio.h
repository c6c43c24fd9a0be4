/* SPDX-License-Identifier: MIT */
/* The name that this header had until QEMU 10.2. */
#include "qemu/aio.h"
