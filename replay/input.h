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

#include "aiolab/probe.h"

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
    uint16_t kind;
    uint8_t check; /* input_check() */
    uint64_t obj, a, b;
} Input;

enum {
    CHUNK_INPUTS = 1024,
    THREADS_MAX = 256, /* recorded at once */
    THREAD_NUMBERS = 1 << 16, /* a run's threads have smaller ones */
    /* kind, check, ticket, thread, three fields: the most that one takes */
    INPUT_PACKED_MAX = 1 + 1 + 10 + 10 + 3 * 10,
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
/*
 * An input is mixed into its thread's digest like an event, and eight bits of
 * what that comes to are stored with it.  So each input tells whether all that
 * its thread has done and seen before agrees, and itself, too.  Not so where
 * the input is the digest, or does not stand where its thread is.
 */
static inline bool input_is_checked(InputKind kind)
{
    const uint64_t unchecked =
        1ULL << INPUT_PREIMAGE | 1ULL << INPUT_STUCK | 1ULL << INPUT_TURN |
        1ULL << INPUT_THREAD_START | 1ULL << INPUT_THREAD_END |
        1ULL << INPUT_END | 1ULL << INPUT_UNUSED;

    return !(unchecked >> kind & 1);
}

/* It is no operation of its thread's. */
static inline bool input_is_skipped(InputKind kind)
{
    return kind == INPUT_PREIMAGE || kind == INPUT_UNUSED;
}

/* What is mixed in: as of an event, but no event has such a kind. */
static inline uint64_t replay_input_digest(InputKind kind, uint64_t obj,
                                           uint64_t a, uint64_t b)
{
    return probe_event_digest((ProbeKind)(0x100 + kind), obj, a, b, 0);
}

/* @digest: of the thread, with the input mixed in. */
static inline uint8_t input_check(uint64_t digest)
{
    return digest * 0x9e3779b97f4a7c15ULL >> 56;
}

/* What is kept of a hash that names nothing, and is only compared. */
static inline uint64_t input_hash(uint64_t hash)
{
    return hash >> 16;
}

#endif
