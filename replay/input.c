/* SPDX-License-Identifier: MIT */
/* Packing of inputs: a byte of kind, then what changed since the last one. */
#include "input.h"

#include <xxhash.h>
#ifdef __x86_64__
/* The widest vectors that the processor has, found at run time. */
#include <xxh_x86dispatch.h>
#endif

const InputInfo input_table[INPUT_KIND_MAX] = {
#define INPUT(ID, name, obj, a, b, packing, help) \
    {name, obj, a, b, packing, help},
#include "inputs.def"
#undef INPUT
};

enum {
    KIND_JUMP = 0x80,   /* the ticket is not the last one + 1: it follows */
    KIND_THREAD = 0x40, /* not the last input's thread: it follows */
};

/* What the differences refer to; starts from zero in each chunk. */
typedef struct Packer {
    uint64_t ticket;
    uint32_t thread;
    uint64_t last[INPUT_KIND_MAX][3];
} Packer;

static uint8_t *put_varint(uint8_t *p, uint64_t value)
{
    while (value >= 0x80) {
        *p++ = value | 0x80;
        value >>= 7;
    }
    *p++ = value;
    return p;
}

/* NULL if there is no whole number before @end. */
static const uint8_t *get_varint(const uint8_t *p, const uint8_t *end,
                                 uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; p < end && shift < 70; shift += 7) {
        *value |= (uint64_t)(*p & 0x7f) << shift;
        if (!(*p++ & 0x80)) {
            return p;
        }
    }
    return NULL;
}

static uint64_t zigzag(uint64_t difference)
{
    return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static uint64_t unzigzag(uint64_t value)
{
    return value >> 1 ^ -(value & 1);
}

static uint8_t *put_field(uint8_t *p, char packing, uint64_t value,
                          uint64_t *last)
{
    if (packing == 'x') {
        memcpy(p, &value, sizeof(value));
        return p + sizeof(value);
    }
    if (packing == 'd') {
        p = put_varint(p, zigzag(value - *last));
        *last = value;
    }
    return p;
}

static const uint8_t *get_field(const uint8_t *p, const uint8_t *end,
                                char packing, uint64_t *value, uint64_t *last)
{
    *value = 0;
    if (packing == 'x') {
        if (end - p < (ptrdiff_t)sizeof(*value)) {
            return NULL;
        }
        memcpy(value, p, sizeof(*value));
        return p + sizeof(*value);
    }
    if (packing == 'd') {
        uint64_t difference;

        p = get_varint(p, end, &difference);
        *value = *last += unzigzag(difference);
    }
    return p;
}

size_t inputs_pack(const Input *inputs, unsigned n, uint8_t *out)
{
    Packer packer = {.ticket = 0};
    uint8_t *p = out;

    for (const Input *in = inputs; in < inputs + n; in++) {
        const char *packing = input_table[in->kind].packing;
        uint64_t *last = packer.last[in->kind];
        uint8_t *head = p++;

        *head = in->kind;
        if (in->ticket != packer.ticket + 1) {
            *head |= KIND_JUMP;
            p = put_varint(p, in->ticket - packer.ticket);
        }
        if (in->thread != packer.thread) {
            *head |= KIND_THREAD;
            p = put_varint(p, in->thread);
        }
        packer.ticket = in->ticket;
        packer.thread = in->thread;
        p = put_field(p, packing[0], in->obj, &last[0]);
        p = put_field(p, packing[1], in->a, &last[1]);
        p = put_field(p, packing[2], in->b, &last[2]);
    }
    return p - out;
}

static const uint8_t *unpack_one(const uint8_t *p, const uint8_t *end,
                                 Packer *packer, Input *in)
{
    uint64_t jump = 1, thread = packer->thread, *last;
    const char *packing;
    uint8_t head;

    if (p >= end) {
        return NULL;
    }
    head = *p++;
    in->kind = head & ~(KIND_JUMP | KIND_THREAD);
    if (in->kind >= INPUT_KIND_MAX) {
        return NULL;
    }
    if (head & KIND_JUMP && !(p = get_varint(p, end, &jump))) {
        return NULL;
    }
    if (head & KIND_THREAD && !(p = get_varint(p, end, &thread))) {
        return NULL;
    }
    packer->ticket += jump;
    packer->thread = thread;
    in->ticket = packer->ticket;
    in->thread = packer->thread;
    packing = input_table[in->kind].packing;
    last = packer->last[in->kind];
    if (!(p = get_field(p, end, packing[0], &in->obj, &last[0])) ||
        !(p = get_field(p, end, packing[1], &in->a, &last[1]))) {
        return NULL;
    }
    return get_field(p, end, packing[2], &in->b, &last[2]);
}

bool inputs_unpack(const uint8_t *data, size_t len, Input *inputs, unsigned n)
{
    const uint8_t *p = data, *end = data + len;
    Packer packer = {.ticket = 0};

    for (unsigned i = 0; i < n; i++) {
        p = unpack_one(p, end, &packer, &inputs[i]);
        if (!p) {
            return false;
        }
    }
    return p == end;
}

uint32_t chunk_crc(const uint8_t *data, size_t len, uint64_t first_ticket,
                   uint64_t last_ticket, unsigned n)
{
    uint64_t head[3] = {first_ticket, last_ticket, n};

    return (uint32_t)XXH3_64bits_withSeed(data, len,
                                          XXH3_64bits(head, sizeof(head)));
}

uint64_t content_hash(const void *data, size_t len)
{
    return XXH3_64bits(data, len);
}
