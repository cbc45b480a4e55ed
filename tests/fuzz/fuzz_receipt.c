#include <stdlib.h>

#include "common/cose/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// No receipt verifies under a key that signed nothing.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static const uint8_t base_point[] = {
        0xa4, 0x01, 0x02, 0x20, 0x01, 0x21, 0x58, 0x20, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6,
        0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98,
        0xc2, 0x96, 0x22, 0xf5};
    static struct verify_key *key;
    struct receipt receipt;
    struct pt_error err;
    struct pt_digest id = {{0}};
    if (!key && verify_key_from_cose(pt_bytes_of(base_point, sizeof base_point), &key, &err) != PT_OK) abort();
    if (receipt_decode(pt_bytes_of(data, len), &receipt, &err) != PT_OK) return 0;
    for (size_t i = 0; i < receipt.proof_count; i++) {
        if (receipt_choose(&receipt, i, &err) != PT_OK) abort();
        if (receipt.leaf_index >= receipt.tree_size || receipt.path.count > MERKLE_MAX_PATH) abort();
    }
    if (receipt_verify(&receipt, key, &id, &err) == PT_OK) abort();
    return 0;
}
