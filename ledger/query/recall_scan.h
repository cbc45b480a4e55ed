// Goes through the packs that a recall covers, in one view of the index. Inside of ledger/query.
#ifndef PACKTRAIL_LEDGER_QUERY_RECALL_SCAN_H
#define PACKTRAIL_LEDGER_QUERY_RECALL_SCAN_H

#include "ledger/query/pack_reader.h"
#include "ledger/query/recalls.h"

// A place with a party at it, as the packs' records name them.
struct scan_place {
    uint64_t place, party;            // names
    const char *place_uri, *party_uri;
    char territory[8];                // of the place, else of the party; "" if not known
    bool retail;                      // the party is a pharmacy or a hospital, and no distributor
    struct recall_counts counts;
};

struct scanned_pack {
    struct pt_bytes key;
    const struct pack_record *record;
    struct scan_place *place;
    enum recall_class class;
    enum { SCAN_OPEN, SCAN_DONE, SCAN_BEFORE, SCAN_BEYOND, SCAN_LOST } progress;
    bool unsure, inferred;
    int64_t event_seconds;
};

struct recall_scan;

// `reader` and `recall` must outlive the scan.
enum pt_code recall_scan_new(struct pack_reader *reader, const struct recall_record *recall, struct recall_scan **out,
                             struct pt_error *err) PT_NODISCARD;
void recall_scan_free(struct recall_scan *scan);

// Calls `each` for every pack that is or may be covered, in the order of the keys, behind `after` (no bytes: from the
// first); PT_NOT_FOUND from it ends the scan without an error.
enum pt_code recall_scan_run(struct recall_scan *scan, struct pt_bytes after,
                             enum pt_code (*each)(void *arg, const struct scanned_pack *pack), void *arg, struct pt_error *err) PT_NODISCARD;

uint64_t recall_scan_records(const struct recall_scan *scan);  // looked at
// All places met, in the order they were met.
size_t recall_scan_places(const struct recall_scan *scan);
struct scan_place *recall_scan_place(struct recall_scan *scan, size_t index);

#endif
