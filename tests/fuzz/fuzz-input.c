/* SPDX-License-Identifier: MIT */
/* Bytes as a chunk: refused, or inputs that are packed and unpacked again. */
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Input inputs[CHUNK_INPUTS], again[CHUNK_INPUTS];
    static uint8_t packed[CHUNK_INPUTS * INPUT_PACKED_MAX];
    unsigned n;
    size_t len;

    if (size < 2) {
        return 0;
    }
    n = (data[0] | data[1] << 8) % (CHUNK_INPUTS + 1);
    if (!inputs_unpack(data + 2, size - 2, inputs, n)) {
        return 0;
    }
    len = inputs_pack(inputs, n, packed);
    if (len > sizeof(packed) || !inputs_unpack(packed, len, again, n) ||
        memcmp(inputs, again, n * sizeof(Input))) {
        abort();
    }
    return 0;
}
