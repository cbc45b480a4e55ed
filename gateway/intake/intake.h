// Taking statements in: verify on the server's workers, write and fsync on one thread for many requests together,
// then acknowledge. The same thread seals blocks when they are due.
#ifndef PACKTRAIL_GATEWAY_INTAKE_INTAKE_H
#define PACKTRAIL_GATEWAY_INTAKE_INTAKE_H

#include "common/net/https_server.h"
#include "common/net/metrics.h"
#include "gateway/roster/roster.h"
#include "gateway/spool/spool.h"

struct intake;

struct intake_options {
    struct spool *spool;
    struct roster *roster;
    struct pt_digest genesis;
    const struct pt_env *env;
    struct metrics *metrics;
    size_t most_waiting_bytes;         // of requests that wait for the disk; above it 503
    void (*block_sealed)(void *arg);   // there is something to send; called on the intake thread
    void (*signer_unknown)(void *arg); // the roster may be behind; called on a server worker
    void (*disk_failed)(void *arg);    // what reached the disk is unknown; the process must end and start anew
    // Whoever else has to have a statement before it is acknowledged; NULL: nobody. `taken` is called with each statement
    // that the spool holds durably, `all_taken` once after them: an error of either answers the terminal `later`.
    enum pt_code (*taken)(void *arg, const struct pt_digest *id, struct pt_bytes statement, pt_millis now, struct pt_error *err);
    enum pt_code (*all_taken)(void *arg, struct pt_error *err);
    void *arg;
};

// All pointers must outlive the intake.
enum pt_code intake_start(const struct intake_options *options, struct intake **out, struct pt_error *err) PT_NODISCARD;

// Handler of POST /statements; arg is the intake.
void intake_post_statements(void *arg, struct https_request *request);

// Acknowledges what it has, seals what waits, and ends the thread. Call after the server has stopped.
void intake_stop(struct intake *intake);

#endif
