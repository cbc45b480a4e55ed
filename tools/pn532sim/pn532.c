#include "tools/pn532sim/pn532.h"

#include <string.h>

#include "common/base/cleanup.h"

enum { DIAGNOSE = 0x00, GET_FIRMWARE_VERSION = 0x02, GET_GENERAL_STATUS = 0x04, READ_REGISTER = 0x06,
       WRITE_REGISTER = 0x08, SET_PARAMETERS = 0x12, SAM_CONFIGURATION = 0x14, POWER_DOWN = 0x16, RF_CONFIGURATION = 0x32,
       IN_DATA_EXCHANGE = 0x40, IN_COMMUNICATE_THRU = 0x42, IN_DESELECT = 0x44, IN_LIST_PASSIVE_TARGET = 0x4a,
       IN_RELEASE = 0x52, IN_SELECT = 0x54 };

enum { STATUS_GOOD = 0x00, STATUS_TIMEOUT = 0x01, STATUS_NO_TARGET = 0x27 };

static const uint8_t ack[] = {0x00, 0x00, 0xff, 0x00, 0xff, 0x00};
static const uint8_t nack[] = {0x00, 0x00, 0xff, 0xff, 0x00, 0x00};
static const uint8_t error_frame[] = {0x00, 0x00, 0xff, 0x01, 0xff, 0x7f, 0x81, 0x00};

void pn532_reset(struct pn532 *chip) {
    memset(chip, 0, sizeof *chip);
    chip->endless = true;
}

static void send(struct pt_buf *out, uint8_t command, struct pt_bytes data) {
    size_t len = data.len + 2;
    uint8_t sum = (uint8_t)(0xd5 + command + 1);
    pt_buf_append(out, (const uint8_t[]){0x00, 0x00, 0xff}, 3);
    if (len > 255) {
        pt_buf_append(out, (const uint8_t[]){0xff, 0xff, (uint8_t)(len >> 8), (uint8_t)len}, 4);
        pt_buf_byte(out, (uint8_t)(0u - (len >> 8) - len));
    } else {
        pt_buf_byte(out, (uint8_t)len);
        pt_buf_byte(out, (uint8_t)(0u - len));
    }
    pt_buf_append(out, (const uint8_t[]){0xd5, (uint8_t)(command + 1)}, 2);
    pt_buf_append_bytes(out, data);
    for (size_t i = 0; i < data.len; i++) sum = (uint8_t)(sum + data.data[i]);
    pt_buf_byte(out, (uint8_t)(0u - sum));
    pt_buf_byte(out, 0);
}

static void send_list(struct pn532 *chip, bool found, struct pt_buf *out) {
    PT_CLEANUP(pt_buf_free) struct pt_buf answer = PT_BUF_INIT(64);
    pt_buf_byte(&answer, found ? 1 : 0);
    if (found) {
        pt_buf_byte(&answer, 1);
        sim_tag_identity(&chip->tag, &answer);
        sim_tag_activate(&chip->tag);
    }
    chip->active = found;
    chip->waiting = false;
    send(out, IN_LIST_PASSIVE_TARGET, pt_buf_bytes(&answer));
}

// The host may ask for one UID alone; a cascade tag 88 stands before a UID of 7 bytes then.
static bool is_asked_for(const struct pn532 *chip, struct pt_bytes wanted) {
    if (wanted.len == 0) return true;
    if (wanted.len == chip->tag.uid_len + 1 && wanted.data[0] == 0x88) wanted = pt_bytes_of(wanted.data + 1, wanted.len - 1);
    return pt_bytes_equal(wanted, pt_bytes_of(chip->tag.uid, chip->tag.uid_len));
}

static void list(struct pn532 *chip, struct pt_bytes p, struct pt_buf *out) {
    bool type_a = p.len >= 2 && p.data[1] == 0;
    bool found = type_a && chip->has_tag && is_asked_for(chip, pt_bytes_of(p.data + 2, p.len - 2));
    if (!found && chip->endless) chip->waiting = true;
    else send_list(chip, found, out);
}

static void exchange(struct pn532 *chip, uint8_t command, struct pt_bytes data, struct pt_buf *out) {
    PT_CLEANUP(pt_buf_free) struct pt_buf answer = PT_BUF_INIT(PN532_MAX_FRAME);
    uint8_t result = STATUS_GOOD;
    if (chip->lose_after > 0 && --chip->lose_after == 0) pn532_remove(chip);
    pt_buf_byte(&answer, STATUS_GOOD);
    if (command == IN_DATA_EXCHANGE && !chip->active) result = STATUS_NO_TARGET;
    else if (!chip->active || !chip->has_tag || !sim_tag_exchange(&chip->tag, data, &answer)) result = STATUS_TIMEOUT;
    answer.data[0] = result;
    if (result != STATUS_GOOD) answer.len = 1;
    send(out, command, pt_buf_bytes(&answer));
}

static void diagnose(struct pn532 *chip, struct pt_bytes p, struct pt_buf *out) {
    if (p.len >= 1 && p.data[0] == 0x06) {  // whether the Type 4 tag in the field still answers
        const uint8_t gone = chip->active && chip->has_tag ? 0 : 1;
        send(out, DIAGNOSE, pt_bytes_of(&gone, 1));
        return;
    }
    send(out, DIAGNOSE, p);  // communication line test: the same bytes back
}

static void configure(struct pn532 *chip, struct pt_bytes p) {
    if (p.len >= 2 && p.data[0] == 0x01 && !(p.data[1] & 1)) chip->active = false;  // field off
    if (p.len >= 4 && p.data[0] == 0x05) chip->endless = p.data[3] == 0xff;        // MxRtyPassiveActivation
}

