// Recalls where events are judged: goods that a recall covers must not be shipped, received or dispensed. Asked by the
// lifecycle pass beside the detectors, from rule version 2.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_RECALL_LOOK_H
#define PACKTRAIL_LEDGER_CONTRACTS_RECALL_LOOK_H

#include "ledger/contracts/detectors.h"
#include "ledger/contracts/recall.h"

// Raises ALERT_RECALLED when a recall in force certainly covers the pack. `lists` of the event (recall_lists_read). What
// lies unseen in a container is not looked at: its packs answer for themselves when they are scanned or asked about.
enum pt_code recall_look(const struct sighting *sighting, const struct recall_lists *lists, struct state_view *view,
                         struct detector_sink *sink, struct pt_error *err) PT_NODISCARD;

#endif
