#include "common/epcis/event_split.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/event_cbor_words.h"
#include "common/epcis/event_hash.h"

static const char own_transformation[] = "urn:packtrail:split:";
enum { OWN_TRANSFORMATION_SIZE = sizeof own_transformation + 64, LISTS = 3 };

static const size_t MOST_ORIGINAL = (size_t)64 * 1024 * 1024;

// The three lists that are cut as one sequence.
static struct epcis_texts *list_of(struct epcis_event *event, unsigned number) {
    return number == 0 ? &event->epcs : number == 1 ? &event->input_epcs : &event->output_epcs;
}

static size_t epc_count(const struct epcis_event *event) {
    return event->epcs.count + event->input_epcs.count + event->output_epcs.count;
}

static void write_own_transformation(char out[OWN_TRANSFORMATION_SIZE], const struct pt_digest *original) {
    memcpy(out, own_transformation, sizeof own_transformation - 1);
    pt_digest_hex(original, out + sizeof own_transformation - 1);
}

// --- Splitting ---

// The EPCs from number `first` to before `end` of the sequence. Quantities and sensors stay with the first part.
static struct epcis_event part_of(const struct epcis_event *event, const char *transformation_id, size_t first, size_t end) {
    struct epcis_event part = *event;
    part.event_id = NULL;
    part.transformation_id = transformation_id;
    size_t before = 0;
    for (unsigned i = 0; i < LISTS; i++) {
        struct epcis_texts *list = list_of(&part, i);
        const size_t list_end = before + list->count;
        const size_t from = first < before ? before : first > list_end ? list_end : first;
        const size_t to = end < before ? before : end > list_end ? list_end : end;
        const bool keep = to > from || (first == 0 && list->items);
        *list = keep ? (struct epcis_texts){list->items + (from - before), to - from} : (struct epcis_texts){0};
        before = list_end;
    }
    if (first == 0) return part;
    part.quantities = part.input_quantities = part.output_quantities = (struct epcis_quantities){0};
    part.sensor_elements = NULL;
    part.sensor_element_count = 0;
    return part;
}

static enum pt_code encode_part(const struct epcis_event *part, size_t max_bytes, struct pt_arena *arena,
                                struct pt_bytes *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(max_bytes);
    const enum pt_code code = epcis_cbor_encode(part, &bytes, err);
    if (code != PT_OK) return code;
    const char *copy = pt_arena_strdup(arena, pt_buf_bytes(&bytes));
    if (!copy) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    *out = pt_bytes_of(copy, bytes.len);
    return PT_OK;
}

// Cuts into `count` ranges of nearly the same number of EPCs.
static enum pt_code split_into(const struct epcis_event *event, const char *transformation_id, size_t count,
                               size_t max_bytes, struct pt_arena *arena, struct pt_bytes *parts, struct pt_error *err) {
    const size_t epcs = epc_count(event);
    for (size_t i = 0; i < count; i++) {
        const struct epcis_event part = part_of(event, transformation_id, epcs * i / count, epcs * (i + 1) / count);
        const enum pt_code code = encode_part(&part, max_bytes, arena, &parts[i], err);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

enum pt_code event_split(const struct epcis_event *event, size_t max_bytes, struct pt_arena *arena,
                         struct event_manifest *manifest, struct pt_bytes **parts, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf whole = PT_BUF_INIT(MOST_ORIGINAL);
    enum pt_code code = epcis_cbor_encode(event, &whole, err);
    if (code != PT_OK) return code;
    if (whole.len <= max_bytes) return pt_fail(err, PT_NOT_FOUND, NULL, "the event needs no splitting");
    *manifest = (struct event_manifest){.original = sha256(pt_buf_bytes(&whole)), .event_id = event->event_id};
    code = epcis_event_digest(event, NULL, &manifest->hash, err);
    if (code != PT_OK) return code;
    manifest->own_transformation_id = event->type == EPCIS_TRANSFORMATION && !event->transformation_id;
    char own[OWN_TRANSFORMATION_SIZE];
    write_own_transformation(own, &manifest->original);
    const char *transformation_id = manifest->own_transformation_id ? own : event->transformation_id;
    manifest->parts = pt_arena_alloc(arena, EVENT_PARTS_MAX, sizeof *manifest->parts);
    *parts = pt_arena_alloc(arena, EVENT_PARTS_MAX, sizeof **parts);
    if (!manifest->parts || !*parts) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    size_t count = whole.len / (max_bytes > 0 ? max_bytes : 1) + 1;
    code = PT_LIMIT;
    // More parts until the largest fits: the fields that all parts repeat are not divided.
    for (; code == PT_LIMIT && count <= EVENT_PARTS_MAX && count <= epc_count(event); count += count / 4 + 1) {
        code = split_into(event, transformation_id, count, max_bytes, arena, *parts, err);
        manifest->part_count = count;
    }
    if (code == PT_LIMIT) return pt_fail(err, PT_LIMIT, NULL, "the event cannot be split into parts of %zu bytes", max_bytes);
    for (size_t i = 0; code == PT_OK && i < manifest->part_count; i++) manifest->parts[i] = sha256((*parts)[i]);
    return code;
}

// --- Joining ---

// Concatenates one list of all parts; written but empty where the first part has it so.
static enum pt_code join_list(struct epcis_event *parts, size_t count, unsigned number, struct pt_arena *arena,
                              struct epcis_texts *out, struct pt_error *err) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++) total += list_of(&parts[i], number)->count;
    if (total == 0 && !list_of(&parts[0], number)->items) return PT_OK;
    const char **items = pt_arena_alloc(arena, total, sizeof *items);
    if (!items) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    *out = (struct epcis_texts){items, 0};
    for (size_t i = 0; i < count; i++) {
        const struct epcis_texts *list = list_of(&parts[i], number);
        if (list->count > 0) memcpy(items + out->count, list->items, list->count * sizeof *items);
        out->count += list->count;
    }
    return PT_OK;
}

