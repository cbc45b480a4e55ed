#include <stdio.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "tools/admin/admin.h"
#include "tools/admin/own_chain.h"
#include "tools/load/run.h"

enum { ENROL_ROUND = 256 };

static enum pt_code sign_one(struct load_run *run, struct own_chain *chain, unsigned number, struct pt_buf *out,
                             struct pt_error *err) {
    char subject[ADMIN_KEY_URI_MAX];
    uint64_t sequence = 0;
    PT_CLEANUP(actor_free) struct actor actor = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(STATEMENT_MAX);
    enum pt_code code = load_device_make(&run->devices[number], err);
    if (code != PT_OK) return code;
    run->device_count = number + 1;
    code = load_device_actor(&run->devices[number], number, &actor, err);
    if (code == PT_OK) code = actor_encode(&actor, &payload, err);
    if (code != PT_OK) return code;
    admin_key_uri(&actor.kid, subject);
    return own_chain_sign(chain, STATEMENT_ENROLMENT, subject, pt_buf_bytes(&payload), &sequence, out, err);
}

static enum pt_code send_round(struct load_run *run, struct own_chain *chain, struct pt_error *err) {
    for (unsigned attempt = 1;; attempt++) {
        size_t sent = 0;
        enum pt_code code = own_chain_send(chain, run->options->ledger_url, &sent, err);
        if (sent) load_progress_made(run);
        if (code != PT_UNAVAILABLE) return code;
        code = load_pause(run, attempt, 0, err);
        if (code != PT_OK) return code;
    }
}

// A gateway asks the statement of a key that it does not know to wait, and refuses a broken one of a key that it
// knows: so a broken one tells, and leaves no trace. The feed is in order: the last device is known last.
static enum pt_code wait_until_known(struct load_run *run, struct pt_error *err) {
    PT_CLEANUP(load_client_free) struct https_client *client = NULL;
    PT_CLEANUP(pt_buf_free) struct pt_buf probe = PT_BUF_INIT(STATEMENT_MAX);
    struct load_device copy = run->devices[run->device_count - 1];
    struct load_pattern pattern = run->pattern;
    pattern.packs = 1;
    enum pt_code code = load_client(run, &client, err);
    if (code == PT_OK) code = load_statement(&copy, &pattern, 0, pt_env_system()->now(NULL), &probe, err);
    if (code != PT_OK) return code;
    probe.data[probe.len - 1] ^= 1;
    for (unsigned attempt = 1; code == PT_OK; attempt++) {
        unsigned retry_after = 0;
        struct wire_ack ack = {.id = statement_id(pt_buf_bytes(&probe))};
        code = load_post(run, client, pt_buf_bytes(&probe), &ack, 1, &retry_after, err);
        if (code == PT_OK && ack.outcome == WIRE_REFUSED) return PT_OK;
        if (code == PT_OK) code = pt_fail(err, PT_UNAVAILABLE, "gateway", "not taken now: %s", ack.error);
        if (code == PT_UNAVAILABLE) code = load_pause(run, attempt, retry_after, err);
    }
    return code;
}

enum pt_code load_enrol(struct load_run *run, struct pt_error *err) {
    PT_CLEANUP(own_chain_close) struct own_chain chain = {.lock = -1};
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT((size_t)4 * 1024 * 1024);
    run->devices = calloc(run->options->devices, sizeof *run->devices);
    if (!run->devices) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code = own_chain_open(&run->consortium, run->options->operator_name, ACTOR_OPERATOR, &chain, err);
    for (unsigned i = 0; code == PT_OK && i < run->options->devices; i++) {
        pt_buf_clear(&bytes);
        code = sign_one(run, &chain, i, &bytes, err);
        const bool last = i + 1 == run->options->devices;
        if (code == PT_OK && (last || (i + 1) % ENROL_ROUND == 0)) code = send_round(run, &chain, err);
    }
    if (code == PT_OK) load_progress_made(run);
    return code == PT_OK ? wait_until_known(run, err) : code;
}
