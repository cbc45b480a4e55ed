#include "common/chain/entry.h"

#include "common/base/cleanup.h"
#include "common/chain/block.h"
#include "common/cose/sealed.h"
#include "common/crypto/digest.h"

enum entry_key { ENTRY_GENESIS = 1, ENTRY_EPOCH, ENTRY_HEIGHT, ENTRY_PREVIOUS, ENTRY_BLOCK, ENTRY_RESULTS, ENTRY_TIME,
                 ENTRY_TREE_SIZE, ENTRY_TREE_ROOT, ENTRY_MEMBER_SET, ENTRY_RULE_VERSION, ENTRY_STATE_CHANGES,
                 ENTRY_STATE_ROOT, ENTRY_BLOCK_RESULT };
enum { CO_SIGNATURE_EPOCH = 1, CO_SIGNATURE_HEIGHT, CO_SIGNATURE_ENTRY, CO_SIGNATURE_KEYS = 3 };
enum { CHECKPOINT_HEIGHT = 1, CHECKPOINT_ENTRY, CHECKPOINT_TREE_SIZE, CHECKPOINT_TREE_ROOT, CHECKPOINT_TIME, CHECKPOINT_KEYS = 5 };

#define PAYLOAD_MAX 256u

static void put_digest(struct pt_buf *out, int key, const struct pt_digest *digest) {
    cbor_put_int(out, key);
    cbor_put_bytes(out, pt_bytes_digest(digest));
}

static void put_count(struct pt_buf *out, int key, uint64_t count) {
    cbor_put_int(out, key);
    cbor_put_uint(out, count);
}

static void get_digest(struct cbor_reader *reader, int key, struct pt_digest *out) {
    cbor_expect_int(reader, key);
    cbor_get_digest(reader, out);
}

static uint64_t get_count(struct cbor_reader *reader, int key) {
    cbor_expect_int(reader, key);
    return cbor_get_count(reader);
}

// --- Entries ---

const char *statement_result_name(enum statement_result result) {
    static const char *const names[] = {"applied", "duplicate", "bad_signature", "unknown_signer", "malformed",
                                        "not_allowed", "equivocation", "untrusted", "held", "alerted"};
    return (size_t)result < sizeof names / sizeof *names ? names[result] : "unknown";
}

enum pt_code chain_entry_encode(const struct chain_entry *entry, struct pt_buf *out, struct pt_error *err) {
    const uint64_t counts = entry->epoch | entry->height | entry->tree_size | entry->rule_version | entry->block_result;
    if (counts > INT64_MAX || entry->time < 0) return pt_fail(err, PT_INVALID, NULL, "a number is beyond 2^63 - 1");
    if (entry->results.len > BLOCK_MAX_STATEMENTS) return pt_fail(err, PT_LIMIT, "results", "too many results");
    cbor_put_map(out, entry->has_state_root ? 14 : 13);
    put_digest(out, ENTRY_GENESIS, &entry->genesis);
    put_count(out, ENTRY_EPOCH, entry->epoch);
    put_count(out, ENTRY_HEIGHT, entry->height);
    put_digest(out, ENTRY_PREVIOUS, &entry->previous);
    put_digest(out, ENTRY_BLOCK, &entry->block);
    cbor_put_int(out, ENTRY_RESULTS);
    cbor_put_bytes(out, entry->results);
    put_count(out, ENTRY_TIME, (uint64_t)entry->time);
    put_count(out, ENTRY_TREE_SIZE, entry->tree_size);
    put_digest(out, ENTRY_TREE_ROOT, &entry->tree_root);
    put_digest(out, ENTRY_MEMBER_SET, &entry->member_set);
    put_count(out, ENTRY_RULE_VERSION, entry->rule_version);
    put_digest(out, ENTRY_STATE_CHANGES, &entry->state_changes);
    if (entry->has_state_root) put_digest(out, ENTRY_STATE_ROOT, &entry->state_root);
    put_count(out, ENTRY_BLOCK_RESULT, entry->block_result);
    return pt_buf_check(out, err);
}

enum pt_code chain_entry_decode(struct pt_bytes bytes, struct chain_entry *out, struct pt_error *err) {
    *out = (struct chain_entry){.epoch = 0};
    if (bytes.len > ENTRY_MAX) return pt_fail(err, PT_LIMIT, NULL, "an entry has at most %zu bytes", ENTRY_MAX);
    struct cbor_reader reader = cbor_reader_of(bytes, true, err);
    const uint64_t pairs = cbor_get_map(&reader, 14);
    if (!cbor_failed(&reader) && pairs < 13) cbor_fail(&reader, "an entry has 13 or 14 members");
    get_digest(&reader, ENTRY_GENESIS, &out->genesis);
    out->epoch = get_count(&reader, ENTRY_EPOCH);
    out->height = get_count(&reader, ENTRY_HEIGHT);
    get_digest(&reader, ENTRY_PREVIOUS, &out->previous);
    get_digest(&reader, ENTRY_BLOCK, &out->block);
    cbor_expect_int(&reader, ENTRY_RESULTS);
    out->results = cbor_get_bytes(&reader);
    if (!cbor_failed(&reader) && out->results.len > BLOCK_MAX_STATEMENTS) cbor_fail(&reader, "too many results");
    out->time = (pt_millis)get_count(&reader, ENTRY_TIME);
    out->tree_size = get_count(&reader, ENTRY_TREE_SIZE);
    get_digest(&reader, ENTRY_TREE_ROOT, &out->tree_root);
    get_digest(&reader, ENTRY_MEMBER_SET, &out->member_set);
    out->rule_version = get_count(&reader, ENTRY_RULE_VERSION);
    get_digest(&reader, ENTRY_STATE_CHANGES, &out->state_changes);
    out->has_state_root = pairs == 14;
    if (out->has_state_root) get_digest(&reader, ENTRY_STATE_ROOT, &out->state_root);
    out->block_result = get_count(&reader, ENTRY_BLOCK_RESULT);
    return cbor_finish(&reader);
}

