/* SPDX-License-Identifier: MIT */
/* A histogram with a bounded relative error. */
#include "histogram.h"

const double histogram_shown[HISTOGRAM_SHOWN] = {50, 90, 99, 99.9, 99.99};

static unsigned bucket_of(uint64_t value)
{
    unsigned shift;

    if (value < 2 * HISTOGRAM_SUB) {
        return value;
    }
    shift = 63 - __builtin_clzll(value) - 6;
    return shift * HISTOGRAM_SUB + (value >> shift);
}

/* The largest value that falls into a bucket. */
static int64_t top_of(unsigned bucket)
{
    unsigned shift;

    if (bucket < 2 * HISTOGRAM_SUB) {
        return bucket;
    }
    shift = bucket / HISTOGRAM_SUB - 1;
    return (((uint64_t)(bucket % HISTOGRAM_SUB) + HISTOGRAM_SUB + 1) << shift) -
           1;
}

static void note_range(Histogram *h, int64_t least, int64_t most)
{
    h->least = h->n ? MIN(h->least, least) : least;
    h->most = h->n ? MAX(h->most, most) : most;
}

void histogram_add_many(Histogram *h, int64_t value, uint32_t n)
{
    value = MAX(value, 0);
    note_range(h, value, value);
    h->n += n;
    h->sum += value * (uint64_t)n;
    h->buckets[bucket_of(value)] += n;
}

void histogram_add(Histogram *h, int64_t value)
{
    histogram_add_many(h, value, 1);
}

void histogram_add_all(Histogram *h, const Histogram *other)
{
    if (!other->n) {
        return;
    }
    note_range(h, other->least, other->most);
    h->n += other->n;
    h->sum += other->sum;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        h->buckets[i] += other->buckets[i];
    }
}

int64_t histogram_percentile(const Histogram *h, double percent)
{
    double wanted = h->n * percent / 100;
    uint64_t seen = 0;

    if (!h->n) {
        return 0;
    }
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen && seen >= wanted) {
            return MIN(top_of(i), h->most);
        }
    }
    return h->most;
}

double histogram_mean(const Histogram *h)
{
    return h->n ? (double)h->sum / h->n : 0;
}
