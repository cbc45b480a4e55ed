// An evidence bundle of claims, checked offline: every statement's own signature, its receipt under a trusted key, the
// ledger's signed answer; then what each line says is held against what the dispensing says.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/chain/entry.h"
#include "common/claim/claim.h"
#include "common/claim/claim_answer.h"
#include "common/cose/receipt.h"
#include "common/cose/statement.h"
#include "common/epcis/packtrail_terms.h"
#include "ledger/apply/statement_input.h"
#include "ledger/contracts/claims.h"
#include "ledger/contracts/lifecycle.h"
#include "ledger/contracts/master_facts.h"
#include "tools/command/claim.h"
#include "tools/command/command.h"
#include "tools/command/proof_output.h"

struct item {
    struct statement statement;
    struct pt_digest id;
    uint64_t leaf;
    struct statement_input input;
    bool is_event;
};

struct check {
    const char *trust_path, *genesis_hex, *bundle_path;
    struct key_set trust;
    struct pt_arena arena;
    struct claim_evidence evidence;
    struct pt_digest genesis;
    struct claim_answer answer;
    struct item *items;
    const struct claim_batch *batch;
    json_t *lines;
    size_t unproved;  // lines whose dispensing is not in this bundle
    struct pt_error *err;
};

static enum pt_code bad(struct check *check, const char *where, const char *what) {
    return pt_fail(check->err, PT_UNVERIFIED, where, "%s", what);
}

// --- Signatures and receipts ---

static const struct verify_key *trusted(const struct check *check, const struct pt_digest *kid) {
    for (size_t i = 0; i < check->trust.count; i++) {
        const struct pt_digest thumbprint = verify_key_thumbprint(check->trust.keys[i]);
        if (pt_digest_equal(&thumbprint, kid)) return check->trust.keys[i];
    }
    return NULL;
}

static enum pt_code check_answer(struct check *check) {
    struct sealed sealed;
    struct checkpoint checkpoint;
    enum pt_code code = sealed_decode(check->evidence.answer, CLAIM_ANSWER_CONTENT_TYPE, &sealed, check->err);
    if (code != PT_OK) return code;
    const struct verify_key *ledger = trusted(check, &sealed.kid);
    if (!ledger) return bad(check, "answer", "it is signed by a key that is not in the trust file");
    if (check->genesis_hex) {
        char hex[65];
        pt_digest_hex(&sealed.genesis, hex);
        if (strcmp(hex, check->genesis_hex) != 0) return bad(check, "answer", "it is of another ledger");
    }
    check->genesis = sealed.genesis;
    code = sealed_verify(&sealed, ledger, &check->genesis, check->err);
    if (code == PT_OK) code = claim_answer_decode(sealed.payload, &check->arena, &check->answer, check->err);
    if (code == PT_OK) code = checkpoint_verify(check->evidence.checkpoint, ledger, &check->genesis, &checkpoint, check->err);
    if (code == PT_OK && checkpoint.tree_size <= check->answer.leaf_index) code = bad(check, "checkpoint", "it is older than the batch");
    return code;
}

static enum pt_code check_receipt(struct check *check, struct pt_bytes bytes, struct item *item) {
    struct receipt receipt;
    enum pt_code code = receipt_decode(bytes, &receipt, check->err);
    if (code != PT_OK) return code;
    const struct verify_key *log = trusted(check, &receipt.kid);
    if (!log) return bad(check, "receipt", "it is signed by a key that is not in the trust file");
    if (!receipt.has_genesis || !pt_digest_equal(&receipt.genesis, &check->genesis)) return bad(check, "receipt", "it is of another ledger");
    item->leaf = receipt.leaf_index;
    return receipt_verify(&receipt, log, &item->id, check->err);
}

// Keys name themselves: the thumbprint is what the statement says who signed it.
static enum pt_code check_signature(struct check *check, const struct item *item) {
    for (size_t i = 0; i < check->evidence.key_count; i++) {
        PT_CLEANUP(verify_key_cleanup) struct verify_key *key = NULL;
        if (verify_key_from_cose(check->evidence.keys[i], &key, NULL) != PT_OK) continue;
        const struct pt_digest kid = verify_key_thumbprint(key);
        if (pt_digest_equal(&kid, &item->statement.kid)) return statement_verify(&item->statement, key, &check->genesis, check->err);
    }
    return bad(check, "keys", "the key of a statement's signer is missing");
}

