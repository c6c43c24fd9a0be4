/* SPDX-License-Identifier: MIT */
/*
 * What the peers share: each program does what 'aiolab bench' does, with
 * another library, in the way that library's own manual shows.
 *
 *   peer-LIBRARY BENCHMARK COUNT     prints {"name": ..., "ns": ...}
 */
#ifndef TESTS_BENCH_PEER_H
#define TESTS_BENCH_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct Peer {
    const char *name;
    void (*run)(uint64_t n);
} Peer;

static int64_t peer_wall_ns;

static inline int64_t peer_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Around the operations; called more than once, the times add up. */
static inline void peer_begin(void)
{
    peer_wall_ns -= peer_now_ns();
}

static inline void peer_end(void)
{
    peer_wall_ns += peer_now_ns();
}

static inline void peer_check(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

/* The same numbers as in cli/bench-timer.c. */
enum { PEER_SEED = 88172645, PEER_SPREAD_MS = 1000 };

static inline uint64_t peer_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* @peers ends with a row without a name. */
static inline int peer_main(int argc, char **argv, const Peer *peers)
{
    uint64_t n = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;

    for (; n && peers->name; peers++) {
        if (!strcmp(peers->name, argv[1])) {
            peers->run(n);
            printf("{\"name\":\"%s\",\"ns\":%.3f}\n", peers->name,
                   (double)peer_wall_ns / n);
            return 0;
        }
    }
    fprintf(stderr, "usage: %s BENCHMARK COUNT\n", argv[0]);
    return 2;
}

#endif
