// The whole way from a signed payload to the state: decoded, run through the contracts in force, on a small trade in being.
// Input: statements, each as kind and signer (1 byte), length (2 bytes, big-endian), payload.
#include <stdlib.h>

#include "ledger/apply/statement_input.h"
#include "tests/rules/rules_say.h"

#define STATEMENTS_MOST 16u
#define PACK "https://id.gs1.org/01/06901234567892/21/A1"
#define OTHER "https://id.gs1.org/01/06901234567892/21/A2"
#define SOLD "https://id.gs1.org/01/06901234567892/21/A3"
#define CASE "https://id.gs1.org/00/069012340000000016"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rules_lab *lab;
static const struct actor *signers[4];
static struct rules_lab_snapshot *start;

static const char *const kinds[] = {STATEMENT_EVENT_CBOR, STATEMENT_EVENT_JSON, STATEMENT_MASTER, STATEMENT_RULES, STATEMENT_RECALL,
                                    STATEMENT_CLAIM,      STATEMENT_FINDING,    STATEMENT_ENROLMENT};

// A product with its record, a case with two packs on its way, a pack that was sold.
static void begin(void) {
    lab = rules_lab_new("cn", RULE_VERSION_NEWEST, 0);
    signers[0] = rules_lab_enrol(lab, ACTOR_DEVICE, "urn:packtrail:party:p1", "urn:packtrail:place:p1");
    signers[1] = rules_lab_enrol(lab, ACTOR_COMPANY, "urn:packtrail:party:maker", NULL);
    signers[2] = rules_lab_enrol(lab, ACTOR_OPERATOR, "urn:packtrail:party:operator", NULL);
    signers[3] = rules_lab_enrol(lab, ACTOR_COMPANY, "urn:packtrail:party:insurer", NULL);
    struct master_level level = {.level = 1, .units = 10, .gtin = "06901234567892"};
    const struct master_record product = {.kind = MASTER_PRODUCT, .version = 1, .valid_from = RULES_LAB_START,
                                          .product = {.id = "urn:packtrail:product:1", .name = {.en = "tablets"}, .levels = {&level, 1},
                                                      .holder = "urn:packtrail:party:maker", .smallest_unit = {.en = "tablet"}}};
    if (rules_lab_master(lab, signers[1], &product) != RESULT_APPLIED) abort();
    rules_say(lab, signers[1], &(struct say){.action = EPCIS_ADD, .step = "commissioning", .epcs = {PACK, OTHER, SOLD}, .lot = "L1", .expiry = "2027-06-30", .content = 10});
    rules_say(lab, signers[0], &(struct say){.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .step = "packing", .parent = CASE, .epcs = {PACK, OTHER}, .seconds = 60});
    rules_say(lab, signers[0], &(struct say){.step = "shipping", .epcs = {CASE}, .seconds = 120});
    rules_say(lab, signers[0], &(struct say){.step = "dispensing", .epcs = {SOLD}, .units = 4, .seconds = 180});
    start = rules_lab_save(lab);
}

static bool kept(enum statement_result result) { return result == RESULT_APPLIED || result == RESULT_ALERTED; }

static void apply(const char *kind, const struct actor *signer, struct pt_bytes payload) {
    struct pt_arena arena = {0};
    struct statement_input input;
    struct pt_error err;
    const struct statement statement = {.content_type = pt_bytes_str(kind), .payload = payload, .kid = signer->kid};
    const enum pt_code code = statement_input_decode(&statement, &arena, &input, &err);
    if (code == PT_OK) {
        const struct pt_digest before = rules_lab_digest(lab);
        const enum statement_result result = rules_lab_apply(lab, signer, &input.input);
        const struct pt_digest after = rules_lab_digest(lab);
        // What is refused has changed nothing; what raises alerts says so.
        if (!kept(result) && result != RESULT_MALFORMED && result != RESULT_NOT_ALLOWED) abort();
        if (!kept(result) && !pt_digest_equal(&before, &after)) abort();
        if (kept(result) && (result == RESULT_ALERTED) != (lab->output.alert_count > 0)) abort();
    } else if (code == PT_INTERNAL) {
        abort();
    }
    statement_input_free(&input);
    pt_arena_free(&arena);
}

static struct pt_digest apply_all(const uint8_t *data, size_t size) {
    rules_lab_restore(lab, start);
    for (unsigned i = 0; i < STATEMENTS_MOST && size >= 3; i++) {
        size_t len = (size_t)data[1] << 8 | data[2];
        if (len > size - 3) len = size - 3;
        apply(kinds[data[0] % 8], signers[data[0] / 8 % 4], pt_bytes_of(data + 3, len));
        if (data[0] & 0x80) rules_lab_next_block(lab);
        data += 3 + len;
        size -= 3 + len;
    }
    return rules_lab_digest(lab);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!lab) begin();
    const struct pt_digest once = apply_all(data, size), again = apply_all(data, size);
    if (!pt_digest_equal(&once, &again)) abort();
    return 0;
}
