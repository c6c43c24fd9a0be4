/* SPDX-License-Identifier: MIT */
/* Packing columns of numbers: what is common to them is taken out first. */
#include "column.h"

typedef enum Coding { CONSTANT, DELTAS, OFFSETS, INDEXED } Coding;

enum {
    DISTINCT_MAX = 256,
    DISTINCT_SLOTS = 1024,
    VARINT_MAX = 10,
};

/* ---- Numbers ---- */

static uint64_t zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1 ^ -(value & 1));
}

static uint8_t *put(uint8_t *out, uint64_t value)
{
    while (value >= 0x80) {
        *out++ = value | 0x80;
        value >>= 7;
    }
    *out++ = value;
    return out;
}

static bool get(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    const uint8_t *p = *at;

    *value = 0;
    for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
        *value |= (uint64_t)(*p & 0x7f) << shift;
        if (!(*p++ & 0x80)) {
            *at = p;
            return true;
        }
    }
    return false;
}

static unsigned varint_size(uint64_t value)
{
    return (70 - __builtin_clzll(value | 1)) / 7;
}

/* ---- Exact division ---- */

/*
 * A unit by which many numbers are divided that are its multiples.  Modulo 2^64
 * an odd number has an inverse, and to multiply by it is to divide by the number
 * where that leaves no rest; where it would leave one, the product is larger
 * than any quotient.  That takes a tenth of what a division takes.
 */
typedef struct Divisor {
    uint64_t unit;    /* 0: none yet, which only 0 is a multiple of */
    uint64_t inverse; /* of unit >> shift, which is odd */
    uint64_t most;    /* the largest quotient */
    unsigned shift;
} Divisor;

static Divisor divisor_of(uint64_t unit)
{
    Divisor d = {.unit = unit};
    uint64_t odd;

    if (unit) {
        d.shift = __builtin_ctzll(unit);
        d.most = UINT64_MAX / unit;
        odd = unit >> d.shift;
        d.inverse = 3 * odd ^ 2; /* five bits are right; each step doubles */
        for (unsigned bits = 5; bits < 64; bits *= 2) {
            d.inverse *= 2 - odd * d.inverse;
        }
    }
    return d;
}

static bool divides(const Divisor *d, uint64_t value)
{
    uint64_t product = value * d->inverse;

    if (d->shift) {
        product = product >> d->shift | product << (64 - d->shift);
    }
    return product <= d->most;
}

/* Of a multiple. */
static uint64_t quotient(const Divisor *d, uint64_t value)
{
    return (value >> d->shift) * d->inverse;
}

static int64_t signed_quotient(const Divisor *d, int64_t value)
{
    return (uint64_t)(value >> d->shift) * d->inverse;
}

/* Makes it the greatest number that divides both. */
static void include(Divisor *d, uint64_t value)
{
    uint64_t unit = d->unit;

    if (!value || unit == 1 || (unit && divides(d, value))) {
        return;
    }
    while (value) {
        uint64_t rest = unit % value;

        unit = value;
        value = rest;
    }
    *d = divisor_of(unit);
}

/* ---- Distinct values ---- */

typedef struct Distinct {
    int64_t values[DISTINCT_MAX];
    unsigned n;
    uint16_t slots[DISTINCT_SLOTS]; /* 1 + an index into values */
    uint8_t index[COLUMN_VALUES];   /* of each value of the column */
} Distinct;

/* False if there are too many. */
static bool distinct_add(Distinct *set, unsigned at, int64_t value)
{
    unsigned slot = ((uint64_t)value * 0x9e3779b97f4a7c15) >> 54;

    while (set->slots[slot] && set->values[set->slots[slot] - 1] != value) {
        slot = (slot + 1) % DISTINCT_SLOTS;
    }
    if (!set->slots[slot]) {
        if (set->n == DISTINCT_MAX) {
            return false;
        }
        set->values[set->n++] = value;
        set->slots[slot] = set->n;
    }
    set->index[at] = set->slots[slot] - 1;
    return true;
}

static bool distinct_collect(Distinct *set, const int64_t *values, unsigned n)
{
    set->n = 0;
    memset(set->slots, 0, sizeof(set->slots));
    for (unsigned i = 0; i < n; i++) {
        if (!distinct_add(set, i, values[i])) {
            return false;
        }
    }
    return true;
}

static unsigned index_bits(unsigned distinct)
{
    return distinct <= 2 ? 1 : distinct <= 4 ? 2 : distinct <= 16 ? 4 : 8;
}

static size_t indexed_size(const Distinct *set, unsigned n)
{
    size_t size = 2 + (n * index_bits(set->n) + 7) / 8;

    for (unsigned i = 0; i < set->n; i++) {
        size += varint_size(zigzag(set->values[i]));
    }
    return size;
}

static uint8_t *put_indexed(uint8_t *out, const Distinct *set, unsigned n)
{
    unsigned bits = index_bits(set->n);
    size_t len = (n * bits + 7) / 8;

    *out++ = INDEXED;
    out = put(out, set->n);
    for (unsigned i = 0; i < set->n; i++) {
        out = put(out, zigzag(set->values[i]));
    }
    memset(out, 0, len);
    for (unsigned i = 0; i < n; i++) {
        out[i * bits / 8] |= set->index[i] << i * bits % 8;
    }
    return out + len;
}