struct pt_digest chain_entry_digest(struct pt_bytes encoded) { return sha256(encoded); }

// --- Co-signatures ---

enum pt_code co_signature_sign(const struct signer *member, const struct pt_digest *genesis, uint64_t epoch,
                               uint64_t height, const struct pt_digest *entry, struct pt_buf *out, struct pt_error *err) {
    uint8_t room[PAYLOAD_MAX];
    struct pt_buf payload = PT_BUF_OVER(room);
    if (epoch > INT64_MAX || height > INT64_MAX) return pt_fail(err, PT_INVALID, NULL, "a number is beyond 2^63 - 1");
    cbor_put_map(&payload, CO_SIGNATURE_KEYS);
    put_count(&payload, CO_SIGNATURE_EPOCH, epoch);
    put_count(&payload, CO_SIGNATURE_HEIGHT, height);
    put_digest(&payload, CO_SIGNATURE_ENTRY, entry);
    return sealed_sign(member, CO_SIGNATURE_CONTENT_TYPE, genesis, pt_buf_bytes(&payload), out, err);
}

enum pt_code co_signature_verify(struct pt_bytes bytes, const struct verify_key *member, const struct pt_digest *genesis,
                                 uint64_t epoch, uint64_t height, const struct pt_digest *entry, struct pt_error *err) {
    struct sealed sealed;
    struct pt_digest signed_entry;
    enum pt_code code = sealed_decode(bytes, CO_SIGNATURE_CONTENT_TYPE, &sealed, err);
    if (code != PT_OK) return code;
    struct cbor_reader reader = cbor_reader_of(sealed.payload, true, err);
    cbor_expect_map(&reader, CO_SIGNATURE_KEYS);
    const uint64_t signed_epoch = get_count(&reader, CO_SIGNATURE_EPOCH);
    const uint64_t signed_height = get_count(&reader, CO_SIGNATURE_HEIGHT);
    get_digest(&reader, CO_SIGNATURE_ENTRY, &signed_entry);
    code = cbor_finish(&reader);
    if (code != PT_OK) return code;
    if (signed_epoch != epoch || signed_height != height || !pt_digest_equal(&signed_entry, entry))
        return pt_fail(err, PT_UNVERIFIED, NULL, "the co-signature is for another entry");
    return sealed_verify(&sealed, member, genesis, err);
}

// --- Checkpoints ---

enum pt_code checkpoint_sign(const struct signer *log, const struct pt_digest *genesis, const struct checkpoint *checkpoint,
                             struct pt_buf *out, struct pt_error *err) {
    uint8_t room[PAYLOAD_MAX];
    struct pt_buf payload = PT_BUF_OVER(room);
    if (checkpoint->height > INT64_MAX || checkpoint->tree_size > INT64_MAX || checkpoint->time < 0)
        return pt_fail(err, PT_INVALID, NULL, "a number is beyond 2^63 - 1");
    cbor_put_map(&payload, CHECKPOINT_KEYS);
    put_count(&payload, CHECKPOINT_HEIGHT, checkpoint->height);
    put_digest(&payload, CHECKPOINT_ENTRY, &checkpoint->entry);
    put_count(&payload, CHECKPOINT_TREE_SIZE, checkpoint->tree_size);
    put_digest(&payload, CHECKPOINT_TREE_ROOT, &checkpoint->tree_root);
    put_count(&payload, CHECKPOINT_TIME, (uint64_t)checkpoint->time);
    return sealed_sign(log, CHECKPOINT_CONTENT_TYPE, genesis, pt_buf_bytes(&payload), out, err);
}

enum pt_code checkpoint_verify(struct pt_bytes bytes, const struct verify_key *log, const struct pt_digest *genesis,
                               struct checkpoint *out, struct pt_error *err) {
    *out = (struct checkpoint){0};
    struct sealed sealed;
    struct checkpoint found;
    enum pt_code code = sealed_decode(bytes, CHECKPOINT_CONTENT_TYPE, &sealed, err);
    if (code != PT_OK) return code;
    struct cbor_reader reader = cbor_reader_of(sealed.payload, true, err);
    cbor_expect_map(&reader, CHECKPOINT_KEYS);
    found.height = get_count(&reader, CHECKPOINT_HEIGHT);
    get_digest(&reader, CHECKPOINT_ENTRY, &found.entry);
    found.tree_size = get_count(&reader, CHECKPOINT_TREE_SIZE);
    get_digest(&reader, CHECKPOINT_TREE_ROOT, &found.tree_root);
    found.time = (pt_millis)get_count(&reader, CHECKPOINT_TIME);
    code = cbor_finish(&reader);
    if (code == PT_OK) code = sealed_verify(&sealed, log, genesis, err);
    if (code == PT_OK) *out = found;  // nothing unverified leaves this function
    return code;
}
