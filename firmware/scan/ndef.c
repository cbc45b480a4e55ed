#include "firmware/scan/ndef.h"

#include <string.h>

#include "common/base/text.h"

enum { MESSAGE_BEGIN = 0x80, MESSAGE_END = 0x40, CHUNK = 0x20, SHORT = 0x10, HAS_ID = 0x08, TNF_MASK = 0x07 };

// NFC Forum URI Record Type Definition 1.0, table 3. Codes behind it are reserved and stand for no prefix.
static const char *const prefixes[] = {
    "",           "http://www.", "https://www.", "http://",      "https://",     "tel:",
    "mailto:",    "ftp://anonymous:anonymous@",  "ftp://ftp.",   "ftps://",      "sftp://",
    "smb://",     "nfs://",      "ftp://",       "dav://",       "news:",        "telnet://",
    "imap:",      "rtsp://",     "urn:",         "pop:",         "sip:",         "sips:",
    "tftp:",      "btspp://",    "btl2cap://",   "btgoep://",    "tcpobex://",   "irdaobex://",
    "file://",    "urn:epc:id:", "urn:epc:tag:", "urn:epc:pat:", "urn:epc:raw:", "urn:epc:",
    "urn:nfc:",
};
#define PREFIXES (sizeof prefixes / sizeof *prefixes)

static enum pt_code bad(struct pt_error *err, size_t at, const char *what) {
    return pt_fail_at(err, PT_INVALID, (long)at, "ndef", "%s", what);
}

// What the type name format demands of the type's length (NDEF 1.0, 3.2.6).
static const char *type_fault(unsigned tnf, size_t type_len, size_t id_len, size_t payload_len) {
    if (tnf == NDEF_EMPTY) return type_len || id_len || payload_len ? "an empty record with content" : NULL;
    if (tnf == NDEF_UNKNOWN) return type_len ? "a record of unknown type that names a type" : NULL;
    if (tnf > NDEF_UNKNOWN) return tnf == 6 ? "a chunk without a beginning" : "a reserved type name format";
    return type_len ? NULL : "a record without a type";
}

enum pt_code ndef_record_next(struct pt_bytes message, size_t *at, struct ndef_record *out, struct pt_error *err) {
    size_t i = *at, left = message.len - *at;
    if (left == 0) return pt_fail_at(err, PT_NOT_FOUND, (long)i, "ndef", "the message ends");
    uint8_t flags = message.data[i];
    size_t head = 2u + (flags & SHORT ? 1 : 4) + (flags & HAS_ID ? 1 : 0);
    if (left < head) return bad(err, i, "a record's header is cut off");
    if (!(flags & MESSAGE_BEGIN) != (i != 0)) return bad(err, i, "the message-begin flag is not on the first record alone");
    if (flags & CHUNK) return bad(err, i, "chunked records are not read");
    const uint8_t *p = message.data + i + 1;
    size_t type_len = *p++, id_len = 0;
    uint64_t payload_len = *p++;
    if (!(flags & SHORT)) {
        payload_len = payload_len << 24 | (uint64_t)p[0] << 16 | (uint64_t)p[1] << 8 | p[2];
        p += 3;
    }
    if (flags & HAS_ID) id_len = *p++;
    if (left - head < type_len + id_len + payload_len) return bad(err, i, "a record is longer than the message");
    const char *fault = type_fault(flags & TNF_MASK, type_len, id_len, (size_t)payload_len);
    if (fault) return bad(err, i, fault);
    *out = (struct ndef_record){.tnf = (enum ndef_tnf)(flags & TNF_MASK),
                                .type = pt_bytes_of(p, type_len),
                                .id = pt_bytes_of(p + type_len, id_len),
                                .payload = pt_bytes_of(p + type_len + id_len, (size_t)payload_len)};
    *at = i + head + type_len + id_len + (size_t)payload_len;
    if (!(flags & MESSAGE_END) != (*at != message.len))
        return bad(err, i, "the message-end flag is not on the last record alone");
    return PT_OK;
}

