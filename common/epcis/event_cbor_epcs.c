#include "common/epcis/event_cbor_epcs.h"

#include <string.h>

#include "common/base/cleanup.h"

enum { KIND_TEXT = 0, KIND_SGTIN = 1, KIND_SSCC = 2, KIND_TRACE = 3, KINDS = 4, MOST_DIGITS = 18 };

// The forms of kinds 1 to 3: before + head_digits + between + tail (of tail_digits, 0: any but empty).
struct form {
    const char *before;
    unsigned head_digits;
    const char *between;
    unsigned tail_digits;
};

static const struct form forms[KINDS] = {
    [KIND_SGTIN] = {"https://id.gs1.org/01/", 14, "/21/", 0},
    [KIND_SSCC] = {"https://id.gs1.org/00/", 8, "", 10},
    [KIND_TRACE] = {"urn:packtrail:cn:trace:", 7, "", 13},
};

// Bytes that hold 10^digits - 1.
static const uint8_t packed_width[MOST_DIGITS + 1] = {0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5, 6, 6, 7, 7, 8, 8};

// An EPC cut in two; head_len counts everything before the tail, whatever the kind.
struct cut {
    unsigned kind;
    size_t head_len;
    size_t len;
    unsigned digits;  // of the tail when it is packed, else 0
};

static bool has_form(const struct form *form, const char *epc, size_t len, size_t *head_len) {
    const size_t before = strlen(form->before);
    const size_t between = strlen(form->between);
    *head_len = before + form->head_digits + between;
    if (len <= *head_len || (form->tail_digits > 0 && len != *head_len + form->tail_digits)) return false;
    return memcmp(epc, form->before, before) == 0 && event_all_digits(epc + before, form->head_digits) &&
           memcmp(epc + before + form->head_digits, form->between, between) == 0 &&
           event_all_digits(epc + *head_len, form->tail_digits);
}

static struct cut cut_epc(const char *epc, size_t len) {
    struct cut cut = {.kind = KIND_TEXT, .len = len};
    for (unsigned kind = KIND_SGTIN; kind < KINDS && cut.kind == KIND_TEXT; kind++)
        if (has_form(&forms[kind], epc, len, &cut.head_len)) cut.kind = kind;
    if (cut.kind == KIND_TEXT) {
        cut.head_len = len;
        while (cut.head_len > 0 && !memchr(":/.", epc[cut.head_len - 1], 3)) cut.head_len--;
    }
    const size_t tail_len = len - cut.head_len;
    if (tail_len >= 1 && tail_len <= MOST_DIGITS && event_all_digits(epc + cut.head_len, tail_len))
        cut.digits = (unsigned)tail_len;
    return cut;
}

// --- Writing ---

static bool same_head(const char *a, const struct cut *a_cut, const char *b, const struct cut *b_cut) {
    return a_cut->kind == b_cut->kind && a_cut->head_len == b_cut->head_len && memcmp(a, b, a_cut->head_len) == 0;
}

static void put_packed(struct event_writer *writer, const char *const *epcs, const struct cut *cuts, size_t count) {
    const size_t width = packed_width[cuts->digits];
    cbor_put_uint(writer->out, cuts->digits);
    cbor_put_bytes_head(writer->out, count * width);
    uint8_t *to = pt_buf_extend(writer->out, count * width);
    for (size_t i = 0; to && i < count; i++, to += width) {
        uint64_t value = event_read_digits(epcs[i] + cuts[i].head_len, cuts->digits);
        for (size_t byte = width; byte-- > 0; value >>= 8) to[byte] = (uint8_t)value;
    }
}

static void put_group(struct event_writer *writer, const char *const *epcs, const struct cut *cuts, size_t count) {
    size_t items = 2;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || cuts[i].digits != cuts[i - 1].digits) items += cuts[i].digits > 0 ? 2 : 1;
    cbor_put_array(writer->out, items);
    cbor_put_uint(writer->out, cuts->kind);
    const struct form *form = &forms[cuts->kind];
    if (cuts->kind != KIND_TEXT) {
        cbor_put_uint(writer->out, event_read_digits(epcs[0] + strlen(form->before), form->head_digits));
    } else {
        char head[EVENT_EPC_SIZE_MAX + 1];
        memcpy(head, epcs[0], cuts->head_len);
        head[cuts->head_len] = 0;
        event_put_text(writer, head);
    }
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && cuts[end].digits == cuts[first].digits;) end++;
        if (cuts[first].digits > 0) {
            put_packed(writer, epcs + first, cuts + first, end - first);
            continue;
        }
        cbor_put_array(writer->out, end - first);
        for (size_t i = first; i < end; i++) event_put_text(writer, epcs[i] + cuts[i].head_len);
    }
}

