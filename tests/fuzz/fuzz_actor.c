#include <stdlib.h>

#include "common/chain/actor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_same(enum pt_code code, struct pt_buf *again, const uint8_t *data, size_t len) {
    if (code != PT_OK || !pt_bytes_equal(pt_buf_bytes(again), pt_bytes_of(data, len))) abort();
    pt_buf_clear(again);
}

// Actors, revocations and geneses have one form only.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    const struct pt_bytes bytes = pt_bytes_of(data, len);
    struct pt_error err;
    struct pt_buf again = PT_BUF_INIT(GENESIS_MAX);
    struct actor actor;
    struct revocation revocation;
    struct genesis genesis;
    if (actor_decode(bytes, &actor, &err) == PT_OK) {
        check_same(actor_encode(&actor, &again, &err), &again, data, len);
        actor_free(&actor);
    }
    if (revocation_decode(bytes, &revocation, &err) == PT_OK)
        check_same(revocation_encode(&revocation, &again, &err), &again, data, len);
    if (genesis_decode(bytes, &genesis, &err) == PT_OK) {
        check_same(genesis_encode(&genesis, &again, &err), &again, data, len);
        genesis_free(&genesis);
    }
    pt_buf_free(&again);
    return 0;
}
