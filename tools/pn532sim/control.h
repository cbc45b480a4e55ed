// The simulator's words: "present UID URI [type4]", "remove", "remove-after N".
#ifndef PACKTRAIL_TOOLS_PN532SIM_CONTROL_H
#define PACKTRAIL_TOOLS_PN532SIM_CONTROL_H

#include "tools/pn532sim/pn532.h"

// Carries out one line. present: UID in hex; URI, or "-" for a tag without a message, or "hex:…" for a message in hex;
// type2 (default) or type4. remove-after N: the tag goes away at the N-th exchange from now.
enum pt_code pn532_control(struct pn532 *chip, const char *line, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

#endif
