#include "firmware/scan/scan_nfc.h"

#include <stdlib.h>
#include <string.h>

#include <nfc/nfc.h>

#include "common/base/cleanup.h"
#include "firmware/scan/ndef.h"

#define COMMAND_MS 500        // for the reader to answer a command
#define EXCHANGE_MS 300       // for one exchange with a tag
#define ABSENT_POLLS 2        // a tag missed once may only have been moved
#define READ_ATTEMPTS 3       // before a present tag is reported as unreadable
#define READ_PIECE 48u        // fits one frame of a Type 4 tag, so that no chaining is needed
#define UID_RANDOM 0x08       // ISO 14443-3: first byte of a single-size UID made up at each activation
#define SAK_ISO14443_4 0x20

static const nfc_modulation type_a = {.nmt = NMT_ISO14443A, .nbr = NBR_106};

struct scan_nfc {
    nfc_context *context;
    nfc_device *device;
    // The tag that is on the reader.
    bool present;
    bool reported;
    uint8_t uid[10];
    size_t uid_len;
    unsigned missed;
    unsigned attempts;
};

void scan_tag_free(struct scan_tag *tag) { pt_buf_free(&tag->uri); }

static enum pt_code reader_failed(struct scan_nfc *nfc, const char *what, struct pt_error *err) {
    return pt_fail(err, PT_UNAVAILABLE, "nfc", "%s: %s", what, nfc_strerror(nfc->device));
}

static bool configure(nfc_device *device) {
    return nfc_initiator_init(device) >= 0 && nfc_device_set_property_int(device, NP_TIMEOUT_COMMAND, COMMAND_MS) >= 0 &&
           // Otherwise the chip waits for a tag without end and the scanner with it.
           nfc_device_set_property_bool(device, NP_INFINITE_SELECT, false) >= 0;
}

enum pt_code scan_nfc_open(const char *connection, struct scan_nfc **out, struct pt_error *err) {
    *out = NULL;
    struct scan_nfc *nfc = calloc(1, sizeof *nfc);
    if (!nfc) return pt_fail(err, PT_NO_MEMORY, "nfc", "no memory for a reader");
    setenv("LIBNFC_LOG_LEVEL", "0", 0);  // its lines on standard error are not ours
    nfc_init(&nfc->context);
    if (!nfc->context) {
        free(nfc);
        return pt_fail(err, PT_NO_MEMORY, "nfc", "libnfc does not start");
    }
    nfc_connstring name = "";
    if (connection && strlen(connection) >= sizeof name) {
        scan_nfc_close(nfc);
        return pt_fail(err, PT_USAGE, "nfc", "the connection string is too long");
    }
    if (connection) strncpy(name, connection, sizeof name - 1);
    nfc->device = nfc_open(nfc->context, name[0] ? name : NULL);
    if (!nfc->device || !configure(nfc->device)) {
        enum pt_code code = nfc->device ? reader_failed(nfc, "the NFC reader cannot be set up", err)
                                        : pt_fail(err, PT_UNAVAILABLE, "nfc", "no NFC reader at %s", name[0] ? name : "any port");
        scan_nfc_close(nfc);
        return code;
    }
    *out = nfc;
    return PT_OK;
}

void scan_nfc_close(struct scan_nfc *nfc) {
    if (!nfc) return;
    if (nfc->device) nfc_close(nfc->device);
    if (nfc->context) nfc_exit(nfc->context);
    free(nfc);
}

// One exchange with the selected tag. PT_NOT_FOUND: the tag did not answer. PT_UNAVAILABLE: the reader did not.
static enum pt_code exchange(struct scan_nfc *nfc, const uint8_t *send, size_t send_len, uint8_t *got, size_t max,
                             size_t *got_len, struct pt_error *err) {
    int n = nfc_initiator_transceive_bytes(nfc->device, send, send_len, got, max, EXCHANGE_MS);
    if (n >= 0) {
        *got_len = (size_t)n;
        return PT_OK;
    }
    if (n == NFC_EIO || n == NFC_ENOTSUCHDEV || n == NFC_ETIMEOUT) return reader_failed(nfc, "the NFC reader fails", err);
    return pt_fail(err, PT_NOT_FOUND, "nfc", "the tag does not answer");
}

