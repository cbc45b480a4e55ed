#include "common/wire/wire.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"

// Words of JSON answers, by their number.
static const char *const outcome_words[] = {NULL, "accepted", "duplicate", "refused", "later"};
static const char *const block_words[] = {NULL, "applied", "duplicate", "waiting", "refused"};

static int word_number(const char *const *words, int count, const char *word) {
    for (int i = 1; word && i < count; i++)
        if (strcmp(words[i], word) == 0) return i;
    return 0;
}

// Error texts quote foreign bytes and may be cut inside a character; the writer replaces what is not UTF-8, whereas
// json_string would refuse the whole text.
static void set_text(json_t *object, const char *name, const char *text) {
    if (text[0]) json_object_set_new(object, name, json_string_nocheck(text));
}

static void set_digest(json_t *object, const char *name, const struct pt_digest *digest) {
    char hex[65];
    pt_digest_hex(digest, hex);
    json_object_set_new(object, name, json_string(hex));
}

static enum pt_code get_digest(const json_t *object, const char *name, struct pt_digest *out, struct pt_error *err) {
    const char *hex = json_string_value(json_object_get(object, name));
    struct pt_buf bytes = PT_BUF_INIT(PT_DIGEST_SIZE);
    enum pt_code code = pt_hex_decode(pt_bytes_str(hex), &bytes, NULL);
    if (code == PT_OK && bytes.len == PT_DIGEST_SIZE) memcpy(out->bytes, bytes.data, PT_DIGEST_SIZE);
    else code = pt_fail(err, PT_INVALID, name, "not 64 hex digits");
    pt_buf_free(&bytes);
    return code;
}

static void get_text(const json_t *object, const char *name, char *out, size_t size) {
    const char *text = json_string_value(json_object_get(object, name));
    const size_t len = text ? strnlen(text, size - 1) : 0;
    if (len) memcpy(out, text, len);
    out[len] = 0;
}