// Control characters and spaces never stand in a URI; a scanner must not pass them on.
static enum pt_code checked_uri(const struct pt_buf *uri, struct pt_error *err) {
    if (uri->len == 0) return bad(err, 0, "the URI is empty");
    if (!pt_utf8_valid(pt_buf_bytes(uri))) return bad(err, 0, "the URI is not UTF-8");
    for (size_t i = 0; i < uri->len; i++)
        if (uri->data[i] <= 0x20 || uri->data[i] == 0x7f) return bad(err, i, "the URI holds a control character or space");
    return pt_buf_check(uri, err);
}

static bool is_type(const struct ndef_record *record, enum ndef_tnf tnf, const char *type) {
    return record->tnf == tnf && pt_bytes_equal(record->type, pt_bytes_str(type));
}

static enum pt_code uri_of_record(const struct ndef_record *record, bool inside_poster, struct pt_buf *uri,
                                  struct pt_error *err);

// Reads to the end even when the URI is found early, so that a damaged message gives none.
static enum pt_code uri_of_message(struct pt_bytes message, bool inside_poster, struct pt_buf *uri, struct pt_error *err) {
    size_t at = 0, records = 0;
    bool found = false;
    do {
        struct ndef_record record;
        enum pt_code code = ndef_record_next(message, &at, &record, err);
        if (code != PT_OK) return code;
        if (++records > NDEF_MAX_RECORDS) return pt_fail(err, PT_LIMIT, "ndef", "too many records");
        if (found) continue;
        code = uri_of_record(&record, inside_poster, uri, err);
        if (code != PT_OK && code != PT_NOT_FOUND) return code;
        found = code == PT_OK;
    } while (at < message.len);
    return found ? PT_OK : pt_fail(err, PT_NOT_FOUND, "ndef", "the message has no URI");
}

static enum pt_code uri_of_record(const struct ndef_record *record, bool inside_poster, struct pt_buf *uri,
                                  struct pt_error *err) {
    if (is_type(record, NDEF_WELL_KNOWN, "U")) {
        if (record->payload.len == 0) return bad(err, 0, "a URI record without content");
        uint8_t code = record->payload.data[0];
        pt_buf_str(uri, code < PREFIXES ? prefixes[code] : "");
        pt_buf_append(uri, record->payload.data + 1, record->payload.len - 1);
        return checked_uri(uri, err);
    }
    if (record->tnf == NDEF_ABSOLUTE_URI) {
        pt_buf_append_bytes(uri, record->type);
        return checked_uri(uri, err);
    }
    if (is_type(record, NDEF_WELL_KNOWN, "Sp") && !inside_poster) return uri_of_message(record->payload, true, uri, err);
    return PT_NOT_FOUND;
}

enum pt_code ndef_uri(struct pt_bytes message, struct pt_buf *uri, struct pt_error *err) {
    pt_buf_clear(uri);
    enum pt_code code = uri_of_message(message, false, uri, err);
    if (code != PT_OK) pt_buf_clear(uri);
    return code;
}

enum pt_code ndef_uri_message(struct pt_bytes uri, struct pt_buf *message, struct pt_error *err) {
    size_t best = 0;
    for (size_t i = 1; i < PREFIXES; i++) {
        size_t len = strlen(prefixes[i]);
        if (len > strlen(prefixes[best]) && len <= uri.len && memcmp(uri.data, prefixes[i], len) == 0) best = i;
    }
    size_t skip = strlen(prefixes[best]), payload = 1 + uri.len - skip;
    bool brief = payload < 256;
    if (uri.len == 0 || payload > NDEF_MAX_URI) return bad(err, 0, "a URI of this length cannot be written");
    pt_buf_byte(message, (uint8_t)(MESSAGE_BEGIN | MESSAGE_END | (brief ? SHORT : 0) | NDEF_WELL_KNOWN));
    pt_buf_byte(message, 1);
    if (!brief) pt_buf_append(message, (const uint8_t[]){0, 0, (uint8_t)(payload >> 8)}, 3);
    pt_buf_byte(message, (uint8_t)payload);
    pt_buf_byte(message, 'U');
    pt_buf_byte(message, (uint8_t)best);
    pt_buf_append(message, uri.data + skip, uri.len - skip);
    return pt_buf_check(message, err);
}
