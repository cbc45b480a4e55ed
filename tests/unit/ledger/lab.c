#include "tests/unit/ledger/lab.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/epcis/cn_document.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/packtrail_terms.h"
#include "ledger/contracts/contract.h"
#include "tests/support/support.h"

static pt_millis lab_now(void *ctx) { return ((const struct lab *)ctx)->now; }

static enum pt_code lab_random(void *ctx, uint8_t *out, size_t len, struct pt_error *err) {
    (void)ctx;
    const struct pt_env *env = pt_env_system();
    return env->random(env->ctx, out, len, err);
}

static void make_key(struct lab_key *key) {
    struct pt_buf pem = PT_BUF_INIT(4096);
    struct pt_error err;
    assert_ok(signer_openssl_generate(&pem, &err), &err);
    assert_ok(signer_openssl_from_pem(pt_buf_bytes(&pem), &key->signer, &err), &err);
    key->kid = verify_key_thumbprint(key->signer.key);
    pt_buf_free(&pem);
}

static struct actor actor_of(const struct lab_key *key, enum actor_role role, const char *name, unsigned number) {
    struct actor actor = {.role = role, .kid = key->kid, .tls = key->kid};
    snprintf(actor.name, sizeof actor.name, "%s %u", name, number);
    snprintf(actor.party, sizeof actor.party, "urn:packtrail:party:p%u", number);
    if (role == ACTOR_DEVICE) snprintf(actor.place, sizeof actor.place, "urn:packtrail:place:p%u", number);
    pt_buf_init(&actor.key, 1024);
    verify_key_to_cose(key->signer.key, &actor.key);
    return actor;
}

void lab_new(struct lab *lab, const char *profile) { lab_new_version(lab, profile, RULE_VERSION_NEWEST); }

void lab_new_version(struct lab *lab, const char *profile, uint64_t rule_version) {
    struct pt_error err;
    struct actor actors[3 + LAB_DEVICES + LAB_GATEWAYS];
    size_t count = 0;
    memset(lab, 0, sizeof *lab);
    test_scratch(lab->dir);
    lab->now = LAB_START;
    lab->env = (struct pt_env){lab_now, lab_random, lab};
    lab->options.index_cache_bytes = 4 * 1024 * 1024;
    lab->options.workers = 2;
    make_key(&lab->node);
    make_key(&lab->operator);
    make_key(&lab->company);
    make_key(&lab->stranger);
    actors[count++] = actor_of(&lab->node, ACTOR_EXECUTOR, "node", 90);
    actors[count++] = actor_of(&lab->operator, ACTOR_OPERATOR, "operator", 91);
    actors[count++] = actor_of(&lab->company, ACTOR_COMPANY, "company", 92);
    for (unsigned i = 0; i < LAB_DEVICES; i++) {
        make_key(&lab->devices[i]);
        actors[count++] = actor_of(&lab->devices[i], ACTOR_DEVICE, "device", i);
    }
    for (unsigned i = 0; i < LAB_GATEWAYS; i++) {
        make_key(&lab->gateways[i]);
        actors[count++] = actor_of(&lab->gateways[i], ACTOR_GATEWAY, "gateway", i);
    }
    struct genesis genesis = {.name = "lab", .time = LAB_START, .rule_version = rule_version, .actors = actors, .actor_count = count};
    snprintf(genesis.profile, sizeof genesis.profile, "%s", profile);
    pt_buf_init(&lab->genesis_bytes, (size_t)1024 * 1024);
    assert_ok(genesis_encode(&genesis, &lab->genesis_bytes, &err), &err);
    assert_ok(genesis_decode(pt_buf_bytes(&lab->genesis_bytes), &lab->genesis, &err), &err);
    for (size_t i = 0; i < count; i++) actor_free(&actors[i]);
    assert_ok(ledger_init(lab->dir, pt_buf_bytes(&lab->genesis_bytes), (struct pt_bytes){0}, &err), &err);
}

