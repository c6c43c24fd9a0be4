/* SPDX-License-Identifier: MIT */
/* Imports what event loop and block layer must not: see check-checks. */
#include "qemu/osdep.h"

#include <pthread.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int64_t planted(pthread_mutex_t *mutex, char *buf);

int64_t planted(pthread_mutex_t *mutex, char *buf)
{
    struct timespec ts;

    pthread_mutex_lock(mutex);
    clock_gettime(CLOCK_MONOTONIC, &ts);
    buf = mmap(buf, 4096, PROT_READ, MAP_PRIVATE, -1, 0);
    return ts.tv_nsec + (int64_t)g_random_int() + read(0, buf, 1);
}
