// What makes this terminal this terminal: its keys, made on it and never leaving it, and the ledger that it signs for.
//
// The signing key lies in a file (sign.key) or on a PKCS #11 token, where it never leaves the chip.
// The data directory holds sign.key (if it is a file) and tls.key (0600), tls.crt (from the operator), enrolment.request, the outbox, the history,
// recalls.cbor, reference.db, clock.cbor and line.cbor.
#ifndef PACKTRAIL_FIRMWARE_DEVICE_DEVICE_H
#define PACKTRAIL_FIRMWARE_DEVICE_DEVICE_H

#include "common/chain/enrolment_request.h"

struct device {
    struct signer signer;
    bool on_token;
    struct genesis genesis;
    char sign_key_file[512], tls_key_file[512], certificate_file[512], outbox_dir[512], history_dir[512], recalls_file[512], reference_file[512], clock_file[512], line_file[512];
};

// token: URI of the signing key (common/crypto/signature.h), NULL or "" for a file. Makes the keys that are missing (existing ones stay) and writes enrolment.request for the operator; *kid is what
// people compare on both screens. `request` gives role, name, party and place; its keys are filled in.
enum pt_code device_prepare(const char *data_dir, const char *token, struct enrolment_request *request, char request_file[512],
                            struct pt_error *err) PT_NODISCARD;

// Loads the signing key and the genesis. PT_NOT_FOUND says which step is missing. Freed by device_close.
enum pt_code device_open(const char *data_dir, const char *token, const char *genesis_file, struct device *out,
                         struct pt_error *err) PT_NODISCARD;
void device_close(struct device *device);

#endif