static enum pt_code read_type2(struct scan_nfc *nfc, struct pt_buf *message, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf memory = PT_BUF_INIT(4096);
    for (unsigned page = 0; page < 256; page += 4) {
        uint8_t got[32];
        size_t len;
        enum pt_code code = exchange(nfc, (const uint8_t[]){0x30, (uint8_t)page}, 2, got, sizeof got, &len, err);
        if (code != PT_OK) return code;
        if (len != 16) return pt_fail(err, PT_INVALID, "nfc", "a READ answered with %zu bytes", len);
        pt_buf_append(&memory, got, len);
        bool more;
        code = ndef_type2_message(pt_buf_bytes(&memory), message, &more, err);
        if (code != PT_NOT_FOUND || !more) return code == PT_NOT_FOUND ? pt_fail(err, PT_INVALID, "nfc", "the tag holds no NDEF message") : code;
    }
    return pt_fail(err, PT_LIMIT, "nfc", "the tag's message goes on behind its 256th page");
}

// An ISO 7816 command; the answer without its status word, which must be 9000.
static enum pt_code command(struct scan_nfc *nfc, const uint8_t *apdu, size_t len, uint8_t *got, size_t max, size_t *got_len,
                            struct pt_error *err) {
    enum pt_code code = exchange(nfc, apdu, len, got, max, got_len, err);
    if (code != PT_OK) return code;
    if (*got_len < 2) return pt_fail(err, PT_INVALID, "nfc", "an answer without a status word");
    *got_len -= 2;
    unsigned status = (unsigned)got[*got_len] << 8 | got[*got_len + 1];
    if (status != 0x9000) return pt_fail(err, PT_INVALID, "nfc", "the tag refuses command %02X with %04X", apdu[1], status);
    return PT_OK;
}

static enum pt_code select_file(struct scan_nfc *nfc, unsigned id, struct pt_error *err) {
    uint8_t got[64];
    size_t len;
    const uint8_t apdu[] = {0x00, 0xa4, 0x00, 0x0c, 0x02, (uint8_t)(id >> 8), (uint8_t)id};
    return command(nfc, apdu, sizeof apdu, got, sizeof got, &len, err);
}

// Exactly `want` bytes from `offset` of the selected file, in pieces that the tag allows.
static enum pt_code read_file(struct scan_nfc *nfc, unsigned offset, size_t want, size_t piece, struct pt_buf *out,
                              struct pt_error *err) {
    while (want > 0) {
        uint8_t got[READ_PIECE + 16];
        size_t len, ask = want < piece ? want : piece;
        const uint8_t apdu[] = {0x00, 0xb0, (uint8_t)(offset >> 8), (uint8_t)offset, (uint8_t)ask};
        enum pt_code code = command(nfc, apdu, sizeof apdu, got, sizeof got, &len, err);
        if (code != PT_OK) return code;
        if (len == 0 || len > ask) return pt_fail(err, PT_INVALID, "nfc", "a READ BINARY answered with %zu bytes", len);
        pt_buf_append(out, got, len);
        offset += (unsigned)len;
        want -= len;
    }
    return pt_buf_check(out, err);
}

static enum pt_code read_type4(struct scan_nfc *nfc, struct pt_buf *message, struct pt_error *err) {
    static const uint8_t application[] = {0x00, 0xa4, 0x04, 0x00, 0x07, 0xd2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01, 0x00};
    PT_CLEANUP(pt_buf_free) struct pt_buf header = PT_BUF_INIT(64);
    uint8_t got[128];
    size_t len;
    struct ndef_type4 file;
    enum pt_code code = command(nfc, application, sizeof application, got, sizeof got, &len, err);
    if (code == PT_OK) code = select_file(nfc, 0xe103, err);
    if (code == PT_OK) code = read_file(nfc, 0, 15, 15, &header, err);
    if (code == PT_OK) code = ndef_type4_container(pt_buf_bytes(&header), &file, err);
    if (code == PT_OK) code = select_file(nfc, file.file_id, err);
    pt_buf_clear(&header);
    if (code == PT_OK) code = read_file(nfc, 0, 2, 2, &header, err);
    if (code != PT_OK) return code;
    size_t size = (size_t)header.data[0] << 8 | header.data[1];
    if (size == 0) return pt_fail(err, PT_INVALID, "nfc", "the tag's NDEF message is empty");
    if (size > file.file_size - 2 || size > NDEF_MAX_MESSAGE)
        return pt_fail(err, PT_INVALID, "nfc", "the tag's message is longer than its file");
    return read_file(nfc, 2, size, file.read_len < READ_PIECE ? file.read_len : READ_PIECE, message, err);
}