void lab_free(struct lab *lab) {
    lab_close(lab);
    for (size_t i = 0; i < lab->statement_count; i++) pt_buf_free(&lab->statements[i]);
    struct lab_key *keys[] = {&lab->node, &lab->operator, &lab->company, &lab->stranger};
    for (size_t i = 0; i < 4; i++) signer_openssl_free(&keys[i]->signer);
    for (size_t i = 0; i < LAB_DEVICES; i++) signer_openssl_free(&lab->devices[i].signer);
    for (size_t i = 0; i < LAB_GATEWAYS; i++) signer_openssl_free(&lab->gateways[i].signer);
    genesis_free(&lab->genesis);
    pt_buf_free(&lab->genesis_bytes);
    test_scratch_remove(lab->dir);
}

void lab_open(struct lab *lab) {
    struct pt_error err;
    assert_ok(ledger_open(lab->dir, &lab->node.signer, &lab->options, &lab->env, &lab->ledger, &err), &err);
}

void lab_close(struct lab *lab) {
    ledger_close(lab->ledger);
    lab->ledger = NULL;
}

// Serials of cases and pallets become SSCCs with a right check digit.
static void sscc_of(const char *serial, char out[19]) {
    unsigned sum = 0;
    snprintf(out, 19, "%u%s%09u", serial[0] == 'L' ? 1u : 0u, "6901234", (unsigned)atoi(serial + 1));
    for (unsigned i = 0; i < 17; i++) sum += (unsigned)(out[i] - '0') * (i % 2 ? 1 : 3);
    out[17] = (char)('0' + (10 - sum % 10) % 10);
    out[18] = 0;
}

const char *lab_uri(const char *serial) {
    static char texts[1024][96];
    static unsigned at;
    char *text = texts[at++ % 1024];
    char sscc[19];
    if (serial[0] == 'C' || serial[0] == 'L') {
        sscc_of(serial, sscc);
        snprintf(text, sizeof texts[0], "https://id.gs1.org/00/%s", sscc);
    } else {
        snprintf(text, sizeof texts[0], "https://id.gs1.org/01/06901234567892/21/%s", serial);
    }
    return text;
}

struct pack_id lab_id(const char *serial) {
    struct pack_id id;
    struct pt_error err;
    assert_ok(pack_id_from_uri(pt_bytes_str(lab_uri(serial)), &id, &err), &err);
    return id;
}

static struct epcis_member text_member(const char *ns, const char *prefix, const char *local, const char *text) {
    return (struct epcis_member){.ns = ns, .prefix = prefix, .local = local, .value = {.kind = EPCIS_TEXT, .text = text}};
}

static struct epcis_member number_member(const char *local, int64_t number) {
    return (struct epcis_member){.ns = PACKTRAIL_TERMS_NAMESPACE, .prefix = PACKTRAIL_TERMS_PREFIX, .local = local,
                                 .value = {.kind = EPCIS_NUMBER, .number = {true, true, number, (double)number}}};
}

