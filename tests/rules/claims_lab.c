#include "tests/rules/claims_lab.h"

#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/cose/cbor.h"
#include "common/epcis/packtrail_terms.h"
#include "common/identify/pack_id.h"
#include "common/master/master.h"
#include "tests/support/support.h"

static void say_product(struct claims_lab *lab, const char *id, const char *gtin, const char *also, const char *insurance_code) {
    struct master_level levels[1] = {{.level = 1, .units = 24, .gtin = gtin}};
    const char *others[1] = {also};
    const struct master_record record = {.kind = MASTER_PRODUCT, .version = 1, .valid_from = RULES_LAB_START,
                                         .product = {.id = id, .name = {.en = "a product"}, .levels = {levels, 1},
                                                     .insurance_code = insurance_code, .other_gtins = {others, also ? 1 : 0}}};
    assert_int_equal(rules_lab_master(lab->lab, lab->operator, &record), RESULT_APPLIED);
}

static void say_insurer(struct claims_lab *lab, const char *party) {
    const struct master_record record = {.kind = MASTER_PARTY, .version = 1, .valid_from = RULES_LAB_START,
                                         .party = {.id = party, .name = {.en = "an insurer"}, .roles = 1u << MASTER_INSURER}};
    assert_int_equal(rules_lab_master(lab->lab, lab->operator, &record), RESULT_APPLIED);
}

struct claims_lab claims_lab_new(const char *profile) {
    struct claims_lab lab = {.lab = rules_lab_new(profile, RULE_VERSION_NEWEST, 0)};
    lab.operator= rules_lab_enrol(lab.lab, ACTOR_OPERATOR, "urn:packtrail:party:association", NULL);
    lab.maker = rules_lab_enrol(lab.lab, ACTOR_COMPANY, "urn:packtrail:party:maker", NULL);
    lab.till = rules_lab_enrol(lab.lab, ACTOR_DEVICE, "urn:packtrail:party:pharmacy", CLAIMS_PLACE);
    lab.other_till = rules_lab_enrol(lab.lab, ACTOR_DEVICE, "urn:packtrail:party:elsewhere", "urn:packtrail:place:elsewhere");
    lab.insurers[0] = rules_lab_enrol(lab.lab, ACTOR_COMPANY, "urn:packtrail:party:insurer0", NULL);
    lab.insurers[1] = rules_lab_enrol(lab.lab, ACTOR_COMPANY, "urn:packtrail:party:insurer1", NULL);
    lab.company = rules_lab_enrol(lab.lab, ACTOR_COMPANY, "urn:packtrail:party:company", NULL);
    say_product(&lab, "https://id.gs1.org/01/" CLAIMS_GTIN, CLAIMS_GTIN, CLAIMS_SAME_GTIN, "XA01ABCDE");
    say_product(&lab, "https://id.gs1.org/01/" CLAIMS_OTHER_GTIN, CLAIMS_OTHER_GTIN, NULL, "XB02FGHIJ");
    say_insurer(&lab, "urn:packtrail:party:insurer0");
    say_insurer(&lab, "urn:packtrail:party:insurer1");
    return lab;
}

void claims_lab_free(struct claims_lab *lab) { rules_lab_free(lab->lab); }

const char *claims_uri(const char *serial) {
    static char texts[64][96];
    static unsigned at;
    char *text = texts[at++ % 64];
    if (strchr(serial, ':')) return serial;  // a URI of its own
    snprintf(text, sizeof texts[0], "https://id.gs1.org/01/%s/21/%s", CLAIMS_GTIN, serial);
    return text;
}

enum statement_result claims_say(struct claims_lab *lab, const struct claims_event *say) {
    const char *uri = claims_uri(say->serial);
    char commitment[160];
    struct epcis_member units = {.ns = PACKTRAIL_TERMS_NAMESPACE, .prefix = PACKTRAIL_TERMS_PREFIX, .local = PACKTRAIL_TERM_UNITS,
                                 .value = {.kind = EPCIS_NUMBER, .number = {true, true, say->units, (double)say->units}}};
    struct epcis_reference prescription = {.type = PACKTRAIL_TRANSACTION_PRESCRIPTION, .id = commitment};
    struct epcis_event event = {.type = EPCIS_OBJECT, .action = EPCIS_OBSERVE, .biz_step = say->step, .disposition = say->disposition,
                                .event_time = {.seconds = RULES_LAB_START / 1000 + say->seconds}, .has_event_time = true,
                                .has_event_time_zone_offset = true, .event_id = say->id, .epcs = {&uri, 1},
                                .biz_location = {.id = say->place}};
    if (strcmp(say->step, "commissioning") == 0) event.action = EPCIS_ADD;
    if (say->units) event.extensions = (struct epcis_members){&units, 1};
    if (say->undo) event.error_declaration = (struct epcis_error_declaration){.present = true, .declaration_time = event.event_time};
    if (say->prescription) {
        char hex[65];
        pt_digest_hex(say->prescription, hex);
        snprintf(commitment, sizeof commitment, "%s%s", PACKTRAIL_PRESCRIPTION_URI, hex);
        event.biz_transactions = (struct epcis_references){&prescription, 1};
    }
    return rules_lab_event(lab->lab, say->signer ? say->signer : lab->till, &event);
}