/* ---- Differences and distances ---- */

typedef struct Shape {
    Divisor unit; /* of differences, and so of distances, too */
    int64_t least;
    size_t delta_size, offset_size;
} Shape;

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static int64_t difference(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static Shape measure(const int64_t *values, unsigned n)
{
    Shape shape = {.least = values[0]};

    for (unsigned i = 1; i < n; i++) {
        shape.least = MIN(shape.least, values[i]);
        include(&shape.unit, magnitude(difference(values[i], values[i - 1])));
    }
    if (shape.unit.unit > INT64_MAX) {
        shape.unit = divisor_of(1); /* INT64_MIN, once */
    }
    for (unsigned i = 0; i < n; i++) {
        int64_t delta = i ? difference(values[i], values[i - 1]) : 0;
        uint64_t distance = difference(values[i], shape.least);

        shape.delta_size += varint_size(
            zigzag(signed_quotient(&shape.unit, delta)));
        shape.offset_size += varint_size(quotient(&shape.unit, distance));
    }
    return shape;
}

static bool are_same(const int64_t *values, unsigned n)
{
    int64_t others = 0;

    for (unsigned i = 1; i < n; i++) {
        others |= values[i] ^ values[0];
    }
    return !others;
}

static uint8_t *put_deltas(uint8_t *out, const int64_t *values, unsigned n,
                           const Divisor *unit)
{
    *out++ = DELTAS;
    out = put(out, unit->unit);
    out = put(out, zigzag(values[0]));
    for (unsigned i = 1; i < n; i++) {
        int64_t delta = difference(values[i], values[i - 1]);

        out = put(out, zigzag(signed_quotient(unit, delta)));
    }
    return out;
}

static uint8_t *put_offsets(uint8_t *out, const int64_t *values, unsigned n,
                            const Divisor *unit, int64_t least)
{
    *out++ = OFFSETS;
    out = put(out, unit->unit);
    out = put(out, zigzag(least));
    for (unsigned i = 0; i < n; i++) {
        out = put(out, quotient(unit, difference(values[i], least)));
    }
    return out;
}

size_t column_pack(const int64_t *values, unsigned n, uint8_t *out)
{
    Distinct set;
    Shape shape;
    bool few;

    if (are_same(values, n)) {
        out[0] = CONSTANT;
        return put(out + 1, zigzag(n ? values[0] : 0)) - out;
    }
    few = distinct_collect(&set, values, n);
    if (few && indexed_size(&set, n) <= n) {
        return put_indexed(out, &set, n) - out; /* others take a byte each */
    }
    shape = measure(values, n);
    if (few && indexed_size(&set, n) <=
               MIN(shape.delta_size, shape.offset_size)) {
        return put_indexed(out, &set, n) - out;
    }
    if (shape.delta_size <= shape.offset_size) {
        return put_deltas(out, values, n, &shape.unit) - out;
    }
    return put_offsets(out, values, n, &shape.unit, shape.least) - out;
}

/* ---- Back ---- */

static bool get_indexed(const uint8_t **at, const uint8_t *end,
                        int64_t *values, unsigned n)
{
    int64_t distinct[DISTINCT_MAX];
    uint64_t count, value;
    unsigned bits;

    if (!get(at, end, &count) || count < 1 || count > DISTINCT_MAX) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!get(at, end, &value)) {
            return false;
        }
        distinct[i] = unzigzag(value);
    }
    bits = index_bits(count);
    if ((size_t)(end - *at) < (n * bits + 7) / 8) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned index = (*at)[i * bits / 8] >> i * bits % 8 &
                         ((1u << bits) - 1);

        if (index >= count) {
            return false;
        }
        values[i] = distinct[index];
    }
    *at += (n * bits + 7) / 8;
    return true;
}

static bool get_scaled(const uint8_t **at, const uint8_t *end, Coding coding,
                       int64_t *values, unsigned n)
{
    uint64_t unit, first, value = 0;

    if (!get(at, end, &unit) || !get(at, end, &first)) {
        return false;
    }
    first = unzigzag(first);
    for (unsigned i = 0; i < n; i++) {
        if ((coding == OFFSETS || i) && !get(at, end, &value)) {
            return false;
        }
        if (coding == OFFSETS) {
            values[i] = first + value * unit;
        } else {
            first += i ? (uint64_t)unzigzag(value) * unit : 0;
            values[i] = first;
        }
    }
    return true;
}

bool column_unpack(const uint8_t **at, const uint8_t *end, int64_t *values,
                   unsigned n)
{
    uint64_t value;
    Coding coding;

    if (*at == end || n > COLUMN_VALUES) {
        return false;
    }
    coding = *(*at)++;
    switch (coding) {
    case CONSTANT:
        if (!get(at, end, &value)) {
            return false;
        }
        for (unsigned i = 0; i < n; i++) {
            values[i] = unzigzag(value);
        }
        return true;
    case DELTAS:
    case OFFSETS:
        return get_scaled(at, end, coding, values, n);
    case INDEXED:
        return get_indexed(at, end, values, n);
    default:
        return false;
    }
}