void event_put_epcs(struct event_writer *writer, const struct epcis_texts *epcs) {
    if (epcs->count > EVENT_EPCS_MAX) {
        event_writer_fail(writer, PT_LIMIT, "a list of more than 100000 EPCs");
        return;
    }
    PT_FREE struct cut *cuts = calloc(epcs->count + 1, sizeof *cuts);
    if (!cuts) {
        event_writer_fail(writer, PT_NO_MEMORY, "out of memory");
        return;
    }
    size_t groups = 0;
    for (size_t i = 0; i < epcs->count; i++) {
        const size_t len = strlen(epcs->items[i]);
        if (len > EVENT_EPC_SIZE_MAX) {
            event_writer_fail(writer, PT_LIMIT, "an EPC of more than 1024 bytes");
            return;
        }
        cuts[i] = cut_epc(epcs->items[i], len);
        if (i == 0 || !same_head(epcs->items[i - 1], &cuts[i - 1], epcs->items[i], &cuts[i])) groups++;
    }
    cbor_put_array(writer->out, groups);
    for (size_t first = 0, end; first < epcs->count; first = end) {
        for (end = first + 1;
             end < epcs->count && same_head(epcs->items[end - 1], &cuts[end - 1], epcs->items[end], &cuts[end]);)
            end++;
        put_group(writer, epcs->items + first, cuts + first, end - first);
    }
}

// --- Reading ---

struct group {
    unsigned kind;
    size_t head_len;
    char head[EVENT_EPC_SIZE_MAX + 1];
    unsigned digits;   // of the last part, 0 for a list
    bool list_before;  // whether the last part was a list
};

struct epc_reader {
    struct cbor_reader *reader;
    struct pt_arena *arena;
    struct pt_buf epcs;  // const char * in the order of the list
};

static size_t epc_count(const struct epc_reader *r) { return r->epcs.len / sizeof(char *); }

static void keep(struct epc_reader *r, const char *epc) { pt_buf_append(&r->epcs, &epc, sizeof epc); }

static bool room_for(struct epc_reader *r, uint64_t count) {
    if (cbor_failed(r->reader)) return false;
    if (count <= EVENT_EPCS_MAX - epc_count(r)) return true;
    cbor_fail(r->reader, "more than %u EPCs", EVENT_EPCS_MAX);
    return false;
}

// Whether this EPC would be cut as the group and part say.
static bool is_cut_so(struct epc_reader *r, const struct group *group, const char *epc, size_t len, unsigned digits) {
    const struct cut cut = cut_epc(epc, len);
    if (cut.kind == group->kind && cut.head_len == group->head_len && cut.digits == digits) return true;
    cbor_fail(r->reader, "EPC not cut as its form requires");
    return false;
}

static void get_packed(struct epc_reader *r, struct group *group) {
    const uint64_t digits = cbor_get_uint(r->reader);
    const struct pt_bytes packed = cbor_get_bytes(r->reader);
    if (cbor_failed(r->reader)) return;
    if (digits < 1 || digits > MOST_DIGITS || digits == group->digits) {
        cbor_fail(r->reader, "digits of packed EPCs out of range or as before");
        return;
    }
    const size_t width = packed_width[digits];
    const size_t count = packed.len / width;
    if (count == 0 || packed.len % width != 0) cbor_fail(r->reader, "packed EPCs of a wrong length");
    const size_t len = group->head_len + digits;
    if (!room_for(r, count)) return;
    char *to = event_alloc(r->reader, r->arena, count, len + 1);
    const uint64_t limit = event_power_of_ten((unsigned)digits);
    for (size_t i = 0; to && i < count; i++, to += len + 1) {
        uint64_t value = 0;
        for (size_t byte = 0; byte < width; byte++) value = value << 8 | packed.data[i * width + byte];
        if (value >= limit) {
            cbor_fail(r->reader, "packed EPC of more than %u digits", (unsigned)digits);
            return;
        }
        memcpy(to, group->head, group->head_len);
        event_write_digits(to + group->head_len, value, (unsigned)digits);
        // All of the part are cut alike: the cut looks at the tail only for being digits.
        if (i == 0 && !is_cut_so(r, group, to, len, (unsigned)digits)) return;
        keep(r, to);
    }
    group->digits = (unsigned)digits;
    group->list_before = false;
}

