/* SPDX-License-Identifier: MIT */
/*
 * Inputs: what a recording is made of, and how it is packed into chunks.
 *
 * An input has a ticket, its place in the total order over all threads, and
 * the thread that took it.  A chunk holds the inputs of one recording ring in
 * order; it can be read without any other chunk.
 */
#ifndef REPLAY_INPUT_H
#define REPLAY_INPUT_H

#include "qemu/osdep.h"

typedef enum InputKind {
#define INPUT(ID, name, obj, a, b, packing, help) INPUT_##ID,
#include "inputs.def"
#undef INPUT
    INPUT_KIND_MAX
} InputKind;

typedef struct InputInfo {
    const char *name, *obj, *a, *b, *packing, *help;
} InputInfo;

extern const InputInfo input_table[INPUT_KIND_MAX];

typedef struct Input {
    uint64_t ticket;
    uint32_t thread;
    uint32_t kind;
    uint64_t obj, a, b;
} Input;

enum {
    CHUNK_INPUTS = 1024,
    THREADS_MAX = 256, /* recorded at once */
    /* kind, ticket, thread, three fields: the most that one input takes */
    INPUT_PACKED_MAX = 1 + 10 + 10 + 3 * 10,
};

/* Packs @n inputs; returns the number of bytes, at most n * INPUT_PACKED_MAX. */
size_t inputs_pack(const Input *inputs, unsigned n, uint8_t *out);
/*
 * Unpacks exactly @n inputs from @len bytes.  False if they are not what
 * inputs_pack() writes: the chunk is damaged.
 */
bool inputs_unpack(const uint8_t *data, size_t len, Input *inputs, unsigned n);

uint32_t chunk_crc(const uint8_t *data, size_t len, uint64_t first_ticket,
                   uint64_t last_ticket, unsigned n);
/* The name of a content. */
uint64_t content_hash(const void *data, size_t len);
/* What is kept of a hash that names nothing, and is only compared. */
static inline uint64_t input_hash(uint64_t hash)
{
    return hash >> 16;
}

#endif