static bool get_uint(const json_t *object, const char *name, uint64_t *out) {
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

enum pt_code wire_acks_encode(const struct wire_ack *acks, size_t count, struct pt_buf *out, struct pt_error *err) {
    PT_JSON json_t *root = json_object();
    json_t *results = json_array();
    json_object_set_new(root, "results", results);
    for (size_t i = 0; i < count; i++) {
        json_t *result = json_object();
        set_digest(result, "id", &acks[i].id);
        json_object_set_new(result, "outcome", json_string(outcome_words[acks[i].outcome]));
        set_text(result, "error", acks[i].error);
        set_text(result, "warning", acks[i].warning);
        json_array_append_new(results, result);
    }
    return pt_json_append(out, root, err);
}

enum pt_code wire_acks_decode(struct pt_bytes json, struct wire_ack *acks, size_t count, struct pt_error *err) {
    PT_JSON json_t *root = NULL;
    enum pt_code code = pt_json_parse(json, WIRE_MAX_BODY, &root, err);
    if (code != PT_OK) return code;
    const json_t *results = json_object_get(root, "results");
    if (!json_is_array(results) || json_array_size(results) != count)
        return pt_fail(err, PT_INVALID, "/results", "not one outcome for each of %zu statements", count);
    for (size_t i = 0; i < count; i++) {
        const json_t *result = json_array_get(results, i);
        struct pt_digest id;
        code = get_digest(result, "id", &id, err);
        if (code != PT_OK) return code;
        if (!pt_digest_equal(&id, &acks[i].id))
            return pt_fail(err, PT_INVALID, "/results", "outcome %zu is about another statement", i);
        const int outcome = word_number(outcome_words, 5, json_string_value(json_object_get(result, "outcome")));
        if (outcome == 0) return pt_fail(err, PT_INVALID, "/results", "outcome %zu is unknown", i);
        acks[i].outcome = (enum wire_outcome)outcome;
        get_text(result, "error", acks[i].error, sizeof acks[i].error);
        get_text(result, "warning", acks[i].warning, sizeof acks[i].warning);
    }
    return PT_OK;
}

enum pt_code wire_split_sequence(struct pt_bytes body, struct pt_bytes *out, size_t most, size_t *count,
                                 struct pt_error *err) {
    struct cbor_reader reader = cbor_reader_of(body, false, err);
    *count = 0;
    while (!cbor_failed(&reader) && reader.at < body.len) {
        if (*count == most) return pt_fail(err, PT_LIMIT, NULL, "more than %zu items in one request", most);
        const struct pt_bytes item = cbor_skip(&reader);
        if (!cbor_failed(&reader)) out[(*count)++] = item;
    }
    if (cbor_failed(&reader)) return reader.code;
    if (*count == 0) return pt_fail(err, PT_INVALID, NULL, "the request is empty");
    return PT_OK;
}

enum pt_code wire_block_answer_encode(const struct wire_block_answer *answer, struct pt_buf *out, struct pt_error *err) {
    PT_JSON json_t *root = json_object();
    json_object_set_new(root, "outcome", json_string(block_words[answer->outcome]));
    set_digest(root, "block", &answer->block);
    json_object_set_new(root, "height", json_integer((json_int_t)answer->height));
    json_object_set_new(root, "expected", json_integer((json_int_t)answer->expected));
    json_object_set_new(root, "final", json_boolean(answer->final));
    set_text(root, "error", answer->error);
    return pt_json_append(out, root, err);
}

enum pt_code wire_block_answer_decode(struct pt_bytes json, struct wire_block_answer *out, struct pt_error *err) {
    PT_JSON json_t *root = NULL;
    enum pt_code code = pt_json_parse(json, WIRE_MAX_BODY, &root, err);
    if (code != PT_OK) return code;
    *out = (struct wire_block_answer){0};
    const int outcome = word_number(block_words, 5, json_string_value(json_object_get(root, "outcome")));
    if (outcome == 0) return pt_fail(err, PT_INVALID, "/outcome", "unknown outcome of a block");
    out->outcome = (enum wire_block_outcome)outcome;
    if (!get_uint(root, "height", &out->height)) return pt_fail(err, PT_INVALID, "/height", "not a height");
    if (!get_uint(root, "expected", &out->expected)) return pt_fail(err, PT_INVALID, "/expected", "not a sequence");
    out->final = json_is_true(json_object_get(root, "final"));
    get_text(root, "error", out->error, sizeof out->error);
    return get_digest(root, "block", &out->block, err);
}

enum pt_code wire_receipt_request_encode(const struct pt_digest *ids, size_t count, struct pt_buf *out,
                                         struct pt_error *err) {
    cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++) cbor_put_bytes(out, pt_bytes_digest(&ids[i]));
    return pt_buf_check(out, err);
}

enum pt_code wire_receipt_request_decode(struct pt_bytes cbor, struct pt_digest *ids, size_t most, size_t *count,
                                         struct pt_error *err) {
    struct cbor_reader reader = cbor_reader_of(cbor, true, err);
    *count = (size_t)cbor_get_array(&reader, most);
    if (!cbor_failed(&reader) && *count == 0) cbor_fail(&reader, "no id is asked for");
    for (size_t i = 0; i < *count && !cbor_failed(&reader); i++) cbor_get_digest(&reader, &ids[i]);
    return cbor_finish(&reader);
}

enum pt_code wire_receipts_encode(const struct pt_bytes *receipts, size_t count, struct pt_buf *out,
                                  struct pt_error *err) {
    cbor_put_array(out, count);
    for (size_t i = 0; i < count; i++) {
        if (receipts[i].len == 0) cbor_put_null(out);
        else cbor_put_bytes(out, receipts[i]);
    }
    return pt_buf_check(out, err);
}

