/* SPDX-License-Identifier: MIT */
/* Memory at an aligned address; QEMU: util/memalign.c. */
#include "qemu/memalign.h"

void *qemu_try_memalign(size_t alignment, size_t size)
{
    void *ptr;

    assert(is_power_of_2(alignment));
    if (posix_memalign(&ptr, MAX(alignment, sizeof(void *)), MAX(size, 1))) {
        return NULL;
    }
    return ptr;
}

void *qemu_memalign(size_t alignment, size_t size)
{
    void *ptr = qemu_try_memalign(alignment, size);

    if (!ptr) {
        fprintf(stderr, "Failed to allocate %zu bytes\n", size);
        abort();
    }
    return ptr;
}

void qemu_vfree(void *ptr)
{
    free(ptr);
}