static enum pt_code check_items(struct check *check) {
    check->items = pt_arena_alloc(&check->arena, check->evidence.item_count, sizeof *check->items);
    if (!check->items) return pt_fail(check->err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; i < check->evidence.item_count; i++) {
        struct item *item = &check->items[i];
        item->id = statement_id(check->evidence.items[i].statement);
        enum pt_code code = statement_decode(check->evidence.items[i].statement, &item->statement, check->err);
        if (code == PT_OK) code = check_receipt(check, check->evidence.items[i].receipt, item);
        if (code == PT_OK) code = check_signature(check, item);
        if (code == PT_OK) code = statement_input_decode(&item->statement, &check->arena, &item->input, check->err);
        if (code != PT_OK) return pt_error_under(check->err, "/statements/%zu ", i), code;
        item->is_event = item->input.input.kind == KIND_EVENT;
    }
    const struct item *first = &check->items[0];
    if (first->input.input.kind != KIND_CLAIM) return bad(check, "/statements/0", "it is no batch of claims");
    if (!pt_digest_equal(&first->id, &check->answer.statement) || first->leaf != check->answer.leaf_index)
        return bad(check, "answer", "it answers another batch");
    check->batch = first->input.input.claims;
    return check->batch->line_count == check->answer.line_count ? PT_OK : bad(check, "answer", "it has other lines than the batch");
}

// --- What the lines rest on ---

static const struct item *item_at(const struct check *check, uint64_t leaf_and_one) {
    for (size_t i = 0; leaf_and_one > 0 && i < check->evidence.item_count; i++)
        if (check->items[i].leaf == leaf_and_one - 1) return &check->items[i];
    return NULL;
}

static const struct event_pack *pack_in(const struct item *item, struct pt_bytes key) {
    for (size_t i = 0; item->is_event && i < item->input.input.pack_count; i++)
        if (pt_bytes_equal(item->input.input.packs[i].key, key)) return &item->input.input.packs[i];
    return NULL;
}

static bool prescription_fits(const struct epcis_event *event, const struct claim_line *line) {
    char wanted[160], hex[65];
    bool named = false, same = false;
    pt_digest_hex(&line->prescription, hex);
    snprintf(wanted, sizeof wanted, "%s%s", PACKTRAIL_PRESCRIPTION_URI, hex);
    for (size_t i = 0; i < event->biz_transactions.count; i++) {
        const struct epcis_reference *reference = &event->biz_transactions.items[i];
        if (!reference->type || !reference->id || strcmp(reference->type, PACKTRAIL_TRANSACTION_PRESCRIPTION) != 0) continue;
        named = true;
        same = same || strcmp(reference->id, wanted) == 0;
    }
    return line->has_prescription ? same : !named;
}

// "same", or what is to be known elsewhere: a terminal's events may leave their place to its enrolment, and products under
// other codes are one by their master records alone.
static const char *place_fits(const struct epcis_event *event, const struct claim_line *line) {
    const char *place = event->biz_location.id ? event->biz_location.id : event->read_point.id;
    if (!place) return "by the device's enrolment";
    return claim_same_place(pt_bytes_str(place), pt_bytes_str(line->place)) ? "same" : NULL;
}

static const char *product_fits(const struct pack_id *id, const struct claim_line *line) {
    const char *own = master_facts_product_of(id);
    return own && strcmp(own, line->product) == 0 ? "same" : "by master records";
}

static void add_commissioning(const struct check *check, struct pt_bytes key, json_t *out) {
    for (size_t i = 0; i < check->evidence.item_count; i++) {
        const struct item *item = &check->items[i];
        const struct event_pack *pack = pack_in(item, key);
        if (!pack || lifecycle_operation_of(item->input.input.event, pack->role) != OPERATION_COMMISSION) continue;
        answer_digest(out, "commissioned", &item->id);
        answer_text(out, "commissioned_by", item->statement.issuer);
        return;
    }
    json_object_set_new(out, "commissioned", json_null());
}

// A settled line's dispensing must say what the line says; anything else and the ledger's answer was wrong.
static enum pt_code check_settled(struct check *check, const struct claim_line *line, const struct claim_line_answer *answer,
                                  const struct item *dispensing, const struct pack_id *id, struct pt_bytes key, json_t *out) {
    const struct event_pack *pack = pack_in(dispensing, key);
    const struct epcis_event *event = dispensing->input.input.event;
    if (!pack) return bad(check, line->id, "its dispensing does not name the pack");
    if (lifecycle_operation_of(event, pack->role) != OPERATION_DISPENSE) return bad(check, line->id, "what it rests on is no dispensing");
    const char *place = place_fits(event, line), *product = product_fits(id, line);
    if (!place) return bad(check, line->id, "its dispensing was at another place");
    if (!prescription_fits(event, line)) return bad(check, line->id, "its dispensing was to another prescription");
    if (answer->content == 0 || answer->settled > answer->content || line->units > answer->settled)
        return bad(check, line->id, "more is settled than the pack holds");
    struct actor nobody = {0};
    const struct contract_context context = {.signer = &nobody, .profile = ""};
    struct lifecycle_facts facts;
    lifecycle_facts_read(&dispensing->input.input, &context, &facts);
    if (facts.units > 0 && line->units > facts.units) return bad(check, line->id, "more is settled than was dispensed");
    answer_text(out, "place", pt_bytes_str(place));
    answer_text(out, "product", pt_bytes_str(product));
    answer_text(out, "prescription", pt_bytes_str(line->has_prescription ? "same" : "none"));
    answer_text(out, "dispensed_units", pt_bytes_str(facts.units ? "counted" : "the rest of the pack"));
    return PT_OK;
}

