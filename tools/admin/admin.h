// The commands of `packtrail admin`. Each takes argv[0] = its own name, prints one JSON object on standard output and
// gives an error to print otherwise.
#ifndef PACKTRAIL_TOOLS_ADMIN_ADMIN_H
#define PACKTRAIL_TOOLS_ADMIN_ADMIN_H

#include "common/base/json.h"
#include "tools/admin/own_chain.h"

typedef enum pt_code admin_function(int argc, char **argv, struct pt_error *err);

admin_function admin_init, admin_actor, admin_renew, admin_genesis, admin_show;
admin_function admin_inspect, admin_enrol, admin_revoke, admin_master, admin_send, admin_recall, admin_rules, admin_finding;

extern const char admin_recall_help[];

// Prints one line.
enum pt_code admin_print(const json_t *value, struct pt_error *err) PT_NODISCARD;

// A kid as JSON, and as the URI that statements about a key have as their subject (RFC 9679 section 5).
json_t *admin_digest(const struct pt_digest *digest);
#define ADMIN_KEY_URI_MAX 96u
void admin_key_uri(const struct pt_digest *kid, char out[ADMIN_KEY_URI_MAX]);

// A time as RFC 3339 text in UTC.
json_t *admin_time(pt_millis time);

// One changing command at a time in a directory; released when the process ends.
enum pt_code admin_lock(const struct consortium *consortium, struct pt_error *err) PT_NODISCARD;

// Gives tls.crt to an actor: kept if it is there and for this key; issued if the authority's key is here; otherwise
// `pending` is set, and the request for an authority elsewhere is written when tls.key or `request` (may be empty)
// allows.
enum pt_code admin_certify(const struct consortium *consortium, const char *name, const char *const *hosts,
                           size_t host_count, unsigned days, struct pt_bytes public_key, struct pt_bytes request,
                           bool *pending, struct pt_error *err) PT_NODISCARD;

// Signed statements on their way: sent to `url`, or written to `file`, or left in the outbox when both are NULL.
struct admin_delivery {
    const char *url;
    const char *file;
    struct pt_buf bytes;      // of all statements signed now, a CBOR sequence
    uint64_t sequences[1024]; // theirs
    size_t count;
};
enum pt_code admin_deliver(struct own_chain *chain, struct admin_delivery *delivery, json_t *report,
                           struct pt_error *err) PT_NODISCARD;

#endif
