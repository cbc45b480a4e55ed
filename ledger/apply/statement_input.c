#include "ledger/apply/statement_input.h"

#include "common/alert/finding.h"
#include "common/chain/rules_change.h"
#include "common/claim/claim.h"
#include "common/epcis/epcis_json.h"
#include "common/epcis/epcis_validate.h"
#include "common/epcis/event_cbor.h"
#include "common/recall/recall_notice.h"
#include "ledger/contracts/event_packs.h"

static bool is(struct pt_bytes content_type, const char *wanted) { return pt_bytes_equal(content_type, pt_bytes_str(wanted)); }

static enum pt_code cbor_event(struct pt_bytes payload, struct pt_arena *arena, struct epcis_event **out, struct pt_error *err) {
    struct epcis_event *event = pt_arena_alloc(arena, 1, sizeof *event);
    if (!event) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    *out = event;
    const enum pt_code code = epcis_cbor_decode(payload, arena, event, err);
    return code == PT_OK ? epcis_event_validate(event, err) : code;
}

static enum pt_code json_event(struct pt_bytes payload, struct pt_arena *arena, struct epcis_event **out, struct pt_error *err) {
    struct epcis_document document;
    const enum pt_code code = epcis_json_decode(payload, STATEMENT_MAX, EPCIS_FOR_CAPTURE, arena, &document, err);
    if (code != PT_OK) return code;
    if (document.event_count != 1) return pt_fail(err, PT_INVALID, NULL, "a statement holds exactly one event");
    *out = document.events;
    return PT_OK;
}

static enum pt_code event_input(struct epcis_event *event, struct pt_arena *arena, struct contract_input *out, struct pt_error *err) {
    struct event_pack *packs;
    out->kind = KIND_EVENT;
    out->event = event;
    const enum pt_code code = event_packs_of(event, arena, &packs, &out->pack_count, err);
    out->packs = packs;
    return code;
}

static enum pt_code decode(const struct statement *statement, struct pt_arena *arena, struct statement_input *out,
                           struct pt_error *err) {
    struct epcis_event *event = NULL;
    enum pt_code code;
    *out = (struct statement_input){0};
    out->input.payload = statement->payload;
    if (is(statement->content_type, STATEMENT_EVENT_CBOR)) {
        code = cbor_event(statement->payload, arena, &event, err);
        return code == PT_OK ? event_input(event, arena, &out->input, err) : code;
    }
    if (is(statement->content_type, STATEMENT_EVENT_JSON)) {
        code = json_event(statement->payload, arena, &event, err);
        return code == PT_OK ? event_input(event, arena, &out->input, err) : code;
    }
    if (is(statement->content_type, STATEMENT_ENROLMENT)) {
        out->input.kind = KIND_ENROLMENT;
        out->input.actor = &out->actor;
        return actor_decode(statement->payload, &out->actor, err);
    }
    if (is(statement->content_type, STATEMENT_REVOCATION)) {
        out->input.kind = KIND_REVOCATION;
        out->input.revocation = &out->revocation;
        return revocation_decode(statement->payload, &out->revocation, err);
    }
    if (is(statement->content_type, STATEMENT_MASTER)) {
        struct master_record *record = pt_arena_alloc(arena, 1, sizeof *record);
        if (!record) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        out->input.kind = KIND_MASTER;
        out->input.master = record;
        return master_decode(statement->payload, arena, record, err);
    }
    if (is(statement->content_type, STATEMENT_RULES)) {
        struct rules_change *change = pt_arena_alloc(arena, 1, sizeof *change);
        if (!change) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        out->input.kind = KIND_RULES;
        out->input.rules = change;
        return rules_change_decode(statement->payload, arena, change, err);
    }
    if (is(statement->content_type, STATEMENT_RECALL)) {
        struct recall_notice *notice = pt_arena_alloc(arena, 1, sizeof *notice);
        if (!notice) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        out->input.kind = KIND_RECALL;
        out->input.recall = notice;
        return recall_notice_decode(statement->payload, arena, notice, err);
    }
    if (is(statement->content_type, STATEMENT_CLAIM)) {
        struct claim_batch *batch = pt_arena_alloc(arena, 1, sizeof *batch);
        if (!batch) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        out->input.kind = KIND_CLAIM;
        out->input.claims = batch;
        return claim_batch_decode(statement->payload, arena, batch, err);
    }
    if (is(statement->content_type, STATEMENT_FINDING)) {
        struct alert_finding *finding = pt_arena_alloc(arena, 1, sizeof *finding);
        if (!finding) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        out->input.kind = KIND_FINDING;
        out->input.finding = finding;
        return finding_decode(statement->payload, arena, finding, err);
    }
    return pt_fail(err, PT_INVALID, NULL, "a statement of a kind that this rule version does not know");
}

enum pt_code statement_input_decode(const struct statement *statement, struct pt_arena *arena, struct statement_input *out,
                                    struct pt_error *err) {
    const size_t ceiling = arena->ceiling;
    arena->ceiling = arena->used + STATEMENT_INPUT_ROOM;
    arena->full = false;
    const enum pt_code code = decode(statement, arena, out, err);
    arena->ceiling = ceiling;
    if (code == PT_NO_MEMORY && arena->full) return pt_fail(err, PT_LIMIT, NULL, "a statement says more than can be held at once");
    return code;
}

void statement_input_free(struct statement_input *input) { actor_free(&input->actor); }