void claims_commission(struct claims_lab *lab, const char *serial) {
    const struct claims_event event = {.serial = serial, .step = "commissioning", .signer = lab->maker};
    assert_int_equal(claims_say(lab, &event), RESULT_APPLIED);
}

enum statement_result claims_dispense(struct claims_lab *lab, const char *serial, int64_t seconds, int64_t units) {
    const struct claims_event event = {.serial = serial, .step = "dispensing", .seconds = seconds, .units = units,
                                       .disposition = units ? "partially_dispensed" : "dispensed"};
    return claims_say(lab, &event);
}

struct claim_line claims_line(const char *id, const char *serial) {
    return (struct claim_line){.id = id, .action = CLAIM_SETTLE, .pack = claims_uri(serial), .event_time = RULES_LAB_START,
                               .product_kind = CLAIM_GTIN, .product = CLAIMS_GTIN, .units = 24, .place = CLAIMS_PLACE};
}

struct claim_line claims_reversal(const char *id, const char *serial) {
    return (struct claim_line){.id = id, .action = CLAIM_REVERSE, .pack = claims_uri(serial), .event_time = RULES_LAB_START};
}

static void read_answers(struct claims_lab *lab, uint64_t leaf, size_t count, struct claim_line_answer *answers) {
    uint8_t text[16];
    struct pt_buf key = PT_BUF_OVER(text);
    struct pt_bytes value;
    claim_key_batch(leaf, &key);
    assert_true(rules_lab_get(lab->lab, STATE_CLAIM, pt_buf_bytes(&key), &value));
    struct cbor_reader reader = cbor_reader_of(value, true, NULL);
    assert_int_equal(cbor_get_array(&reader, CLAIM_LINES_MAX), count);
    for (size_t i = 0; i < count; i++) claim_line_answer_get(&reader, &answers[i]);
    assert_int_equal(cbor_finish(&reader), PT_OK);
}

enum statement_result claims_batch(struct claims_lab *lab, unsigned insurer, const struct claim_line *lines, size_t count,
                                   struct claim_line_answer *answers) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(CLAIM_BATCH_MAX);
    static struct claim_line copies[CLAIM_LINES_MAX];
    struct claim_batch batch = {.id = "B", .insurer = lab->insurers[insurer]->party, .lines = copies, .line_count = count}, decoded;
    struct pt_error err;
    assert_true(count <= CLAIM_LINES_MAX);
    memcpy(copies, lines, count * sizeof *lines);
    assert_ok(claim_batch_encode(&batch, &payload, &err), &err);
    assert_ok(claim_batch_decode(pt_buf_bytes(&payload), &arena, &decoded, &err), &err);
    const struct contract_input input = {.kind = KIND_CLAIM, .claims = &decoded, .payload = pt_buf_bytes(&payload)};
    const uint64_t leaf = lab->lab->statements;
    const enum statement_result result = rules_lab_apply(lab->lab, lab->insurers[insurer], &input);
    if (result == RESULT_APPLIED || result == RESULT_ALERTED) read_answers(lab, leaf, count, answers);
    return result;
}

struct claim_line_answer claims_one(struct claims_lab *lab, unsigned insurer, struct claim_line line) {
    struct claim_line_answer answer = {0};
    const enum statement_result result = claims_batch(lab, insurer, &line, 1, &answer);
    assert_true(result == RESULT_APPLIED || result == RESULT_ALERTED);
    return answer;
}

bool claims_look(struct claims_lab *lab, const char *serial, struct pt_arena *arena, struct claim_pack *out) {
    uint8_t pack[PACK_KEY_MAX + 1], text[PACK_KEY_MAX + 3];
    struct pt_buf pack_key = PT_BUF_OVER(pack), key = PT_BUF_OVER(text);
    struct pack_id id;
    struct pt_bytes value;
    struct pt_error err;
    assert_ok(pack_id_from_uri(pt_bytes_str(claims_uri(serial)), &id, &err), &err);
    assert_ok(pack_id_key(&id, &pack_key, &err), &err);
    claim_key_pack(pt_buf_bytes(&pack_key), &key);
    if (!rules_lab_get(lab->lab, STATE_CLAIM, pt_buf_bytes(&key), &value)) return false;
    assert_ok(claim_pack_decode(value, arena, out, &err), &err);
    claim_pack_grant(out, 24);
    return true;
}
