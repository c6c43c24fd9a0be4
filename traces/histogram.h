/* SPDX-License-Identifier: MIT */
/*
 * Latencies by size: counts in buckets whose width is at most 1/64 of what they
 * hold, so a percentile is right to 1.6 %, however many there were.
 */
#ifndef TRACES_HISTOGRAM_H
#define TRACES_HISTOGRAM_H

#include "qemu/osdep.h"

enum {
    HISTOGRAM_SUB = 64, /* buckets to a power of two */
    HISTOGRAM_BUCKETS = 58 * HISTOGRAM_SUB + 2 * HISTOGRAM_SUB,
};

typedef struct Histogram {
    uint64_t n, sum; /* sum: of values, may be too large for its type */
    int64_t least, most;
    uint32_t buckets[HISTOGRAM_BUCKETS];
} Histogram;

/* The percentiles that reports show. */
enum { HISTOGRAM_SHOWN = 5 };
extern const double histogram_shown[HISTOGRAM_SHOWN];

void histogram_add(Histogram *histogram, int64_t value);
/* So many of that value. */
void histogram_add_many(Histogram *histogram, int64_t value, uint32_t n);
void histogram_add_all(Histogram *histogram, const Histogram *other);
/* @percent from 0 to 100: the least value that so many are at most; or 0. */
int64_t histogram_percentile(const Histogram *histogram, double percent);
double histogram_mean(const Histogram *histogram);

#endif
