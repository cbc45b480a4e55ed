// Statements as many devices would sign them: real keys, real events, serial numbers spread as makers spread them.
#ifndef PACKTRAIL_TOOLS_LOAD_GENERATOR_H
#define PACKTRAIL_TOOLS_LOAD_GENERATOR_H

#include "common/base/time.h"
#include "common/chain/actor.h"
#include "common/cose/statement.h"
#include "common/identify/pack_id.h"

struct load_device {
    struct signer signer;
    uint64_t sequence;        // of its next statement
    struct pt_digest head;    // id of its last one
};

enum pt_code load_device_make(struct load_device *out, struct pt_error *err) PT_NODISCARD;
void load_device_free(struct load_device *device);

// The device's actor record, for a genesis or an enrolment. actor_free.
enum pt_code load_device_actor(const struct load_device *device, unsigned number, struct actor *out, struct pt_error *err) PT_NODISCARD;

struct load_pattern {
    struct pt_digest genesis;
    unsigned packs;      // a statement
    const char *task;    // "commission", "receive", … (firmware/task)
    bool json;           // EPCIS JSON-LD instead of CBOR
    uint64_t first;      // number of the first statement's first pack
};

// Appends the device's next statement, about the packs first + number * packs … of one product.
enum pt_code load_statement(struct load_device *device, const struct load_pattern *pattern, uint64_t number, pt_millis now,
                            struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// Pack number 0 … LOAD_PACKS_MAX - 1: serial numbers of 12 digits in random order, the same for the same numbers, never
// one twice.
#define LOAD_PACKS_MAX (UINT64_C(1) << 39)
void load_pack(uint64_t number, struct pack_id *out);

#endif
