#include <string.h>

#include "common/cose/cbor.h"
#include "common/master/master_fields.h"

enum { KEY_KIND = 1, KEY_VERSION = 2, KEY_VALID_FROM = 3, KEY_WITHDRAWN = 4, KEY_BODY = 5 };

// --- Writing; the record is valid ---

static void put_fields(struct pt_buf *out, const struct master_fields *fields, const void *base);

static void put_name(struct pt_buf *out, const struct master_name *name) {
    cbor_put_map(out, (uint64_t)(name->zh != NULL) + (name->en != NULL));
    if (name->zh) {
        cbor_put_uint(out, 1);
        cbor_put_text(out, name->zh);
    }
    if (name->en) {
        cbor_put_uint(out, 2);
        cbor_put_text(out, name->en);
    }
}

static void put_roles(struct pt_buf *out, uint32_t roles) {
    cbor_put_array(out, (uint64_t)__builtin_popcount(roles));
    for (unsigned role = 1; role <= MASTER_ROLES_MAX; role++)
        if (roles & 1u << role) cbor_put_uint(out, role);
}

static void put_field(struct pt_buf *out, const struct master_field *field, const void *base) {
    const void *member = (const char *)base + field->at;
    const struct master_texts *texts = member;
    const struct master_levels *levels = member;
    switch (field->kind) {
    case MASTER_TEXT: cbor_put_text(out, *(const char *const *)member); return;
    case MASTER_COUNT: cbor_put_uint(out, *(const uint64_t *)member); return;
    case MASTER_FLAG: cbor_put_bool(out, true); return;
    case MASTER_INTEGER: cbor_put_int(out, ((const struct master_integer *)member)->value); return;
    case MASTER_NAME: put_name(out, member); return;
    case MASTER_ROLES: put_roles(out, *(const uint32_t *)member); return;
    case MASTER_TEXTS:
        cbor_put_array(out, texts->count);
        for (size_t i = 0; i < texts->count; i++) cbor_put_text(out, texts->items[i]);
        return;
    case MASTER_LEVELS:
        cbor_put_array(out, levels->count);
        for (size_t i = 0; i < levels->count; i++) put_fields(out, &master_level_fields, &levels->items[i]);
        return;
    }
}

static void put_fields(struct pt_buf *out, const struct master_fields *fields, const void *base) {
    uint64_t present = 0;
    for (size_t i = 0; i < fields->count; i++) present += master_field_present(&fields->items[i], base);
    cbor_put_map(out, present);
    for (size_t i = 0; i < fields->count; i++) {
        if (!master_field_present(&fields->items[i], base)) continue;
        cbor_put_uint(out, fields->items[i].key);
        put_field(out, &fields->items[i], base);
    }
}

enum pt_code master_encode(const struct master_record *record, struct pt_buf *out, struct pt_error *err) {
    const enum pt_code code = master_validate(record, err);
    if (code != PT_OK) return code;
    const size_t start = out->len;
    cbor_put_map(out, record->withdrawn ? 5 : 4);
    cbor_put_uint(out, KEY_KIND);
    cbor_put_uint(out, record->kind);
    cbor_put_uint(out, KEY_VERSION);
    cbor_put_uint(out, record->version);
    cbor_put_uint(out, KEY_VALID_FROM);
    cbor_put_int(out, record->valid_from);
    if (record->withdrawn) {
        cbor_put_uint(out, KEY_WITHDRAWN);
        cbor_put_bool(out, true);
    }
    cbor_put_uint(out, KEY_BODY);
    put_fields(out, master_fields_of(record->kind), master_body_const(record));
    if (out->failed) return pt_buf_check(out, err);
    if (out->len - start > MASTER_RECORD_MAX)
        return pt_fail(err, PT_LIMIT, NULL, "a master record of more than %zu bytes", MASTER_RECORD_MAX);
    return PT_OK;
}

// --- Reading ---

struct decoder {
    struct cbor_reader reader;
    struct pt_arena *arena;
};

static void get_fields(struct decoder *d, const struct master_fields *fields, void *base);

static void *allocate(struct decoder *d, uint64_t count, size_t size) {
    if (cbor_failed(&d->reader)) return NULL;
    void *memory = pt_arena_alloc(d->arena, count, size);
    if (!memory) d->reader.code = pt_fail(d->reader.err, PT_NO_MEMORY, NULL, "out of memory");
    return memory;
}

// Empty texts and ones that are too long are left to the validation.
static const char *get_text(struct decoder *d) {
    const struct pt_bytes text = cbor_get_text(&d->reader);
    if (text.len > 0 && memchr(text.data, 0, text.len)) cbor_fail(&d->reader, "text with a NUL");
    char *copy = allocate(d, text.len + 1, 1);
    if (copy && text.len > 0) memcpy(copy, text.data, text.len);
    return copy;
}

static void get_name(struct decoder *d, struct master_name *out) {
    const uint64_t pairs = cbor_get_map(&d->reader, 2);
    if (!cbor_failed(&d->reader) && pairs == 0) cbor_fail(&d->reader, "empty name");
    for (uint64_t i = 0, last = 0; i < pairs && !cbor_failed(&d->reader); i++) {
        const uint64_t key = cbor_get_uint(&d->reader);
        if (key <= last || key > 2) cbor_fail(&d->reader, "key of a name unknown or out of order");
        *(key == 1 ? &out->zh : &out->en) = get_text(d);
        last = key;
    }
}

