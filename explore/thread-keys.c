/* SPDX-License-Identifier: MIT */
/* See thread-keys.h.  A new key is always the lowest that is free. */
#include "thread-keys.h"

#include "qemu/osdep.h"

#include <limits.h>
#include <pthread.h>

static pthread_key_t first_free;

/* The library keeps what it has allocated for a value, once for 32 keys. */
void thread_keys_snapshot(void)
{
    pthread_key_t keys[PTHREAD_KEYS_MAX];
    unsigned n = 0;

    while (n < PTHREAD_KEYS_MAX && pthread_key_create(&keys[n], NULL) == 0) {
        pthread_setspecific(keys[n], keys);
        pthread_setspecific(keys[n++], NULL);
    }
    first_free = n ? keys[0] : PTHREAD_KEYS_MAX;
    while (n > 0) {
        pthread_key_delete(keys[--n]);
    }
}

bool thread_keys_are_new(void)
{
    pthread_key_t free_key = PTHREAD_KEYS_MAX;

    if (pthread_key_create(&free_key, NULL) == 0) {
        pthread_key_delete(free_key);
    }
    return free_key != first_free;
}

void thread_keys_restore(void)
{
    pthread_key_t free_key;

    if (pthread_key_create(&free_key, NULL) != 0) {
        free_key = PTHREAD_KEYS_MAX - 1;
    }
    for (pthread_key_t key = first_free; key <= free_key; key++) {
        pthread_key_delete(key);
    }
}