enum pt_code event_join(const struct event_manifest *manifest, const struct pt_bytes *parts, size_t count,
                        struct pt_arena *arena, struct epcis_event *out, struct pt_error *err) {
    *out = (struct epcis_event){0};
    if (count != manifest->part_count || count < 2)
        return pt_fail(err, PT_UNVERIFIED, NULL, "%zu parts, not the manifest's %zu", count, manifest->part_count);
    struct epcis_event *events = pt_arena_alloc(arena, count, sizeof *events);
    if (!events) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const struct pt_digest digest = sha256(parts[i]);
        if (!pt_digest_equal(&digest, &manifest->parts[i]))
            return pt_fail_at(err, PT_UNVERIFIED, (long)i, NULL, "part %zu is not the one that the manifest names", i);
        const enum pt_code code = epcis_cbor_decode(parts[i], arena, &events[i], err);
        if (code != PT_OK) return code;
    }
    struct epcis_event joined = events[0];
    joined.event_id = manifest->event_id;
    if (manifest->own_transformation_id) joined.transformation_id = NULL;
    for (unsigned i = 0; i < LISTS; i++) {
        const enum pt_code code = join_list(events, count, i, arena, list_of(&joined, i), err);
        if (code != PT_OK) return code;
    }
    PT_CLEANUP(pt_buf_free) struct pt_buf whole = PT_BUF_INIT(MOST_ORIGINAL);
    const enum pt_code code = epcis_cbor_encode(&joined, &whole, err);
    if (code != PT_OK) return code;
    const struct pt_digest original = sha256(pt_buf_bytes(&whole));
    if (!pt_digest_equal(&original, &manifest->original))
        return pt_fail(err, PT_UNVERIFIED, NULL, "the parts do not make the event that the manifest names");
    *out = joined;
    return PT_OK;
}

// --- The manifest ---

static void put_digest(struct pt_buf *out, const struct pt_digest *digest) { cbor_put_bytes(out, pt_bytes_digest(digest)); }

enum pt_code event_manifest_encode(const struct event_manifest *manifest, struct pt_buf *out, struct pt_error *err) {
    if (manifest->part_count < 2 || manifest->part_count > EVENT_PARTS_MAX)
        return pt_fail(err, PT_INVALID, NULL, "a manifest names 2 to %u parts", EVENT_PARTS_MAX);
    struct event_writer writer = {.out = out, .err = err};
    cbor_put_map(out, 3u + (manifest->event_id != NULL) + manifest->own_transformation_id + manifest->has_source);
    cbor_put_uint(out, 1);
    put_digest(out, &manifest->original);
    cbor_put_uint(out, 2);
    put_digest(out, &manifest->hash);
    cbor_put_uint(out, 3);
    cbor_put_array(out, manifest->part_count);
    for (size_t i = 0; i < manifest->part_count; i++) put_digest(out, &manifest->parts[i]);
    if (manifest->event_id) {
        cbor_put_uint(out, 4);
        event_put_uri(&writer, manifest->event_id);
    }
    if (manifest->own_transformation_id) {
        cbor_put_uint(out, 5);
        cbor_put_bool(out, true);
    }
    if (manifest->has_source) {
        cbor_put_uint(out, 6);
        put_digest(out, &manifest->source);
    }
    return writer.code == PT_OK ? pt_buf_check(out, err) : writer.code;
}

static void get_parts(struct cbor_reader *reader, struct pt_arena *arena, struct event_manifest *out) {
    const uint64_t count = cbor_get_array(reader, EVENT_PARTS_MAX);
    if (!cbor_failed(reader) && count < 2) cbor_fail(reader, "manifest of fewer than two parts");
    out->parts = event_alloc(reader, arena, count, sizeof *out->parts);
    out->part_count = cbor_failed(reader) ? 0 : count;
    for (size_t i = 0; i < out->part_count; i++) cbor_get_digest(reader, &out->parts[i]);
}

enum pt_code event_manifest_decode(struct pt_bytes bytes, struct pt_arena *arena, struct event_manifest *out,
                                   struct pt_error *err) {
    *out = (struct event_manifest){0};
    struct cbor_reader reader = cbor_reader_of(bytes, true, err);
    const uint64_t pairs = cbor_get_map(&reader, 6);
    if (!cbor_failed(&reader) && pairs < 3) cbor_fail(&reader, "manifest of fewer than three keys");
    for (uint64_t i = 0, last = 0; i < pairs && !cbor_failed(&reader); i++) {
        const uint64_t key = cbor_get_uint(&reader);
        if (key <= last || key > 6 || (i < 3 && key != i + 1)) {
            cbor_fail(&reader, "key of a manifest missing, unknown or out of order");
            break;
        }
        switch (key) {
        case 1: cbor_get_digest(&reader, &out->original); break;
        case 2: cbor_get_digest(&reader, &out->hash); break;
        case 3: get_parts(&reader, arena, out); break;
        case 4: out->event_id = event_get_uri(&reader, arena); break;
        case 5: out->own_transformation_id = cbor_get_bool(&reader); break;
        default:
            out->has_source = true;
            cbor_get_digest(&reader, &out->source);
            break;
        }
        if (!cbor_failed(&reader) && key == 5 && !out->own_transformation_id)
            cbor_fail(&reader, "false is written by leaving it out");
        last = key;
    }
    return cbor_finish(&reader);
}
