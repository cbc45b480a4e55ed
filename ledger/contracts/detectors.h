// The detectors: what the lifecycle pass shows them of each pack of an event before it changes the record, so that one
// reading of the state serves both. They only look and raise: states are the lifecycle's alone. Asked from rule version 2.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_DETECTORS_H
#define PACKTRAIL_LEDGER_CONTRACTS_DETECTORS_H

#include "ledger/contracts/lifecycle.h"
#include "ledger/contracts/master_facts.h"

// A place with what its master record says when the event happened; facts NULL: nothing is known.
struct sighting_place {
    uint64_t name;  // 0: none said
    const struct place_facts *facts;
};

struct sighting {
    const struct contract_input *input;
    const struct contract_context *context;
    const struct lifecycle_facts *facts;  // of the event
    struct pt_bytes key;
    enum pack_role role;
    enum lifecycle_operation operation;
    const struct hierarchy *around;       // levels[0] is the pack; count 0: nothing was known of it
    const struct effective *effective;
    const struct pack_record *record;     // before the event
    bool late;                            // older than what is known: the state will not change
    const struct product_facts *product;  // NULL: not known
    struct sighting_place place;          // of the event
    uint64_t party;                       // name of the signer's party
    // The newest sighting before, of the pack or a container that it lies in; seconds 0: none.
    int64_t previous_seconds;
    struct sighting_place previous_place;
};

// Raises an alert about the pack that is looked at: the event's leaf and the pack's last one are its evidence.
struct detector_sink {
    enum pt_code (*raise)(struct detector_sink *sink, enum alert_kind kind, enum alert_mode mode, unsigned confidence,
                          const char *detail, struct pt_error *err);
    void *ctx;
    void *memo;  // the detectors' own, for what one event's packs share; NULL at the first pack; memory: context->arena
    unsigned set_flags, clear_flags;  // PACK_FLAG_DOUBTFUL and those behind it, which are the detectors'; taken over after each look
};

// What the detectors read beyond what the lifecycle declares (packs, their products, the facts of all places).
void detectors_declare(const struct contract_input *input, const struct contract_context *context, struct access_list *out);

enum pt_code detectors_look(const struct sighting *sighting, struct state_view *view, struct detector_sink *sink,
                            struct pt_error *err) PT_NODISCARD;

// Before what the table finds suspicious is raised: whether it is rather a mistake or late data. Changes the alert's kind,
// mode and confidence and says why in *detail (NULL: nothing to add); never where the pack goes. After detectors_look.
enum pt_code detectors_judge(const struct sighting *sighting, struct state_view *view, struct detector_sink *sink,
                             struct lifecycle_transition *why, const char **detail, struct pt_error *err) PT_NODISCARD;

// Whether somebody must have the thing in hands to tell this of it. What is told from a desk is no sighting.
bool detectors_sees(enum lifecycle_operation operation);

#endif
