// What a keyboard wedge types when the computer expects another keyboard: the text back as the scanner meant it.
#ifndef PACKTRAIL_COMMON_IDENTIFY_WEDGE_REPAIR_H
#define PACKTRAIL_COMMON_IDENTIFY_WEDGE_REPAIR_H

#include "common/identify/scanned_text.h"

enum wedge_layout {
    WEDGE_CAPS_LOCK, // capitals and small letters exchanged
    WEDGE_FRENCH,    // the scanner types for US keys, the computer reads AZERTY
    WEDGE_GERMAN,    // … reads QWERTZ
    WEDGE_LAYOUTS
};

// "caps lock", "French (AZERTY) keyboard layout", …
const char *wedge_layout_name(enum wedge_layout layout);

// The input with the layout undone, in `out`, and in `from` the input offset of each byte (both with room for
// SCANNED_TEXT_MAX + 1). False when nothing in the input points to this layout, or when a character is none that the
// layout would have produced; without evidence no other reading is even tried.
bool wedge_undo(enum wedge_layout layout, struct pt_bytes input, uint8_t *out, uint16_t *from, size_t *len);

#endif