void lab_encode(const struct lab_event *say, struct pt_buf *out) {
    struct pt_error err;
    const char *uris[520];
    struct epcis_member ilmd[3], extension[2];
    struct epcis_reference destination = {.type = "owning_party", .id = say->destination};
    struct epcis_event event = {.type = say->type ? say->type : EPCIS_OBJECT,
                                .action = say->action ? say->action : EPCIS_OBSERVE,
                                .event_time = {.seconds = LAB_START / 1000 + say->seconds},
                                .has_event_time = true,
                                .event_time_zone_offset = 480,
                                .has_event_time_zone_offset = true,
                                .biz_step = say->step,
                                .disposition = say->disposition,
                                .biz_location = {.id = say->place}};
    for (size_t i = 0; i < 520 && (say->count ? i < say->count : say->serials[i] != NULL); i++) uris[event.epcs.count++] = lab_uri(say->serials[i]);
    event.epcs.items = uris;
    if (say->parent) event.parent_id = lab_uri(say->parent);
    if (say->destination) event.destinations = (struct epcis_references){&destination, 1};
    if (say->lot) ilmd[event.ilmd.count++] = text_member("urn:epcglobal:cbv:mda", "cbvmda", "lotNumber", say->lot);
    if (say->expiry) ilmd[event.ilmd.count++] = text_member("urn:epcglobal:cbv:mda", "cbvmda", "itemExpirationDate", say->expiry);
    if (say->content) ilmd[event.ilmd.count++] = number_member(PACKTRAIL_TERM_CONTENT, say->content);
    event.has_ilmd = event.ilmd.count > 0;
    event.ilmd.items = ilmd;
    event.event_id = say->id;
    const struct epcis_reference document = {.type = CN_DOCUMENT_TRANSACTION, .id = say->document};
    if (say->document) event.biz_transactions = (struct epcis_references){(struct epcis_reference *)(uintptr_t)&document, 1};
    if (say->clock_error) extension[event.extensions.count++] = number_member(PACKTRAIL_TERM_CLOCK_ERROR, say->clock_error);
    if (say->units) extension[event.extensions.count++] = number_member(PACKTRAIL_TERM_UNITS, say->units);
    event.extensions.items = extension;
    if (say->error)
        event.error_declaration = (struct epcis_error_declaration){.present = true, .declaration_time = event.event_time,
                                                                   .reason = "did_not_occur"};
    if (say->error && say->declared) event.error_declaration.declaration_time.seconds = LAB_START / 1000 + say->declared;
    const char *corrective[4];
    for (size_t i = 0; i < 4 && say->corrective[i]; i++) corrective[event.error_declaration.corrective_event_ids.count++] = say->corrective[i];
    event.error_declaration.corrective_event_ids.items = corrective;
    assert_ok(epcis_cbor_encode(&event, out, &err), &err);
}

size_t lab_say_raw(struct lab *lab, struct lab_key *key, const char *content_type, struct pt_bytes payload, uint64_t sequence,
                   const struct pt_digest *previous) {
    struct pt_error err;
    assert_true(lab->statement_count < 256);
    struct pt_buf *out = &lab->statements[lab->statement_count];
    pt_buf_init(out, STATEMENT_MAX);
    const struct statement_draft draft = {.content_type = content_type, .issuer = "urn:packtrail:party:p0",
                                          .subject = "urn:packtrail:party:p0", .genesis = lab->genesis.hash,
                                          .sequence = sequence, .previous = *previous, .payload = payload};
    assert_ok(statement_sign(&draft, &key->signer, out, &err), &err);
    return lab->statement_count++;
}

size_t lab_say(struct lab *lab, struct lab_key *key, const struct lab_event *event) {
    struct pt_buf payload = PT_BUF_INIT(STATEMENT_MAX);
    lab_encode(event, &payload);
    const int64_t told = event->declared > event->seconds ? event->declared : event->seconds;
    if (lab->follow && lab->now < LAB_START + told * 1000) lab->now = LAB_START + told * 1000;
    const size_t at = lab_say_raw(lab, key, STATEMENT_EVENT_CBOR, pt_buf_bytes(&payload), key->next, &key->previous);
    pt_buf_free(&payload);
    key->next++;
    key->previous = statement_id(pt_buf_bytes(&lab->statements[at]));
    return at;
}

void lab_seal(struct lab *lab, struct lab_key *gateway, struct pt_buf *out) {
    struct pt_error err;
    struct pt_bytes views[256];
    struct pt_digest digest;
    struct block_header header = {.gateway = gateway->kid, .sequence = gateway->next, .previous = gateway->previous, .time = lab->now};
    for (size_t i = 0; i < lab->statement_count; i++) views[i] = pt_buf_bytes(&lab->statements[i]);
    assert_ok(block_seal(&header, &lab->genesis.hash, views, lab->statement_count, &gateway->signer, out, &digest, &err), &err);
    for (size_t i = 0; i < lab->statement_count; i++) pt_buf_free(&lab->statements[i]);
    lab->statement_count = 0;
    gateway->next++;
    gateway->previous = digest;
}

