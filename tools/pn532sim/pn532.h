// A PN532 on its serial port, as libnfc talks to it: frames in, frames out (PN532 user manual UM0701-02). No I/O.
#ifndef PACKTRAIL_TOOLS_PN532SIM_PN532_H
#define PACKTRAIL_TOOLS_PN532SIM_PN532_H

#include "tools/pn532sim/tag.h"

#define PN532_MAX_FRAME 300u

struct pn532 {
    uint8_t registers[65536];
    bool has_tag;
    struct sim_tag tag;
    bool active;           // the tag has been listed and not been released
    bool endless;          // InListPassiveTarget waits for a tag
    bool waiting;          // and is doing so now
    unsigned lose_after;   // exchanges until the tag is taken away; 0 never
    uint8_t in[PN532_MAX_FRAME * 2];
    size_t in_len;
};

void pn532_reset(struct pn532 *chip);

// Lays a tag on the antenna (replacing another one); answers a waiting command.
void pn532_present(struct pn532 *chip, const struct sim_tag *tag, struct pt_buf *out);
void pn532_remove(struct pn532 *chip);

// Bytes from the host; what the chip sends back is appended to out.
void pn532_receive(struct pn532 *chip, struct pt_bytes bytes, struct pt_buf *out);

#endif
