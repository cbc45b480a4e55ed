// How a terminal becomes, stays and ceases to be a device of the ledger. An operator's one-time invitation (shown as QR by
// `packtrail admin invite`) says where to ask; the keys are made here; the operator's side checks and answers through the gateway.
#ifndef PACKTRAIL_FIRMWARE_ENROLMENT_ENROLMENT_H
#define PACKTRAIL_FIRMWARE_ENROLMENT_ENROLMENT_H

#include "common/base/time.h"
#include "firmware/device/device.h"

enum enrolment_stage {
    ENROLMENT_NONE = 0,      // nothing asked yet: show "scan the invitation"
    ENROLMENT_WAITING = 1,   // asked; show the key's fingerprint, which the operator compares
    ENROLMENT_DONE = 2,      // certificate, genesis and CA are here
    ENROLMENT_REFUSED = 3,   // used up, expired, or refused by the operator; why says it
    ENROLMENT_REVOKED = 4,   // this device was revoked
    ENROLMENT_EXPIRING = 5,  // done, but the TLS certificate ends soon: renewal is under way
};

struct enrolment_status {
    enum enrolment_stage stage;
    char fingerprint[48];     // of the signing key, in groups of four, as the operator's screen shows it
    char gateway_url[256];
    pt_millis certificate_ends;  // 0 without one
    struct pt_error why;
};

struct enrolment;
// Loads what stands in data_dir; asks nobody.
enum pt_code enrolment_open(const char *data_dir, const char *token, const struct pt_env *env, struct enrolment **out, struct pt_error *err) PT_NODISCARD;
void enrolment_close(struct enrolment *enrolment);

// Whether a scanned code is an invitation at all (it begins with its scheme); cheap.
bool enrolment_is_invitation(struct pt_bytes code);
// Takes the invitation: makes the keys that are missing, keeps what is needed to ask. PT_INVALID: damaged or expired.
enum pt_code enrolment_accept(struct enrolment *enrolment, struct pt_bytes code, struct pt_error *err) PT_NODISCARD;
// One exchange with the gateway where one is due (ask, look for the answer, renew); at most request_timeout. PT_UNAVAILABLE: not reached.
enum pt_code enrolment_turn(struct enrolment *enrolment, struct pt_error *err) PT_NODISCARD;
void enrolment_status(struct enrolment *enrolment, struct enrolment_status *out);

// Wipes the terminal: keys first, then outbox, history, staff, reference. PT_CONFLICT while statements lack a receipt, unless `lose`.
enum pt_code enrolment_wipe(const char *data_dir, const char *token, bool lose, struct pt_error *err) PT_NODISCARD;

#endif