static void read_registers(struct pn532 *chip, struct pt_bytes p, struct pt_buf *out) {
    PT_CLEANUP(pt_buf_free) struct pt_buf answer = PT_BUF_INIT(PN532_MAX_FRAME);
    for (size_t i = 0; i + 1 < p.len; i += 2) pt_buf_byte(&answer, chip->registers[p.data[i] << 8 | p.data[i + 1]]);
    send(out, READ_REGISTER, pt_buf_bytes(&answer));
}

static void run(struct pn532 *chip, uint8_t command, struct pt_bytes p, struct pt_buf *out) {
    static const uint8_t version[] = {0x32, 0x01, 0x06, 0x07};
    static const uint8_t general[] = {0x00, 0x00, 0x00, 0x80};
    static const uint8_t good[] = {STATUS_GOOD};
    chip->waiting = false;  // a new command ends the one that waits
    pt_buf_append(out, ack, sizeof ack);
    switch (command) {
        case DIAGNOSE: diagnose(chip, p, out); break;
        case GET_FIRMWARE_VERSION: send(out, command, pt_bytes_of(version, sizeof version)); break;
        case GET_GENERAL_STATUS: send(out, command, pt_bytes_of(general, sizeof general)); break;
        case READ_REGISTER: read_registers(chip, p, out); break;
        case WRITE_REGISTER:
            for (size_t i = 0; i + 2 < p.len; i += 3) chip->registers[p.data[i] << 8 | p.data[i + 1]] = p.data[i + 2];
            send(out, command, pt_bytes_of(NULL, 0));
            break;
        case RF_CONFIGURATION:
            configure(chip, p);
            send(out, command, pt_bytes_of(NULL, 0));
            break;
        case SET_PARAMETERS:
        case SAM_CONFIGURATION: send(out, command, pt_bytes_of(NULL, 0)); break;
        case IN_LIST_PASSIVE_TARGET: list(chip, p, out); break;
        case IN_DATA_EXCHANGE:
            exchange(chip, command, p.len ? pt_bytes_of(p.data + 1, p.len - 1) : p, out);
            break;
        case IN_COMMUNICATE_THRU: exchange(chip, command, p, out); break;
        case IN_DESELECT:
        case IN_RELEASE:
            chip->active = false;
            send(out, command, pt_bytes_of(good, 1));
            break;
        case POWER_DOWN:
        case IN_SELECT: send(out, command, pt_bytes_of(good, 1)); break;
        default: pt_buf_append(out, error_frame, sizeof error_frame);
    }
}

// Length of the frame at the start of `in` and where its content lies; 0 while it is not complete, -1 if damaged.
static long frame_at(const uint8_t *in, size_t len, size_t *content, size_t *content_len) {
    bool extended = len >= 5 && in[3] == 0xff && in[4] == 0xff;
    size_t head = extended ? 8 : 5;
    if (len < head) return 0;
    *content = head;
    *content_len = extended ? (size_t)in[5] << 8 | in[6] : in[3];
    uint8_t sum = extended ? (uint8_t)(in[5] + in[6] + in[7]) : (uint8_t)(in[3] + in[4]);
    if (sum != 0 || *content_len > PN532_MAX_FRAME) return -1;
    if (len < head + *content_len + 2) return 0;
    sum = 0;
    for (size_t i = 0; i <= *content_len; i++) sum = (uint8_t)(sum + in[head + i]);
    return sum == 0 ? (long)(head + *content_len + 2) : -1;
}

// Takes one item off the buffer: a frame, an ACK, or a byte that belongs to none. False when more bytes are needed.
static bool take(struct pn532 *chip, struct pt_buf *out) {
    const uint8_t *in = chip->in;
    size_t used = 1, content, content_len;
    if (chip->in_len < 5) return false;
    if (memcmp(in, "\x00\x00\xff", 3) == 0) {
        if (memcmp(in + 3, ack + 3, 2) == 0 || memcmp(in + 3, nack + 3, 2) == 0) {
            if (chip->in_len < 6) return false;
            chip->waiting = false;  // an ACK from the host aborts
            used = 6;
        } else {
            long len = frame_at(in, chip->in_len, &content, &content_len);
            if (len == 0) return false;
            if (len < 0) pt_buf_append(out, nack, sizeof nack);
            else used = (size_t)len;
            if (len > 0 && content_len >= 2 && in[content] == 0xd4)
                run(chip, in[content + 1], pt_bytes_of(in + content + 2, content_len - 2), out);
        }
    }
    memmove(chip->in, chip->in + used, chip->in_len - used);
    chip->in_len -= used;
    return true;
}

void pn532_receive(struct pn532 *chip, struct pt_bytes bytes, struct pt_buf *out) {
    for (size_t i = 0; i < bytes.len; i++) {
        if (chip->in_len == sizeof chip->in) chip->in_len = 0;  // noise without an end
        chip->in[chip->in_len++] = bytes.data[i];
        while (take(chip, out)) {
        }
    }
}

void pn532_present(struct pn532 *chip, const struct sim_tag *tag, struct pt_buf *out) {
    chip->tag = *tag;
    chip->has_tag = true;
    chip->active = false;
    chip->lose_after = 0;
    if (chip->waiting) send_list(chip, true, out);
}

void pn532_remove(struct pn532 *chip) {
    chip->has_tag = false;
    chip->lose_after = 0;
}
