// Simulated NFC tags: an NTAG213 (NFC Forum Type 2) and a Type 4 tag, both with an NDEF URI.
#ifndef PACKTRAIL_TOOLS_PN532SIM_TAG_H
#define PACKTRAIL_TOOLS_PN532SIM_TAG_H

#include "common/base/bytes.h"

#define SIM_TYPE2_PAGES 45u   // NTAG213
#define SIM_TYPE4_FILE 2048u  // NDEF file with its length field

enum sim_tag_kind { SIM_TYPE2, SIM_TYPE4 };

struct sim_tag {
    enum sim_tag_kind kind;
    uint8_t uid[10];
    size_t uid_len;
    uint8_t pages[SIM_TYPE2_PAGES * 4];
    uint8_t container[15];
    uint8_t file[SIM_TYPE4_FILE];
    unsigned selected_file;  // 0 none, 1 the application, 2 the container, 3 the NDEF file
};

// A tag with this URI, or formatted and empty for no bytes. uid: 4 or 7 bytes. PT_LIMIT when the message does not fit.
enum pt_code sim_tag_make(struct sim_tag *tag, enum sim_tag_kind kind, struct pt_bytes uid, struct pt_bytes uri,
                          struct pt_error *err) PT_NODISCARD;

// A formatted tag with these bytes as its NDEF message, whatever they are.
enum pt_code sim_tag_make_raw(struct sim_tag *tag, enum sim_tag_kind kind, struct pt_bytes uid, struct pt_bytes message,
                              struct pt_error *err) PT_NODISCARD;

// As InListPassiveTarget gives it: SENS_RES, SEL_RES, UID, and the ATS of a Type 4 tag.
void sim_tag_identity(const struct sim_tag *tag, struct pt_buf *out);

// A new activation: nothing is selected.
void sim_tag_activate(struct sim_tag *tag);

// One command of the reader and the tag's answer; false when the tag stays silent.
bool sim_tag_exchange(struct sim_tag *tag, struct pt_bytes command, struct pt_buf *answer);

#endif
