// The terminal's outbox: every statement it signed, from before the beep until a receipt proves that the ledger
// holds it. Survives power loss at any moment.
//
// Thread-safe: one thread scans, another one syncs.
#ifndef PACKTRAIL_FIRMWARE_OUTBOX_OUTBOX_H
#define PACKTRAIL_FIRMWARE_OUTBOX_OUTBOX_H

#include "common/base/journal.h"
#include "common/base/time.h"
#include "common/cose/statement.h"

struct outbox;

struct outbox_options {
    struct pt_digest genesis;
    const struct signer *device;  // must outlive the outbox
    const char *issuer;           // URI that the device speaks for; copied
    uint64_t most_bytes;          // above it nothing more is signed: PT_UNAVAILABLE, and what is there stays
    // Bytes free on the disk; NULL: not known. Signing stops while OUTBOX_RESERVE is left, so that receipts can still be noted and make room.
    uint64_t (*free_bytes)(void *arg);
    void *free_arg;
};
#define OUTBOX_RESERVE ((uint64_t)4 * 1024 * 1024)

// `disk` must outlive the outbox.
enum pt_code outbox_open(const struct pt_disk *disk, const struct outbox_options *options, struct outbox **out,
                         struct pt_error *err) PT_NODISCARD;
void outbox_close(struct outbox *outbox);

// Signs the payload as the next link of the device's chain and makes it durable. Only after PT_OK may the terminal
// tell its user that the scan counts. *id and *sequence may be NULL. PT_UNAVAILABLE: there is no room; PT_FORBIDDEN: signing was stopped.
enum pt_code outbox_sign(struct outbox *outbox, const char *content_type, const char *subject, struct pt_bytes payload,
                         struct pt_digest *id, uint64_t *sequence, struct pt_error *err) PT_NODISCARD;

// From now on nothing is signed (PT_FORBIDDEN with `why`): this device was revoked. What was signed stays and is still brought.
// NULL: signing goes on. Not kept over a restart; whoever knows says it again.
void outbox_stop_signing(struct outbox *outbox, const char *why);

enum outbox_state {
    OUTBOX_NEW = 1,      // not acknowledged by the gateway
    OUTBOX_SENT = 2,     // acknowledged; its receipt is awaited
    OUTBOX_REFUSED = 3,  // the gateway will never take it; kept as evidence
};

struct outbox_item {
    uint64_t sequence;
    struct pt_digest id;
    enum outbox_state state;
    pt_millis sent_at;  // of the last acknowledgement; 0 after a restart
    size_t size;
};

// The oldest items in that state with a sequence of at least `from`; returns how many were written.
size_t outbox_list(struct outbox *outbox, enum outbox_state state, uint64_t from, struct outbox_item *items, size_t most);

// Appends the statement's bytes. PT_NOT_FOUND: it is not in the outbox (any more).
enum pt_code outbox_read(struct outbox *outbox, uint64_t sequence, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// What the gateway said. An acknowledgement is kept in memory only: after a restart the statement is sent again,
// which does no harm; a refusal is durable.
enum pt_code outbox_acknowledged(struct outbox *outbox, uint64_t sequence, pt_millis now, struct pt_error *err) PT_NODISCARD;
enum pt_code outbox_refused(struct outbox *outbox, uint64_t sequence, const char *why, struct pt_error *err) PT_NODISCARD;
void outbox_send_again(struct outbox *outbox, uint64_t sequence);

// A receipt whose proof holds came for it: the statement is forgotten. The caller has verified. The receipt is kept beside it, as
// evidence, until the segment goes; where room is short it is not written at all.
enum pt_code outbox_received(struct outbox *outbox, uint64_t sequence, struct pt_bytes receipt, struct pt_error *err) PT_NODISCARD;

// How full it is. Staff are told in time: at 80 % that the terminal wants its gateway, at 95 % that it must soon have it.
enum outbox_fill { OUTBOX_ROOMY = 0, OUTBOX_FILLING = 1, OUTBOX_NEARLY_FULL = 2, OUTBOX_FULL = 3 };
struct outbox_room {
    uint64_t bytes;      // that may still be signed: the outbox's own limit or the disk's, whichever is nearer
    uint64_t packs;      // about so many events of one pack fit into them
    unsigned percent;    // used of what there is
    enum outbox_fill fill;
};

struct outbox_status {
    uint64_t next_sequence;
    struct pt_digest head;  // id of the last signed statement; all zero if there is none
    size_t fresh, sent, refused;
    uint64_t bytes;
    struct outbox_room room;
    bool stopped;  // outbox_stop_signing
};
void outbox_status(struct outbox *outbox, struct outbox_status *out);

#endif
