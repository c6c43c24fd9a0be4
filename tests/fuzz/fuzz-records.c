/* SPDX-License-Identifier: MIT */
/* Bytes as a packed chunk of records: what can be unpacked packs again. */
#include "pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static TraceRecord records[COLUMN_VALUES], again[COLUMN_VALUES];
    static uint8_t packed[PACK_MAX];
    unsigned n;
    size_t len;

    if (size < 3) {
        return 0;
    }
    n = 1 + (data[0] | data[1] << 8) % COLUMN_VALUES;
    if (!records_unpack(data + 2, size - 2, records, n)) {
        return 0;
    }
    len = records_pack(records, n, packed);
    if (len > sizeof(packed) || !records_unpack(packed, len, again, n)) {
        abort();
    }
    return 0;
}