static enum pt_code explain(struct check *check, size_t number) {
    const struct claim_line *line = &check->batch->lines[number];
    const struct claim_line_answer *answer = &check->answer.lines[number];
    const struct item *dispensing = item_at(check, answer->dispensing), *other = item_at(check, answer->other);
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(PACK_KEY_MAX);
    struct pack_id id;
    json_t *out = json_object();
    json_array_append_new(check->lines, out);
    answer_text(out, "line", pt_bytes_str(line->id));
    answer_text(out, "pack", pt_bytes_str(line->pack));
    answer_text(out, "outcome", pt_bytes_str(claim_outcome_name(answer->outcome)));
    if (line->action == CLAIM_SETTLE) answer_number(out, "units", line->units);
    answer_number(out, "settled_so_far", answer->settled);
    answer_number(out, "content", answer->content);
    if (answer->reason) answer_text(out, "reason", pt_bytes_str(claim_reason_name(answer->reason)));
    if (answer->reason) answer_text(out, "explanation", pt_bytes_str(claim_reason_text(answer->reason, false)));
    if (dispensing) answer_digest(out, "dispensing", &dispensing->id);
    if (dispensing) answer_text(out, "dispensed_by", dispensing->statement.issuer);
    if (other) answer_digest(out, "other_claim", &other->id);
    if (claim_pack_id(line->pack, &id, NULL) != PT_OK || pack_id_key(&id, &key, NULL) != PT_OK) return PT_OK;
    const bool proved = answer->dispensing == 0 || dispensing;
    json_object_set_new(out, "in_this_bundle", json_boolean(proved));
    check->unproved += !proved;
    if (proved) add_commissioning(check, pt_buf_bytes(&key), out);
    if (answer->outcome == CLAIM_SETTLED && answer->dispensing == 0) return bad(check, line->id, "settled without a dispensing");
    return answer->outcome == CLAIM_SETTLED && dispensing
               ? check_settled(check, line, answer, dispensing, &id, pt_buf_bytes(&key), out) : PT_OK;
}

static enum pt_code check_bundle(struct check *check, struct pt_bytes bytes) {
    enum pt_code code = claim_evidence_decode(bytes, &check->arena, &check->evidence, check->err);
    if (code == PT_OK) code = check_answer(check);
    if (code == PT_OK) code = check_items(check);
    for (size_t i = 0; code == PT_OK && i < check->batch->line_count; i++) code = explain(check, i);
    return code;
}

// --- The command ---

static enum pt_code read_arguments(int argc, char **argv, struct check *check) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trust") == 0 && i + 1 < argc) check->trust_path = argv[++i];
        else if (strcmp(argv[i], "--genesis") == 0 && i + 1 < argc) check->genesis_hex = argv[++i];
        else if (argv[i][0] == '-' && argv[i][1]) return pt_fail(check->err, PT_USAGE, argv[i], "unknown option, or its value is missing");
        else if (check->bundle_path) return pt_fail(check->err, PT_USAGE, argv[i], "one BUNDLE at a time");
        else check->bundle_path = argv[i];
    }
    if (!check->trust_path || !check->bundle_path) return pt_fail(check->err, PT_USAGE, NULL, "--trust FILE and BUNDLE are needed");
    return PT_OK;
}

static json_t *summary(const struct check *check) {
    json_t *answer = json_object();
    answer_digest(answer, "statement", &check->answer.statement);
    answer_digest(answer, "genesis", &check->genesis);
    answer_text(answer, "batch", pt_bytes_str(check->batch->id));
    answer_text(answer, "insurer", pt_bytes_str(check->batch->insurer));
    answer_number(answer, "height", check->answer.height);
    answer_number(answer, "statements", check->evidence.item_count);
    answer_number(answer, "not_in_this_bundle", check->unproved);
    json_object_set(answer, "lines", check->lines);
    return answer;
}

static void check_free(struct check *check) {
    key_set_free(&check->trust);
    for (size_t i = 0; check->items && i < check->evidence.item_count; i++) statement_input_free(&check->items[i].input);
    pt_arena_free(&check->arena);
    json_decref(check->lines);
}

int claim_verify_command(int argc, char **argv) {
    struct pt_error err = {.position = -1};
    PT_CLEANUP(check_free) struct check check = {.arena = {.ceiling = (size_t)1024 * 1024 * 1024}, .lines = json_array(), .err = &err};
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(CLAIM_EVIDENCE_MAX + 1);
    enum pt_code code = read_arguments(argc, argv, &check);
    if (code == PT_OK) code = key_set_read(check.trust_path, &check.trust, &err);
    if (code == PT_OK) code = read_input(check.bundle_path, &bytes, &err);
    if (code != PT_OK) return command_failed("claim verify", &err);
    code = check_bundle(&check, pt_buf_bytes(&bytes));
    if (pt_exit_status(code) > 1) return command_failed("claim verify", &err);
    return answer_print("claim verify", code == PT_OK ? summary(&check) : json_object(), code, &err);
}
