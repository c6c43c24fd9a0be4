/* SPDX-License-Identifier: MIT */
/*
 * A fixed amount of something, shared by coroutines of any threads: each takes
 * as much as it needs, waits if there is too little left, and puts it back, in
 * as many parts as it likes.
 */
#ifndef QEMU_CO_SHARED_RESOURCE_H
#define QEMU_CO_SHARED_RESOURCE_H

#include "qemu/coroutine-core.h"

typedef struct SharedResource SharedResource;

SharedResource *shres_create(uint64_t total);
/* Everything must have been put back. */
void shres_destroy(SharedResource *s);

/* Takes @n if that is left; never waits. */
bool co_try_get_from_shres(SharedResource *s, uint64_t n);
/* Takes @n, yielding until that is left; @n is at most the total. */
void coroutine_fn co_get_from_shres(SharedResource *s, uint64_t n);
/* Puts @n back; whoever waits tries again. */
void coroutine_fn co_put_to_shres(SharedResource *s, uint64_t n);

#endif
