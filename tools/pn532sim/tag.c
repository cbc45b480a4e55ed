#include "tools/pn532sim/tag.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "firmware/scan/ndef.h"

#define DATA_PAGE 4u
#define DATA_SIZE 144u  // bytes of NTAG213 that hold NDEF blocks

enum { NOTHING, APPLICATION, CONTAINER, NDEF_FILE };

static enum pt_code format_type2(struct sim_tag *tag, struct pt_bytes message, struct pt_error *err) {
    const uint8_t *uid = tag->uid;
    uint8_t *p = tag->pages;
    memcpy(p, uid, 3);
    p[3] = (uint8_t)(0x88 ^ uid[0] ^ uid[1] ^ uid[2]);
    memcpy(p + 4, uid + 3, 4);
    p[8] = uid[3] ^ uid[4] ^ uid[5] ^ uid[6];
    p[9] = 0x48;
    memcpy(p + 12, (const uint8_t[]){0xe1, 0x10, DATA_SIZE / 8, 0x00}, 4);
    uint8_t *data = p + DATA_PAGE * 4;
    memcpy(data, (const uint8_t[]){0x01, 0x03, 0xa0, 0x0c, 0x34, 0x03}, 6);  // lock control as delivered, then NDEF
    size_t head = message.len < 255 ? 7 : 9;
    if (head + message.len + 1 > DATA_SIZE) return pt_fail(err, PT_LIMIT, NULL, "the message does not fit an NTAG213");
    data[6] = (uint8_t)message.len;
    if (message.len) memcpy(data + head, message.data, message.len);
    data[head + message.len] = 0xfe;
    return PT_OK;
}

static enum pt_code format_type4(struct sim_tag *tag, struct pt_bytes message, struct pt_error *err) {
    if (message.len > SIM_TYPE4_FILE - 2) return pt_fail(err, PT_LIMIT, NULL, "the message does not fit the tag's file");
    memcpy(tag->container, (const uint8_t[]){0x00, 0x0f, 0x20, 0x00, 0x3b, 0x00, 0x34, 0x04, 0x06, 0xe1, 0x04,
                                             SIM_TYPE4_FILE >> 8, SIM_TYPE4_FILE & 255, 0x00, 0x00}, 15);
    tag->file[0] = (uint8_t)(message.len >> 8);
    tag->file[1] = (uint8_t)message.len;
    if (message.len) memcpy(tag->file + 2, message.data, message.len);
    return PT_OK;
}

enum pt_code sim_tag_make_raw(struct sim_tag *tag, enum sim_tag_kind kind, struct pt_bytes uid, struct pt_bytes message,
                              struct pt_error *err) {
    *tag = (struct sim_tag){.kind = kind, .uid_len = uid.len};
    if (uid.len != 4 && uid.len != 7) return pt_fail(err, PT_INVALID, NULL, "a UID has 4 or 7 bytes");
    if (kind == SIM_TYPE2 && uid.len != 7) return pt_fail(err, PT_INVALID, NULL, "an NTAG213 has a UID of 7 bytes");
    memcpy(tag->uid, uid.data, uid.len);
    return kind == SIM_TYPE2 ? format_type2(tag, message, err) : format_type4(tag, message, err);
}

enum pt_code sim_tag_make(struct sim_tag *tag, enum sim_tag_kind kind, struct pt_bytes uid, struct pt_bytes uri,
                          struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf message = PT_BUF_INIT(NDEF_MAX_MESSAGE);
    enum pt_code code = uri.len ? ndef_uri_message(uri, &message, err) : PT_OK;
    if (code != PT_OK) return code;
    return sim_tag_make_raw(tag, kind, uid, pt_buf_bytes(&message), err);
}

void sim_tag_identity(const struct sim_tag *tag, struct pt_buf *out) {
    pt_buf_byte(out, tag->kind == SIM_TYPE4 ? 0x03 : 0x00);
    pt_buf_byte(out, tag->uid_len == 7 ? 0x44 : 0x04);
    pt_buf_byte(out, tag->kind == SIM_TYPE4 ? 0x20 : 0x00);
    pt_buf_byte(out, (uint8_t)tag->uid_len);
    pt_buf_append(out, tag->uid, tag->uid_len);
    if (tag->kind == SIM_TYPE4) pt_buf_append(out, (const uint8_t[]){0x06, 0x75, 0x77, 0x81, 0x02, 0x80}, 6);
}

