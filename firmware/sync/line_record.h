// What the terminal knows of its line to the gateway, kept so that staff see it after a restart, too.
#ifndef PACKTRAIL_FIRMWARE_SYNC_LINE_RECORD_H
#define PACKTRAIL_FIRMWARE_SYNC_LINE_RECORD_H

#include "common/base/error.h"
#include "common/base/time.h"

enum line_state {
    LINE_UNKNOWN = 0,    // nothing was asked yet
    LINE_UP = 1,
    LINE_DOWN = 2,       // nobody answers: no network, no gateway
    LINE_BUSY = 3,       // the gateway answers that it, or the ledger, cannot now
    LINE_REFUSED = 4,    // the gateway answers that this terminal is not enrolled, or that its certificate ran out
    LINE_UNTRUSTED = 5,  // a certificate is wrong or ran out, theirs or ours: nothing is sent until somebody looks after it
};

enum { LINE_WHY_MAX = 383 };

// Times are by the terminal's clock; 0: never.
struct line_record {
    enum line_state state;
    pt_millis since;    // in this state
    pt_millis contact;  // of the last good answer
    pt_millis tried;    // of the last request
    enum pt_code code;  // of what is wrong; PT_OK if nothing is
    char why[LINE_WHY_MAX + 1];
};

const char *line_state_name(enum line_state state);  // "unknown", "up", "down", "busy", "refused", "untrusted"

// A file that is missing or damaged says nothing: the record is zeroed.
void line_record_load(const char *file, struct line_record *out);
enum pt_code line_record_save(const char *file, const struct line_record *record, struct pt_error *err) PT_NODISCARD;

#endif
