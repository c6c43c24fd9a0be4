/* SPDX-License-Identifier: MIT */
/* Packing of inputs: a byte of kind, then what changed since the last one. */
#include "input.h"

#include <xxhash.h>
#ifdef HAVE_XXH_DISPATCH
#include <xxh_x86dispatch.h> /* the same hashes, by the widest vectors here */
#endif
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
    /* In place of a kind: the last one again, with the same differences. */
    KIND_AGAIN = 0x3f,
    HASH_BYTES = 6,
};

QEMU_BUILD_BUG_ON((int)INPUT_KIND_MAX > (int)KIND_AGAIN);

/* One kind's fields: the last ones, and how they differed from those before. */
typedef struct PackedFields {
    uint64_t last[3], step[3];
} PackedFields;

/* What the differences refer to; starts from zero in each chunk. */
typedef struct Packer {
    uint64_t ticket;
    uint32_t thread;
    uint32_t kind; /* of the last input; KIND_AGAIN: there is none */
    PackedFields fields[INPUT_KIND_MAX];
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

/* How many bytes such a field has as it is, or 0. */
static size_t plain_bytes(char packing)
{
    return packing == 'x' ? sizeof(uint64_t) : packing == 'h' ? HASH_BYTES : 0;
}

/* Notes the new values; false if a difference is not the one of last time. */
static bool step_fields(PackedFields *f, const char *packing,
                        const uint64_t *values)
{
    uint64_t changed = 0;

    for (unsigned i = 0; i < 3; i++) {
        if (packing[i] == 'd') {
            uint64_t step = values[i] - f->last[i];

            changed |= step ^ f->step[i];
            f->step[i] = step;
            f->last[i] = values[i];
        }
    }
    return !changed;
}

static uint8_t *put_fields(uint8_t *p, const PackedFields *f,
                           const char *packing, const uint64_t *values,
                           bool again)
{
    for (unsigned i = 0; i < 3; i++) {
        size_t bytes = plain_bytes(packing[i]);

        if (bytes) {
            memcpy(p, &values[i], sizeof(values[i]));
            p += bytes;
        } else if (packing[i] == 'd' && !again) {
            p = put_varint(p, zigzag(f->step[i]));
        }
    }
    return p;
}

static const uint8_t *get_fields(const uint8_t *p, const uint8_t *end,
                                 PackedFields *f, const char *packing,
                                 uint64_t *values, bool again)
{
    for (unsigned i = 0; i < 3; i++) {
        size_t bytes = plain_bytes(packing[i]);

        values[i] = 0;
        if (bytes) {
            if ((size_t)(end - p) < bytes) {
                return NULL;
            }
            memcpy(&values[i], p, bytes);
            p += bytes;
        } else if (packing[i] == 'd') {
            uint64_t step;

            if (!again) {
                p = get_varint(p, end, &step);
                if (!p) {
                    return NULL;
                }
                f->step[i] = unzigzag(step);
            }
            values[i] = f->last[i] += f->step[i];
        }
    }
    return p;
}

size_t inputs_pack(const Input *inputs, unsigned n, uint8_t *out)
{
    Packer packer = {.kind = KIND_AGAIN};
    uint8_t *p = out;

    for (const Input *in = inputs; in < inputs + n; in++) {
        const char *packing = input_table[in->kind].packing;
        const uint64_t values[3] = {in->obj, in->a, in->b};
        PackedFields *f = &packer.fields[in->kind];
        uint8_t *head = p++;
        bool again = step_fields(f, packing, values) && in->kind == packer.kind;

        *head = again ? KIND_AGAIN : in->kind;
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
        packer.kind = in->kind;
        if (input_is_checked(in->kind)) {
            *p++ = in->check;
        }
        p = put_fields(p, f, packing, values, again);
    }
    return p - out;
}

static const uint8_t *unpack_one(const uint8_t *p, const uint8_t *end,
                                 Packer *packer, Input *in)
{
    uint64_t jump = 1, thread = packer->thread, values[3];
    bool again;
    uint8_t head;

    if (p >= end) {
        return NULL;
    }
    head = *p++;
    in->kind = head & ~(KIND_JUMP | KIND_THREAD);
    again = in->kind == KIND_AGAIN;
    if (again) {
        in->kind = packer->kind;
    }
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
    packer->kind = in->kind;
    in->ticket = packer->ticket;
    in->thread = packer->thread;
    in->check = 0;
    if (input_is_checked(in->kind)) {
        if (p >= end) {
            return NULL;
        }
        in->check = *p++;
    }
    p = get_fields(p, end, &packer->fields[in->kind],
                   input_table[in->kind].packing, values, again);
    in->obj = values[0];
    in->a = values[1];
    in->b = values[2];
    return p;
}

bool inputs_unpack(const uint8_t *data, size_t len, Input *inputs, unsigned n)
{
    const uint8_t *p = data, *end = data + len;
    Packer packer = {.kind = KIND_AGAIN};

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
