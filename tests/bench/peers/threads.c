/* SPDX-License-Identifier: MIT */
/*
 * Two threads that wake each other with nothing in between: by a pair of
 * eventfds, and by a pair of words that each of them watches.
 */
#include "peer.h"

#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>

static uint64_t rounds;

/* ---- eventfds ---- */

static int there, back;

static void signal_fd(int fd)
{
    const uint64_t one = 1;

    peer_check(write(fd, &one, sizeof(one)) == sizeof(one), "write");
}

static void await_fd(int fd)
{
    uint64_t value;

    peer_check(read(fd, &value, sizeof(value)) == sizeof(value), "read");
}

static void *answer_fd(void *opaque)
{
    for (uint64_t i = 0; i < rounds; i++) {
        await_fd(there);
        signal_fd(back);
    }
    return NULL;
}

static void use_eventfd(uint64_t n)
{
    pthread_t thread;

    rounds = n;
    there = eventfd(0, EFD_CLOEXEC);
    back = eventfd(0, EFD_CLOEXEC);
    peer_check(there >= 0 && back >= 0, "eventfd");
    pthread_create(&thread, NULL, answer_fd, NULL);
    peer_begin();
    for (uint64_t i = 0; i < n; i++) {
        signal_fd(there);
        await_fd(back);
    }
    peer_end();
    pthread_join(thread, NULL);
}

/* ---- Words ---- */

/* To the @nth processor that we may use, if there are so many. */
static void pin(unsigned nth)
{
    cpu_set_t allowed, one;

    if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0) {
        return;
    }
    CPU_ZERO(&one);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed) && !nth--) {
            CPU_SET(cpu, &one);
            sched_setaffinity(0, sizeof(one), &one);
            return;
        }
    }
}

/* On lines of their own, or the two would fight for one. */
static struct {
    _Alignas(128) uint64_t there;
    _Alignas(128) uint64_t back;
} word;

static void await_word(uint64_t *p, uint64_t value)
{
    while (__atomic_load_n(p, __ATOMIC_ACQUIRE) != value) {
#ifdef __x86_64__
        __builtin_ia32_pause();
#endif
    }
}

static void *answer_word(void *opaque)
{
    pin(1);
    await_word(&word.there, 1); /* we have moved */
    __atomic_store_n(&word.back, 1, __ATOMIC_RELEASE);
    for (uint64_t i = 2; i <= rounds + 1; i++) {
        await_word(&word.there, i);
        __atomic_store_n(&word.back, i, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void use_memory(uint64_t n)
{
    pthread_t thread;

    rounds = n;
    pthread_create(&thread, NULL, answer_word, NULL);
    pin(0);
    __atomic_store_n(&word.there, 1, __ATOMIC_RELEASE);
    await_word(&word.back, 1);
    peer_begin();
    for (uint64_t i = 2; i <= n + 1; i++) {
        __atomic_store_n(&word.there, i, __ATOMIC_RELEASE);
        await_word(&word.back, i);
    }
    peer_end();
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    static const Peer peers[] = {
        {"eventfd", use_eventfd}, {"memory", use_memory}, {NULL, NULL}};

    return peer_main(argc, argv, peers);
}
