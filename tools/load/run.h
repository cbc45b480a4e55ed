// One run of the load generator and what its threads share; only for the files of this folder.
#ifndef PACKTRAIL_TOOLS_LOAD_RUN_H
#define PACKTRAIL_TOOLS_LOAD_RUN_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/net/https_client.h"
#include "common/wire/wire.h"
#include "tools/admin/consortium.h"
#include "tools/load/load.h"
#include "tools/load/samples.h"

#define LOAD_BODY_MAX ((size_t)1024 * 1024)

struct load_run {
    const struct load_options *options;
    struct consortium consortium;
    struct load_pattern pattern;
    struct load_device *devices;
    unsigned device_count;  // made
    char authority[PATH_MAX], certificate[PATH_MAX], key[PATH_MAX];
    _Atomic uint64_t signed_count, acknowledged, refused, retried, receipts;
    _Atomic bool stopping;
    _Atomic double last_progress;  // monotonic seconds
    pthread_mutex_t lock;          // of what follows
    struct pt_error failure;       // the first one; code PT_OK if none
    bool refusal_said;
};

double load_clock(void);  // monotonic seconds
void load_sleep(double seconds);
void load_progress_made(struct load_run *run);

// Records the first failure and stops all threads.
void load_fail(struct load_run *run, const struct pt_error *err);
// Says why a statement was refused, once a run.
void load_say_refusal(struct load_run *run, const char *why);

// After an attempt that brought nothing: PT_OK after a pause, or PT_UNAVAILABLE when the patience is at its end (*err
// tells why the attempt failed, which is then said).
enum pt_code load_pause(struct load_run *run, unsigned attempt, unsigned retry_after_s, struct pt_error *err) PT_NODISCARD;

// --- devices.c ---

// Makes the keys, has them enrolled at the ledger, a few hundred a round, and waits until the gateway has heard of them.
enum pt_code load_enrol(struct load_run *run, struct pt_error *err) PT_NODISCARD;

// --- post.c ---

// With the operator's certificate.
enum pt_code load_client(struct load_run *run, struct https_client **out, struct pt_error *err) PT_NODISCARD;
void load_client_free(struct https_client **client);

// Posts statements to the gateway; acks hold the ids. PT_UNAVAILABLE: the same bytes may be sent again.
enum pt_code load_post(struct load_run *run, struct https_client *client, struct pt_bytes body, struct wire_ack *acks,
                       size_t count, unsigned *retry_after_s, struct pt_error *err) PT_NODISCARD;
// POST of anything to a path of the gateway, answered 200.
enum pt_code load_request(struct load_run *run, struct https_client *client, const char *path, const char *type,
                          struct pt_bytes body, struct https_client_response *response, unsigned *retry_after_s,
                          struct pt_error *err) PT_NODISCARD;

// --- receipts.c: fetched and verified while statements are still sent ---

struct receipt_watch;
enum pt_code receipt_watch_start(struct load_run *run, struct receipt_watch **out, struct pt_error *err) PT_NODISCARD;
void receipt_watch_add(struct receipt_watch *watch, const struct pt_digest *id, double sent);
size_t receipt_watch_outstanding(struct receipt_watch *watch);
// Waits until no receipt is outstanding or the run stops, then ends; `last` is the moment of the last one.
void receipt_watch_finish(struct receipt_watch *watch, struct samples *times, uint64_t *wrong, double *last);

// --- lane.c: one thread that signs and one that sends, for a share of the devices ---

struct lane;
enum pt_code lane_start(struct load_run *run, struct receipt_watch *watch, unsigned number, struct lane **out,
                        struct pt_error *err) PT_NODISCARD;
void lane_send(struct lane *lane, double start);  // from now on; before, it only signs ahead
bool lane_ready(struct lane *lane);               // has signed as much ahead as it may
// Waits for the last acknowledgement; *last is raised to its moment.
void lane_finish(struct lane *lane, struct samples *acks, double *last);

#endif