static uint32_t get_roles(struct decoder *d) {
    uint32_t roles = 0;
    const uint64_t count = cbor_get_array(&d->reader, MASTER_ROLES_MAX);
    if (!cbor_failed(&d->reader) && count == 0) cbor_fail(&d->reader, "empty list of roles");
    for (uint64_t i = 0, last = 0; i < count && !cbor_failed(&d->reader); i++) {
        const uint64_t role = cbor_get_uint(&d->reader);
        if (role <= last || role > MASTER_ROLES_MAX) cbor_fail(&d->reader, "role unknown or out of order");
        else roles |= 1u << role;
        last = role;
    }
    return roles;
}

static uint64_t get_list(struct decoder *d, uint64_t most) {
    const uint64_t count = cbor_get_array(&d->reader, most);
    if (!cbor_failed(&d->reader) && count == 0) cbor_fail(&d->reader, "empty list");
    return cbor_failed(&d->reader) ? 0 : count;
}

static void get_field(struct decoder *d, const struct master_field *field, void *base) {
    void *member = (char *)base + field->at;
    struct master_texts *texts = member;
    struct master_levels *levels = member;
    switch (field->kind) {
    case MASTER_TEXT: *(const char **)member = get_text(d); return;
    case MASTER_COUNT:
        *(uint64_t *)member = cbor_get_uint(&d->reader);
        if (!cbor_failed(&d->reader) && *(uint64_t *)member == 0) cbor_fail(&d->reader, "count of zero");
        return;
    case MASTER_FLAG:
        *(bool *)member = cbor_get_bool(&d->reader);
        if (!cbor_failed(&d->reader) && !*(bool *)member) cbor_fail(&d->reader, "false is written by leaving it out");
        return;
    case MASTER_INTEGER:
        *(struct master_integer *)member = (struct master_integer){true, cbor_get_int(&d->reader)};
        return;
    case MASTER_NAME: get_name(d, member); return;
    case MASTER_ROLES: *(uint32_t *)member = get_roles(d); return;
    case MASTER_TEXTS:
        texts->count = get_list(d, MASTER_LIST_MAX);
        texts->items = allocate(d, texts->count, sizeof *texts->items);
        for (size_t i = 0; texts->items && i < texts->count && !cbor_failed(&d->reader); i++) texts->items[i] = get_text(d);
        return;
    case MASTER_LEVELS:
        levels->count = get_list(d, MASTER_LEVELS_MAX);
        levels->items = allocate(d, levels->count, sizeof *levels->items);
        for (size_t i = 0; levels->items && i < levels->count && !cbor_failed(&d->reader); i++)
            get_fields(d, &master_level_fields, &levels->items[i]);
        return;
    }
}

static void get_fields(struct decoder *d, const struct master_fields *fields, void *base) {
    const uint64_t pairs = cbor_get_map(&d->reader, fields->count);
    size_t next = 0;
    for (uint64_t i = 0; i < pairs && !cbor_failed(&d->reader); i++) {
        const uint64_t key = cbor_get_uint(&d->reader);
        while (next < fields->count && fields->items[next].key < key) next++;
        if (!cbor_failed(&d->reader) && (next == fields->count || fields->items[next].key != key))
            cbor_fail(&d->reader, "key %llu is unknown or out of order", (unsigned long long)key);
        if (!cbor_failed(&d->reader)) get_field(d, &fields->items[next++], base);
    }
}

static void get_key(struct decoder *d, uint64_t key) {
    if (cbor_get_uint(&d->reader) != key) cbor_fail(&d->reader, "expected key %llu", (unsigned long long)key);
}

enum pt_code master_decode(struct pt_bytes bytes, struct pt_arena *arena, struct master_record *out,
                           struct pt_error *err) {
    *out = (struct master_record){0};
    if (bytes.len > MASTER_RECORD_MAX)
        return pt_fail(err, PT_LIMIT, NULL, "a master record of more than %zu bytes", MASTER_RECORD_MAX);
    struct decoder d = {.reader = cbor_reader_of(bytes, true, err), .arena = arena};
    const uint64_t pairs = cbor_get_map(&d.reader, 5);
    if (!cbor_failed(&d.reader) && pairs < 4) cbor_fail(&d.reader, "master record of fewer than four keys");
    get_key(&d, KEY_KIND);
    const uint64_t kind = cbor_get_uint(&d.reader);
    if (kind < MASTER_PRODUCT || kind > MASTER_PLACE) cbor_fail(&d.reader, "unknown kind of master record");
    get_key(&d, KEY_VERSION);
    out->version = cbor_get_uint(&d.reader);
    get_key(&d, KEY_VALID_FROM);
    out->valid_from = cbor_get_int(&d.reader);
    if (pairs == 5) {
        get_key(&d, KEY_WITHDRAWN);
        out->withdrawn = cbor_get_bool(&d.reader);
        if (!out->withdrawn) cbor_fail(&d.reader, "false is written by leaving it out");
    }
    get_key(&d, KEY_BODY);
    if (!cbor_failed(&d.reader)) {
        out->kind = (enum master_kind)kind;
        get_fields(&d, master_fields_of(out->kind), master_body(out));
    }
    const enum pt_code code = cbor_finish(&d.reader);
    return code == PT_OK ? master_validate(out, err) : code;
}