void sim_tag_activate(struct sim_tag *tag) { tag->selected_file = NOTHING; }

// READ gives four pages and goes on at page 0 behind the last one; WRITE takes one.
static bool exchange_type2(struct sim_tag *tag, struct pt_bytes c, struct pt_buf *answer) {
    if (c.len == 2 && c.data[0] == 0x30 && c.data[1] < SIM_TYPE2_PAGES) {
        for (unsigned i = 0; i < 4; i++) pt_buf_append(answer, tag->pages + (c.data[1] + i) % SIM_TYPE2_PAGES * 4, 4);
        return true;
    }
    if (c.len == 6 && c.data[0] == 0xa2 && c.data[1] >= 3 && c.data[1] < SIM_TYPE2_PAGES) {
        memcpy(tag->pages + c.data[1] * 4, c.data + 2, 4);
        return true;
    }
    if (c.len == 1 && c.data[0] == 0x60) {
        pt_buf_append(answer, (const uint8_t[]){0x00, 0x04, 0x04, 0x02, 0x01, 0x00, 0x0f, 0x03}, 8);
        return true;
    }
    return false;
}

static void status(struct pt_buf *answer, unsigned word) {
    pt_buf_byte(answer, (uint8_t)(word >> 8));
    pt_buf_byte(answer, (uint8_t)word);
}

static void select_by(struct sim_tag *tag, struct pt_bytes c, struct pt_buf *answer) {
    static const uint8_t name[] = {0xd2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01};
    if (c.data[2] == 0x04 && c.len >= 5 + sizeof name && c.data[4] == sizeof name && memcmp(c.data + 5, name, sizeof name) == 0) {
        tag->selected_file = APPLICATION;
        status(answer, 0x9000);
    } else if (c.data[2] == 0x00 && c.len >= 7 && c.data[4] == 2 && c.data[5] == 0xe1 && tag->selected_file != NOTHING &&
               (c.data[6] == 0x03 || c.data[6] == 0x04)) {
        tag->selected_file = c.data[6] == 0x03 ? CONTAINER : NDEF_FILE;
        status(answer, 0x9000);
    } else {
        status(answer, 0x6a82);
    }
}

static bool exchange_type4(struct sim_tag *tag, struct pt_bytes c, struct pt_buf *answer) {
    if (c.len < 5 || c.data[0] != 0) {
        status(answer, 0x6700);
        return true;
    }
    size_t offset = (size_t)c.data[2] << 8 | c.data[3], len = c.data[4] ? c.data[4] : 256;
    uint8_t *file = tag->selected_file == NDEF_FILE ? tag->file : tag->container;
    size_t size = tag->selected_file == NDEF_FILE ? sizeof tag->file : sizeof tag->container;
    if (c.data[1] == 0xa4) {
        select_by(tag, c, answer);
    } else if ((c.data[1] == 0xb0 || c.data[1] == 0xd6) && tag->selected_file < CONTAINER) {
        status(answer, 0x6986);
    } else if ((c.data[1] == 0xb0 || c.data[1] == 0xd6) && (len > 0x3b || offset > size || len > size - offset)) {
        status(answer, 0x6b00);
    } else if (c.data[1] == 0xb0) {
        pt_buf_append(answer, file + offset, len);
        status(answer, 0x9000);
    } else if (c.data[1] == 0xd6 && tag->selected_file == NDEF_FILE && c.len == 5 + len) {
        memcpy(file + offset, c.data + 5, len);
        status(answer, 0x9000);
    } else {
        status(answer, 0x6d00);
    }
    return true;
}

bool sim_tag_exchange(struct sim_tag *tag, struct pt_bytes command, struct pt_buf *answer) {
    return tag->kind == SIM_TYPE2 ? exchange_type2(tag, command, answer) : exchange_type4(tag, command, answer);
}