static void get_list(struct epc_reader *r, struct group *group) {
    const uint64_t count = cbor_get_array(r->reader, EVENT_EPCS_MAX);
    if (!cbor_failed(r->reader) && (count == 0 || group->list_before)) cbor_fail(r->reader, "list of EPCs empty or divided");
    if (!room_for(r, count)) return;
    for (uint64_t i = 0; i < count; i++) {
        const struct pt_bytes tail = cbor_get_text(r->reader);
        const size_t len = group->head_len + tail.len;
        if (cbor_failed(r->reader)) return;
        if (len > EVENT_EPC_SIZE_MAX || (tail.len > 0 && memchr(tail.data, 0, tail.len))) {
            cbor_fail(r->reader, "EPC with a NUL or of more than %u bytes", EVENT_EPC_SIZE_MAX);
            return;
        }
        char *epc = event_alloc(r->reader, r->arena, len + 1, 1);
        if (!epc) return;
        memcpy(epc, group->head, group->head_len);
        if (tail.len > 0) memcpy(epc + group->head_len, tail.data, tail.len);
        if (!is_cut_so(r, group, epc, len, 0)) return;
        keep(r, epc);
    }
    group->digits = 0;
    group->list_before = true;
}

static void get_head(struct epc_reader *r, struct group *group) {
    const uint64_t kind = cbor_get_uint(r->reader);
    if (!cbor_failed(r->reader) && kind >= KINDS) cbor_fail(r->reader, "unknown kind of EPC");
    if (cbor_failed(r->reader)) return;
    *group = (struct group){.kind = (unsigned)kind};
    if (kind == KIND_TEXT) {
        const struct pt_bytes head = cbor_get_text(r->reader);
        group->head_len = head.len;
        if (head.len > EVENT_EPC_SIZE_MAX || (head.len > 0 && memchr(head.data, 0, head.len)))
            cbor_fail(r->reader, "EPC with a NUL or of more than %u bytes", EVENT_EPC_SIZE_MAX);
        else if (head.len > 0)
            memcpy(group->head, head.data, head.len);
        return;
    }
    const struct form *form = &forms[kind];
    const size_t before = strlen(form->before);
    const size_t between = strlen(form->between);
    const uint64_t head = cbor_get_uint(r->reader);
    if (head >= event_power_of_ten(form->head_digits)) cbor_fail(r->reader, "head of an EPC out of range");
    memcpy(group->head, form->before, before);
    event_write_digits(group->head + before, head, form->head_digits);
    memcpy(group->head + before + form->head_digits, form->between, between);
    group->head_len = before + form->head_digits + between;
}

static void get_group(struct epc_reader *r, struct group *group) {
    const uint64_t items = cbor_get_array(r->reader, 2 * EVENT_EPCS_MAX + 2);
    if (!cbor_failed(r->reader) && items < 3) cbor_fail(r->reader, "group of EPCs without any");
    get_head(r, group);
    for (uint64_t read = 2; read < items && !cbor_failed(r->reader);) {
        struct cbor_item item;
        const bool packed = cbor_peek(r->reader, &item) && item.type == CBOR_UINT;
        if (packed && items - read < 2) cbor_fail(r->reader, "packed EPCs are missing");
        else if (packed) get_packed(r, group);
        else get_list(r, group);
        read += packed ? 2 : 1;
    }
}

static void free_epcs(struct epc_reader *r) { pt_buf_free(&r->epcs); }

void event_get_epcs(struct cbor_reader *reader, struct pt_arena *arena, struct epcis_texts *out) {
    PT_CLEANUP(free_epcs) struct epc_reader r = {reader, arena, PT_BUF_INIT(EVENT_EPCS_MAX * sizeof(char *))};
    struct group two[2] = {{0}};
    const uint64_t groups = cbor_get_array(reader, EVENT_EPCS_MAX);
    for (uint64_t i = 0; i < groups && !cbor_failed(reader); i++) {
        struct group *group = &two[i % 2];
        const struct group *last = &two[(i + 1) % 2];
        get_group(&r, group);
        if (i > 0 && group->kind == last->kind && group->head_len == last->head_len &&
            memcmp(group->head, last->head, group->head_len) == 0)
            cbor_fail(reader, "two groups of EPCs with one head");
    }
    const size_t count = epc_count(&r);
    const char **items = event_alloc(reader, arena, count, sizeof *items);
    if (!items) return;
    if (r.epcs.failed) cbor_fail(reader, "out of memory");
    if (count > 0) memcpy(items, r.epcs.data, r.epcs.len);
    *out = (struct epcis_texts){items, count};
}