// PT_NOT_FOUND when the tag went away; PT_OK with out->problem set when it is there but says nothing readable.
static enum pt_code read_tag(struct scan_nfc *nfc, const nfc_iso14443a_info *info, struct scan_tag *out,
                             struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf message = PT_BUF_INIT(NDEF_MAX_MESSAGE);
    enum pt_code code;
    if (info->btSak & SAK_ISO14443_4) code = read_type4(nfc, &message, err);
    else if (info->btSak == 0) code = read_type2(nfc, &message, err);
    else code = pt_fail(err, PT_INVALID, "nfc", "a tag of a kind that holds no NDEF message (SAK %02X)", info->btSak);
    if (code == PT_NOT_FOUND || code == PT_UNAVAILABLE || code == PT_NO_MEMORY) return code;
    struct pt_error problem = {0};
    if (code == PT_OK) code = ndef_uri(pt_buf_bytes(&message), &out->uri, &problem);
    else if (err) problem = *err;
    if (code != PT_OK) problem.code = code;
    out->problem = problem;
    return PT_OK;
}

// Notes which tag is on the reader; true while it is the same one as before.
static bool same_tag(struct scan_nfc *nfc, const struct scan_tag *tag) {
    bool both_random = tag->random_uid && nfc->uid_len == 4 && nfc->uid[0] == UID_RANDOM;
    bool same = nfc->present && (both_random || (nfc->uid_len == tag->uid_len && memcmp(nfc->uid, tag->uid, tag->uid_len) == 0));
    nfc->missed = 0;
    if (same) return true;
    nfc->present = true;
    nfc->reported = false;
    nfc->attempts = 0;
    nfc->uid_len = tag->uid_len;
    memcpy(nfc->uid, tag->uid, tag->uid_len);
    return false;
}

// Switching the field off wakes a tag that was halted or left in mid-command, and ends its session.
static int select_tag(struct scan_nfc *nfc, nfc_target *target) {
    if (nfc->present && (nfc_device_set_property_bool(nfc->device, NP_ACTIVATE_FIELD, false) < 0 ||
                         nfc_device_set_property_bool(nfc->device, NP_ACTIVATE_FIELD, true) < 0))
        return NFC_EIO;
    return nfc_initiator_select_passive_target(nfc->device, type_a, NULL, 0, target);
}

enum pt_code scan_nfc_poll(struct scan_nfc *nfc, bool *found, struct scan_tag *out, struct pt_error *err) {
    nfc_target target;
    *found = false;
    *out = (struct scan_tag){.uri = PT_BUF_INIT(NDEF_MAX_URI)};
    int n = select_tag(nfc, &target);
    if (n < 0 && n != NFC_ERFTRANS && n != NFC_ETGRELEASED) return reader_failed(nfc, "the NFC reader fails", err);
    if (n <= 0) {
        if (nfc->present && ++nfc->missed >= ABSENT_POLLS) nfc->present = false;
        return PT_OK;
    }
    const nfc_iso14443a_info *info = &target.nti.nai;
    out->uid_len = info->szUidLen <= sizeof out->uid ? info->szUidLen : sizeof out->uid;
    memcpy(out->uid, info->abtUid, out->uid_len);
    out->random_uid = out->uid_len == 4 && out->uid[0] == UID_RANDOM;
    if (same_tag(nfc, out) && nfc->reported) return PT_OK;
    struct pt_error problem = {0};
    enum pt_code code = read_tag(nfc, info, out, &problem);
    if (code == PT_NOT_FOUND && ++nfc->attempts >= READ_ATTEMPTS) {
        out->problem = problem;
        code = PT_OK;
    }
    if (code == PT_NOT_FOUND) return PT_OK;  // the next poll tells whether it is gone
    if (code != PT_OK) {
        if (err) *err = problem;
        return code;
    }
    nfc->reported = *found = true;
    return PT_OK;
}
