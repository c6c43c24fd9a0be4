/* SPDX-License-Identifier: MIT */
/*
 * malloc() and its like for programs that run schedules: a program that is
 * linked with this file has the arena (arena.h) in front of the C library's.
 *
 * What was allocated while the arena was off stays valid until whoever
 * allocated it frees it with the arena off: a schedule that frees it does
 * nothing, because the data that point to it will be restored.
 */
#include "arena.h"

#include <errno.h>
#include <malloc.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

enum { ALIGN = 16 };

bool arena_is_linked(void)
{
    return true;
}

void *malloc(size_t size)
{
    return arena_is_on() ? arena_alloc(size, ALIGN) : __libc_malloc(size);
}

void free(void *p)
{
    if (!p) {
        return;
    }
    if (arena_owns(p)) {
        arena_free(p);
    } else if (!arena_is_on()) {
        __libc_free(p);
    }
}

void *calloc(size_t n, size_t size)
{
    size_t bytes;
    void *p;

    if (!arena_is_on()) {
        return __libc_calloc(n, size);
    }
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    p = arena_alloc(bytes, ALIGN);
    memset(p, 0, bytes);
    return p;
}

void *realloc(void *p, size_t size)
{
    void *copy;

    if (!p) {
        return malloc(size);
    }
    if (arena_owns(p)) {
        return arena_resize(p, size);
    }
    if (!arena_is_on()) {
        return __libc_realloc(p, size);
    }
    copy = arena_alloc(size, ALIGN);
    memcpy(copy, p, MIN(size, malloc_usable_size(p)));
    return copy;
}

void *memalign(size_t align, size_t size)
{
    return arena_is_on() ? arena_alloc(size, align)
                         : __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

int posix_memalign(void **p, size_t align, size_t size)
{
    *p = memalign(align, size);
    return *p ? 0 : ENOMEM;
}

/* Those of the arena never get here: libc's own malloc_usable_size() does. */
