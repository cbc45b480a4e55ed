#include "tests/unit/work/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cose/statement.h"
#include "common/epcis/epcis_validate.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/packtrail_terms.h"

struct world world;
static const struct pt_digest genesis = {{7}};

// --- The world in the place of the real reference, recall list and clock ---

struct reference { int none; };
struct recall_list { int none; };
struct clock_guard { int none; };
static struct reference the_reference;
static struct recall_list the_recalls;
static struct clock_guard the_clock;

static struct master_level aspirin_levels[] = {{1, 24, GTIN_A, CN_SMALL}, {2, 240, GTIN_A_CASE, CN_MIDDLE}};
static struct master_level other_levels[] = {{1, 10, GTIN_B, NULL}};

static bool product_named(const char *code, struct master_record *out) {
    *out = (struct master_record){.kind = MASTER_PRODUCT, .version = 1};
    if (strcmp(code, GTIN_A) == 0 || strcmp(code, GTIN_A_CASE) == 0 || strcmp(code, CN_SMALL) == 0 || strcmp(code, CN_MIDDLE) == 0)
        out->product = (struct master_product){.id = "https://id.gs1.org/01/" GTIN_A, .name = {"阿司匹林", "Aspirin"}, .levels = {aspirin_levels, 2}};
    else if (strcmp(code, GTIN_B) == 0)
        out->product = (struct master_product){.id = "https://id.gs1.org/01/" GTIN_B, .name = {"布洛芬", "Ibuprofen"}, .levels = {other_levels, 1}};
    else return false;
    return true;
}

enum pt_code reference_record(struct reference *reference, enum master_kind kind, const char *identifier, pt_millis at, struct pt_arena *arena,
                              struct master_record *out, struct pt_error *err) {
    (void)reference;
    (void)at;
    (void)arena;
    return kind == MASTER_PRODUCT && product_named(identifier, out) ? PT_OK : pt_fail(err, PT_NOT_FOUND, NULL, "nothing is known");
}

enum pt_code reference_product(struct reference *reference, const struct pack_id *pack, pt_millis at, struct pt_arena *arena,
                               struct master_record *out, struct pt_error *err) {
    return reference_record(reference, MASTER_PRODUCT, pack->product, at, arena, out, err);
}

void reference_status(struct reference *reference, struct reference_status *out) {
    (void)reference;
    *out = (struct reference_status){.products = 2, .read = NOW};
}

enum pt_code reference_notice_done(struct reference *reference, const struct pt_digest *id, struct pt_error *err) {
    (void)reference;
    (void)id;
    (void)err;
    world.notices_done++;
    return PT_OK;
}

bool recall_list_covers(struct recall_list *list, const struct pack_id *pack, const char *lot, struct recall_warning *out) {
    (void)list;
    (void)lot;
    const bool certain = world.recalled && strcmp(pack->serial, world.recalled) == 0;
    if (!certain && !(world.maybe_recalled && strcmp(pack->serial, world.maybe_recalled) == 0)) return false;
    *out = (struct recall_warning){.id = "R1", .level = 1, .certain = certain, .lots = "L1"};
    return true;
}

pt_millis clock_guard_now(struct clock_guard *guard) {
    (void)guard;
    return world.now;
}

void clock_guard_status(struct clock_guard *guard, struct clock_status *out) {
    (void)guard;
    *out = (struct clock_status){.state = CLOCK_GOOD, .error_s = world.clock_error_s};
}

static pt_millis world_now(void *ctx) {
    (void)ctx;
    return world.now;
}

static enum pt_code no_random(void *ctx, uint8_t *out, size_t len, struct pt_error *err) {
    (void)ctx;
    (void)err;
    memset(out, 4, len);
    return PT_OK;
}

// --- The terminal ---

static struct signer *device_key(void) {
    static struct signer key;
    struct pt_error err = {0};
    if (key.key) return &key;
    struct pt_buf pem = PT_BUF_INIT(4096);
    assert_ok(signer_mbedtls_generate(&pem, &err), &err);
    assert_ok(signer_mbedtls_from_pem(pt_buf_bytes(&pem), &key, &err), &err);
    pt_buf_free(&pem);
    return &key;
}

static void open_stores(struct bench *bench) {
    const struct outbox_options options = {
        .genesis = genesis, .device = device_key(), .issuer = "urn:packtrail:party:test:1", .most_bytes = bench->outbox_bytes};
    assert_ok(outbox_open(disk_fake_disk(bench->outbox_disk), &options, &bench->outbox, &bench->err), &bench->err);
    assert_ok(history_open(disk_fake_disk(bench->history_disk), 1 << 22, &bench->history, &bench->err), &bench->err);
    bench->services.outbox = bench->outbox;
    bench->services.history = bench->history;
}

static void close_stores(struct bench *bench) {
    work_close(bench->work);
    bench->work = NULL;
    outbox_close(bench->outbox);
    history_close(bench->history);
}

struct bench *bench_open(const char *profile) {
    static const struct pt_env env = {world_now, no_random, NULL};
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    world = (struct world){.now = NOW, .clock_error_s = -1};
    bench->disk = disk_fake_new();
    bench->outbox_disk = disk_fake_new();
    bench->history_disk = disk_fake_new();
    bench->outbox_bytes = 1 << 30;
    bench->services = (struct work_services){
        .place = "https://id.gs1.org/414/6901234000009", .party = "urn:packtrail:party:test:1", .profile = profile, .zone_minutes = 480,
        .most_packs = 500, .env = &env, .clock = &the_clock, .recalls = &the_recalls, .reference = &the_reference,
        .disk = disk_fake_disk(bench->disk),
    };
    open_stores(bench);
    return bench;
}

