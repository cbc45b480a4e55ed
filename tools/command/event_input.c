#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/epcis/epcis_validate.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis_xml/epcis_xml.h"
#include "tools/command/event.h"

static const size_t MOST_BYTES = (size_t)64 * 1024 * 1024;
static const size_t MOST_DECODED = (size_t)1024 * 1024 * 1024;  // memory for what the bytes decode to

static enum pt_code read_all(const char *path, struct pt_buf *out, struct pt_error *err) {
    const bool standard_input = strcmp(path, "-") == 0;
    PT_FCLOSE FILE *opened = standard_input ? NULL : fopen(path, "rb");
    FILE *file = standard_input ? stdin : opened;
    if (!file) return pt_fail_errno(err, NULL, "cannot open %s", path);
    uint8_t chunk[65536];
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) pt_buf_append(out, chunk, got);
    if (ferror(file)) return pt_fail_errno(err, NULL, "cannot read %s", path);
    return pt_buf_check(out, err);
}

// An event as CBOR is a map, whose first byte begins no JSON text.
static bool is_cbor(struct pt_bytes content) { return content.len > 0 && content.data[0] >> 5 == 5; }

static bool is_xml(struct pt_bytes content) {
    const struct pt_bytes mark = pt_bytes_str("\xef\xbb\xbf");
    size_t at = content.len >= mark.len && memcmp(content.data, mark.data, mark.len) == 0 ? mark.len : 0;
    while (at < content.len && memchr(" \t\r\n", content.data[at], 4)) at++;
    return at < content.len && content.data[at] == '<';
}

static enum pt_code decode_xml(struct pt_bytes content, enum epcis_strictness strictness, struct pt_arena *arena, struct epcis_document *out,
                               struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf json = PT_BUF_INIT(4 * MOST_BYTES);
    return epcis_xml_decode(content, MOST_BYTES, strictness, arena, &json, out, err);
}

static enum pt_code decode_cbor(struct pt_bytes content, enum epcis_strictness strictness, struct pt_arena *arena,
                                struct epcis_document *out, struct pt_error *err) {
    struct epcis_event *event = pt_arena_alloc(arena, 1, sizeof *event);
    if (!event) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    *out = (struct epcis_document){.kind = EPCIS_SINGLE_EVENT, .events = event, .event_count = 1};
    const enum pt_code code = epcis_cbor_decode(content, arena, event, err);
    return code == PT_OK && strictness == EPCIS_FOR_CAPTURE ? epcis_event_validate(event, err) : code;
}

enum pt_code event_read_file(const char *path, enum epcis_strictness strictness, struct pt_arena *arena,
                             struct epcis_document *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf content = PT_BUF_INIT(MOST_BYTES);
    const enum pt_code code = read_all(path, &content, err);
    if (code != PT_OK) return code;
    arena->ceiling = MOST_DECODED;
    if (is_cbor(pt_buf_bytes(&content))) return decode_cbor(pt_buf_bytes(&content), strictness, arena, out, err);
    if (is_xml(pt_buf_bytes(&content))) return decode_xml(pt_buf_bytes(&content), strictness, arena, out, err);
    return epcis_json_decode(pt_buf_bytes(&content), MOST_BYTES, strictness, arena, out, err);
}

int event_each_file(int argc, char **argv, int (*one)(const char *path)) {
    int worst = 0;
    for (int i = 1; i < argc; i++) {
        const int status = one(argv[i]);
        if (status > worst) worst = status;
    }
    return worst;
}

int event_print_refusal(const char *path, const struct pt_error *err) {
    if (err->code != PT_INVALID && err->code != PT_LIMIT) return command_failed("event", err);
    PT_CLEANUP(pt_buf_free) struct pt_buf line = PT_BUF_INIT(1 << 16);
    pt_buf_str(&line, "{\"file\":");
    pt_json_append_string(&line, pt_bytes_str(path));
    pt_buf_str(&line, ",\"valid\":false,\"error\":");
    pt_json_append_string(&line, pt_bytes_str(err->what));
    pt_buf_str(&line, ",\"pointer\":");
    pt_json_append_string(&line, pt_bytes_str(err->where));
    if (err->position >= 0) pt_buf_printf(&line, ",\"position\":%ld}\n", err->position);
    else pt_buf_str(&line, ",\"position\":null}\n");
    fputs(pt_buf_cstr(&line), stdout);
    return pt_exit_status(err->code);
}
