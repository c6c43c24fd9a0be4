/* SPDX-License-Identifier: MIT */
/*
 * Bytes as the ring of a dead recorder: whatever stands there, what is read
 * from it are inputs of known kinds, in order, and contents that are themselves.
 */
#include "ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t last_ticket;

static void take_input(unsigned ring, const Input *input, void *opaque)
{
    if (input->kind >= INPUT_KIND_MAX || input->ticket <= last_ticket) {
        abort();
    }
    last_ticket = input->ticket;
}

static void take_content(uint64_t hash, const void *data, size_t len,
                         void *opaque)
{
    volatile uint8_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += ((const uint8_t *)data)[i];
    }
}

/* The first bytes are head and durable, the others fill slots. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t ring_size = ring_offset(2) - ring_offset(1);
    static const RingReader reader = {take_input, take_content, NULL};
    Ring *ring = calloc(1, ring_size);
    uint64_t head, back;

    if (size >= 16) {
        memcpy(&head, data, 8);
        memcpy(&back, data + 8, 8);
        ring->head = head;
        ring->durable = data[8] & 1 ? back : head - (back >> 1) % 64;
        for (size_t at = 16; at < size; at += SLOT_SIZE) {
            uint64_t slot = (ring->durable + (at - 16) / SLOT_SIZE) %
                            RING_SLOTS;

            memcpy(&ring->slots[slot], data + at, MIN(SLOT_SIZE, size - at));
        }
        last_ticket = 0;
        ring_read(ring, 1, &reader);
    }
    free(ring);
    return 0;
}
