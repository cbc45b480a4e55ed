// NFC tags through libnfc: ISO 14443 type A, their UID, and the URI of their NDEF message (Type 2 and Type 4 tags).
#ifndef PACKTRAIL_FIRMWARE_SCAN_SCAN_NFC_H
#define PACKTRAIL_FIRMWARE_SCAN_SCAN_NFC_H

#include "common/base/bytes.h"

struct scan_nfc;

// uri is empty when the tag has none or it cannot be read; `problem` then says why (code PT_OK otherwise).
struct scan_tag {
    uint8_t uid[10];
    size_t uid_len;  // 4, 7 or 10
    bool random_uid; // a UID that the tag makes up at each activation says nothing about the pack
    struct pt_buf uri;
    struct pt_error problem;
};

void scan_tag_free(struct scan_tag *tag);

// Opens a reader by libnfc's connection string ("pn532_uart:/dev/ttyS1"); NULL or "" takes LIBNFC_DEVICE from the
// environment or the first reader that libnfc knows. PT_UNAVAILABLE when it is not there or does not answer.
enum pt_code scan_nfc_open(const char *connection, struct scan_nfc **out, struct pt_error *err) PT_NODISCARD;
void scan_nfc_close(struct scan_nfc *nfc);

// Looks once for a tag and reads it; takes a few milliseconds without a tag and never waits for one. *found is true once
// for each time a tag is laid on: while it stays, later polls find nothing. A tag taken away in mid-reading is not
// reported. PT_UNAVAILABLE when the reader does not answer: close it and open it again. The caller frees *out.
enum pt_code scan_nfc_poll(struct scan_nfc *nfc, bool *found, struct scan_tag *out, struct pt_error *err) PT_NODISCARD;

#endif