struct wait {
    pthread_mutex_t mutex;
    pthread_cond_t arrived;
    bool done;
    struct lab_answer *answer;
};

static void arrived(void *arg, enum pt_code code, const struct ledger_block_result *result, const struct pt_error *err) {
    struct wait *wait = arg;
    pthread_mutex_lock(&wait->mutex);
    wait->answer->code = code;
    if (err && code != PT_OK) snprintf(wait->answer->reason, sizeof wait->answer->reason, "%s", err->what);
    if (result) {
        wait->answer->outcome = result->outcome;
        wait->answer->height = result->height;
        wait->answer->expected = result->expected;
        wait->answer->why = result->code;
        wait->answer->result_count = result->results.len;
        assert_true(result->results.len <= sizeof wait->answer->results);
        if (result->results.len) memcpy(wait->answer->results, result->results.data, result->results.len);
        snprintf(wait->answer->reason, sizeof wait->answer->reason, "%s", result->reason);
    }
    wait->done = true;
    pthread_cond_signal(&wait->arrived);
    pthread_mutex_unlock(&wait->mutex);
}

void lab_submit(struct lab *lab, struct pt_bytes block, struct lab_answer *answer) {
    struct pt_error err;
    struct wait wait = {.mutex = PTHREAD_MUTEX_INITIALIZER, .arrived = PTHREAD_COND_INITIALIZER, .answer = answer};
    memset(answer, 0, sizeof *answer);
    // The answer may be there before the call returns: what arrived writes stays.
    const enum pt_code code = ledger_submit_block(lab->ledger, block, arrived, &wait, &err);
    if (code != PT_OK) {
        answer->code = code;
        return;
    }
    pthread_mutex_lock(&wait.mutex);
    while (!wait.done) pthread_cond_wait(&wait.arrived, &wait.mutex);
    pthread_mutex_unlock(&wait.mutex);
}

void lab_apply(struct lab *lab, struct lab_answer *answer) {
    struct pt_buf block = PT_BUF_INIT(BLOCK_MAX);
    lab_seal(lab, &lab->gateways[0], &block);
    lab_submit(lab, pt_buf_bytes(&block), answer);
    pt_buf_free(&block);
    if (answer->code != PT_OK || answer->outcome != LEDGER_BLOCK_APPLIED) fail_msg("block not applied: %s", answer->reason);
}

enum statement_result lab_do(struct lab *lab, struct lab_key *key, const struct lab_event *event) {
    struct lab_answer answer;
    const size_t at = lab_say(lab, key, event);
    lab_apply(lab, &answer);
    return (enum statement_result)answer.results[at];
}

struct ledger_pack lab_look(struct lab *lab, const char *serial) {
    static struct pt_arena arena;
    struct ledger_pack pack;
    struct pt_error err;
    const struct pack_id id = lab_id(serial);
    pt_arena_reset(&arena);
    assert_ok(ledger_pack(lab->ledger, &id, lab->now, &arena, &pack, &err), &err);
    return pack;
}

enum lifecycle_state lab_state(struct lab *lab, const char *serial) { return lab_look(lab, serial).state; }

size_t lab_alerts(struct lab *lab, const char *serial, enum alert_kind *last) {
    struct pt_arena arena = {0};
    struct alert_record *alerts;
    struct pt_error err;
    size_t count;
    const struct pack_id id = serial ? lab_id(serial) : (struct pack_id){0};
    assert_ok(ledger_alerts(lab->ledger, serial ? &id : NULL, 0, false, 1000, &arena, &alerts, &count, &err), &err);
    if (last) *last = count ? alerts[count - 1].kind : 0;
    pt_arena_free(&arena);
    return count;
}
