// What a platform's answer means for a report. Two levels are told apart: whether the platform took the message
// (transport), and what it says about the document (business).
#ifndef PACKTRAIL_GATEWAY_SETTLEMENT_ANSWER_H
#define PACKTRAIL_GATEWAY_SETTLEMENT_ANSWER_H

#include "gateway/settlement/mapping.h"

#define ANSWER_MAX ((size_t)256 * 1024)

enum answer_meaning {
    ANSWER_UNCLEAR,   // nothing can be concluded: the platform has to be asked
    ANSWER_ACCEPTED,
    ANSWER_REFUSED,
    ANSWER_PENDING,   // the platform has the document and is at it: it has to be asked
    ANSWER_ABSENT,    // the platform does not have the document
    ANSWER_AGAIN,     // not taken, for a reason that passes: the same document may be sent again
};

struct answer {
    enum answer_meaning meaning;
    bool business;    // said about the document; else about the message
    char code[64];    // the platform's; "HTTP 400" where it gave none
    char text[256];
};

// Never fails: what cannot be read is unclear. Pure.
void answer_read(const struct answer_rules *rules, unsigned status, struct pt_bytes body, struct answer *out);

#endif
