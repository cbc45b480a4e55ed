#include "common/chain/state_change.h"

#include <stdlib.h>

#include "common/cose/cbor.h"
#include "common/crypto/digest.h"

static int compare(const void *a, const void *b) {
    const struct state_change *left = a;
    const struct state_change *right = b;
    if (left->table != right->table) return left->table < right->table ? -1 : 1;
    return pt_bytes_compare(left->key, right->key);
}

void state_changes_sort(struct state_change *changes, size_t count) {
    if (count > 1) qsort(changes, count, sizeof *changes, compare);
}

struct pt_digest state_changes_digest(const struct state_change *changes, size_t count) {
    uint8_t room[64];
    struct pt_buf head = PT_BUF_OVER(room);  // only heads are encoded here; keys and values go into the hash as they lie
    struct sha256_stream stream = sha256_begin();
    cbor_put_array(&head, count);
    for (size_t i = 0; i < count; i++) {
        cbor_put_array(&head, 3);
        cbor_put_uint(&head, (uint64_t)changes[i].table);
        cbor_put_bytes_head(&head, changes[i].key.len);
        sha256_add(&stream, pt_buf_bytes(&head));
        sha256_add(&stream, changes[i].key);
        pt_buf_clear(&head);
        if (changes[i].deleted) {
            cbor_put_null(&head);
            continue;
        }
        cbor_put_bytes_head(&head, changes[i].value.len);
        sha256_add(&stream, pt_buf_bytes(&head));
        sha256_add(&stream, changes[i].value);
        pt_buf_clear(&head);
    }
    sha256_add(&stream, pt_buf_bytes(&head));
    return sha256_end(&stream);
}