enum pt_code wire_receipts_decode(struct pt_bytes cbor, struct pt_bytes *receipts, size_t count, struct pt_error *err) {
    struct cbor_reader reader = cbor_reader_of(cbor, true, err);
    const uint64_t found = cbor_get_array(&reader, count);
    if (!cbor_failed(&reader) && found != count) return cbor_fail(&reader, "not one receipt for each id asked");
    for (size_t i = 0; i < count && !cbor_failed(&reader); i++) {
        receipts[i] = pt_bytes_of(NULL, 0);
        if (cbor_get_null_if(&reader)) continue;
        receipts[i] = cbor_get_bytes(&reader);
        if (!cbor_failed(&reader) && receipts[i].len == 0) cbor_fail(&reader, "an empty receipt");
    }
    return cbor_finish(&reader);
}

enum pt_code wire_feed_encode(const struct wire_feed *feed, struct pt_buf *out, struct pt_error *err) {
    cbor_put_map(out, 5);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, feed->height);
    cbor_put_uint(out, 2);
    cbor_put_int(out, feed->time);
    cbor_put_uint(out, 3);
    cbor_put_uint(out, feed->cursor);
    cbor_put_uint(out, 4);
    cbor_put_bool(out, feed->more);
    cbor_put_uint(out, 5);
    cbor_put_array(out, feed->count);
    for (size_t i = 0; i < feed->count; i++) {
        cbor_put_array(out, 3);
        cbor_put_uint(out, (uint64_t)feed->items[i].kind);
        cbor_put_uint(out, feed->items[i].leaf_index);
        cbor_put_bytes(out, feed->items[i].statement);
    }
    return pt_buf_check(out, err);
}

static void expect_key(struct cbor_reader *reader, uint64_t key) {
    if (cbor_get_uint(reader) != key && !cbor_failed(reader)) cbor_fail(reader, "key %u expected", (unsigned)key);
}

static void read_feed_items(struct cbor_reader *reader, struct wire_feed *out) {
    // An item takes at least 4 bytes, which bounds what a hostile count can make us allocate.
    const uint64_t count = cbor_get_array(reader, reader->buffer.len / 4);
    if (cbor_failed(reader) || count == 0) return;
    out->items = calloc((size_t)count, sizeof *out->items);
    if (!out->items) {
        reader->code = pt_fail(reader->err, PT_NO_MEMORY, NULL, "out of memory");
        return;
    }
    for (; out->count < count && !cbor_failed(reader); out->count++) {
        struct wire_feed_item *item = &out->items[out->count];
        if (cbor_get_array(reader, 3) != 3 && !cbor_failed(reader)) cbor_fail(reader, "a feed item has three parts");
        const uint64_t kind = cbor_get_uint(reader);
        if (!cbor_failed(reader) && (kind == 0 || kind > WIRE_FEED_SHIPPING_NOTICE)) cbor_fail(reader, "unknown kind of feed item");
        item->kind = (enum wire_feed_kind)kind;
        item->leaf_index = cbor_get_uint(reader);
        item->statement = cbor_get_bytes(reader);
    }
}

enum pt_code wire_feed_decode(struct pt_bytes cbor, struct wire_feed *out, struct pt_error *err) {
    *out = (struct wire_feed){0};
    struct cbor_reader reader = cbor_reader_of(cbor, true, err);
    if (cbor_get_map(&reader, 5) != 5 && !cbor_failed(&reader)) cbor_fail(&reader, "a feed has five parts");
    expect_key(&reader, 1);
    out->height = cbor_get_uint(&reader);
    expect_key(&reader, 2);
    out->time = cbor_get_int(&reader);
    expect_key(&reader, 3);
    out->cursor = cbor_get_uint(&reader);
    expect_key(&reader, 4);
    out->more = cbor_get_bool(&reader);
    expect_key(&reader, 5);
    read_feed_items(&reader, out);
    const enum pt_code code = cbor_finish(&reader);
    if (code != PT_OK) {
        free(out->items);
        *out = (struct wire_feed){0};
    }
    return code;
}