void bench_close(struct bench *bench) {
    close_stores(bench);
    disk_fake_free(bench->disk);
    disk_fake_free(bench->outbox_disk);
    disk_fake_free(bench->history_disk);
    free(bench);
}

void bench_restart(struct bench *bench, uint64_t *cut) {
    close_stores(bench);
    struct disk_fake *disks[] = {bench->disk, bench->outbox_disk, bench->history_disk};
    for (size_t i = 0; cut && i < 3; i++) disk_fake_crash(disks[i], cut);
    open_stores(bench);
}

struct work_start bench_start(const char *task) { return (struct work_start){.task = task_by_name(task)}; }

void bench_begin(struct bench *bench, const struct work_start *start) {
    assert_ok(work_begin(&bench->services, start, &bench->work, &bench->err), &bench->err);
}

// --- Codes and answers ---

const char *label(const char *gtin, const char *serial, const char *lot, const char *expiry) {
    static char texts[4][160];
    static unsigned turn;
    char *text = texts[turn++ % 4];
    int at = snprintf(text, sizeof texts[0], "(01)%s", gtin);
    if (expiry) at += snprintf(text + at, sizeof texts[0] - (size_t)at, "(17)%s", expiry);
    if (lot) at += snprintf(text + at, sizeof texts[0] - (size_t)at, "(10)%s", lot);
    snprintf(text + at, sizeof texts[0] - (size_t)at, "(21)%s", serial);
    return text;
}

struct pack_id pack(const char *gtin, const char *serial) {
    struct pack_id id = {.kind = strlen(gtin) == 14 ? PACK_SGTIN : PACK_CN_TRACE};
    snprintf(id.product, sizeof id.product, "%s", gtin);
    snprintf(id.serial, sizeof id.serial, "%s", serial);
    return id;
}

struct work_answer scan(struct bench *bench, const char *code) {
    struct work_answer answer;
    assert_ok(work_scan(bench->work, pt_bytes_str(code), NULL, &answer, &bench->err), &bench->err);
    return answer;
}

void expect_scan(struct bench *bench, const char *code, enum work_verdict verdict, enum work_tone tone, bool taken) {
    const struct work_answer answer = scan(bench, code);
    if (answer.verdict != verdict || answer.tone != tone || answer.taken != taken)
        fail_msg("%s: verdict %d tone %d taken %d (%s), expected %d %d %d", code, (int)answer.verdict, (int)answer.tone, answer.taken,
                 answer.why.what, (int)verdict, (int)tone, taken);
}

struct work_signed finish(struct bench *bench) {
    struct work_signed out;
    assert_ok(work_finish(bench->work, &out, &bench->err), &bench->err);
    return out;
}

struct work_counts counts(const struct bench *bench) {
    struct work_counts out;
    work_counts(bench->work, &out);
    return out;
}

// --- What was signed ---

uint64_t events_signed(struct bench *bench) {
    struct outbox_status status;
    outbox_status(bench->outbox, &status);
    return status.next_sequence;
}

struct epcis_event event_at(struct bench *bench, uint64_t sequence, struct pt_arena *arena) {
    struct pt_buf bytes = PT_BUF_INIT(STATEMENT_MAX);
    struct statement statement;
    struct epcis_event event;
    assert_ok(outbox_read(bench->outbox, sequence, &bytes, &bench->err), &bench->err);
    assert_ok(statement_decode(pt_buf_bytes(&bytes), &statement, &bench->err), &bench->err);
    assert_ok(statement_verify(&statement, device_key()->key, &genesis, &bench->err), &bench->err);
    uint8_t *copy = pt_arena_alloc(arena, statement.payload.len, 1);
    assert_non_null(copy);
    memcpy(copy, statement.payload.data, statement.payload.len);
    assert_ok(epcis_cbor_decode(pt_bytes_of(copy, statement.payload.len), arena, &event, &bench->err), &bench->err);
    assert_ok(epcis_event_validate(&event, &bench->err), &bench->err);
    pt_buf_free(&bytes);
    return event;
}

static const struct epcis_value *term(const struct epcis_event *event, const char *name) {
    for (size_t i = 0; i < event->extensions.count; i++)
        if (strcmp(event->extensions.items[i].ns, PACKTRAIL_TERMS_NAMESPACE) == 0 && strcmp(event->extensions.items[i].local, name) == 0)
            return &event->extensions.items[i].value;
    return NULL;
}

const char *term_text(const struct epcis_event *event, const char *name, size_t number) {
    const struct epcis_value *value = term(event, name);
    if (!value) return "";
    if (value->kind == EPCIS_TEXT) return number == 0 ? value->text : "";
    return value->kind == EPCIS_LIST && number < value->count ? value->items[number].text : "";
}

int64_t term_number(const struct epcis_event *event, const char *name) {
    const struct epcis_value *value = term(event, name);
    return value && value->kind == EPCIS_NUMBER ? value->number.integer : -1;
}
