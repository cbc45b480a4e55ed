// How fast a recall's reach is counted over millions of packs, in cases on pallets at hundreds of places, and what a
// block that comes in meanwhile waits. The pack table is filled directly: what is measured is the reading. One JSON line.
//
//   bench-recall PACKS
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/contracts/lifecycle_table.h"
#include "ledger/ledger_internal.h"
#include "ledger/query/recalls.h"
#include "ledger/state/pack_record.h"
#include "ledger/state/varint.h"
#include "tests/bench/bench.h"

#define GTIN "06901234567892"
enum { CASE = 100, PALLET = 5000, PLACES = 500, LOTS = 20, BATCH = 20000, FIRST_PLACE = 1, THE_PARTY = FIRST_PLACE + PLACES,
       FIRST_LOT, FIRST_CONTAINER = FIRST_LOT + LOTS };

static struct signer node, operator;
static uint64_t sequence;
static struct pt_digest previous;

static struct actor actor_of(const struct signer *signer, enum actor_role role) {
    struct actor actor = {.role = role, .name = "bench", .party = "urn:packtrail:party:1", .kid = verify_key_thumbprint(signer->key)};
    actor.tls = actor.kid;
    pt_buf_init(&actor.key, 1024);
    verify_key_to_cose(signer->key, &actor.key);
    return actor;
}

static void make_signer(struct signer *out) {
    struct pt_error err = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf pem = PT_BUF_INIT(4096);
    bench_ok(signer_openssl_generate(&pem, &err), &err);
    bench_ok(signer_openssl_from_pem(pt_buf_bytes(&pem), out, &err), &err);
}

static void found(const char *dir, struct pt_buf *genesis_bytes) {
    struct pt_error err = {0};
    make_signer(&node);
    make_signer(&operator);
    struct actor actors[2] = {actor_of(&node, ACTOR_EXECUTOR), actor_of(&operator, ACTOR_OPERATOR)};
    struct genesis genesis = {.name = "bench", .time = bench_now_ms(), .profile = "cn", .rule_version = RULE_VERSION_NEWEST, .actors = actors,
                              .actor_count = 2};
    bench_ok(genesis_encode(&genesis, genesis_bytes, &err), &err);
    bench_ok(ledger_init(dir, pt_buf_bytes(genesis_bytes), (struct pt_bytes){0}, &err), &err);
    for (size_t i = 0; i < 2; i++) actor_free(&actors[i]);
}

// --- Filling the index ---

struct filler {
    struct index_store index;
    struct state_change *changes;
    struct pt_buf bytes;   // keys and values; never moves: reserved at once
    size_t count;
};

static struct pt_bytes keep(struct filler *filler, struct pt_bytes bytes) {
    const size_t at = filler->bytes.len;
    pt_buf_append_bytes(&filler->bytes, bytes);
    return pt_bytes_of(filler->bytes.data + at, bytes.len);
}

static void flush(struct filler *filler) {
    struct pt_error err = {0};
    state_changes_sort(filler->changes, filler->count);
    bench_ok(filler->index.put(&filler->index, filler->changes, filler->count, &err), &err);
    filler->count = 0;
    filler->bytes.len = 0;
}

static void put(struct filler *filler, unsigned table, struct pt_bytes key, struct pt_bytes value) {
    filler->changes[filler->count++] = (struct state_change){.table = (enum state_table)table, .key = keep(filler, key), .value = keep(filler, value)};
    if (filler->count == BATCH) flush(filler);
}

static void put_name(struct filler *filler, enum name_kind kind, uint64_t number, struct pt_bytes text) {
    PT_CLEANUP(pt_buf_free) struct pt_buf named = PT_BUF_INIT(1024), value = PT_BUF_INIT(16);
    uint8_t key[9] = {0};
    be64_put(number, key + 1);
    pt_buf_byte(&named, (uint8_t)kind);
    pt_buf_append_bytes(&named, text);
    varint_put(&value, number);
    put(filler, STATE_NAME, pt_bytes_of(key, 9), pt_buf_bytes(&named));
    put(filler, STATE_NAME, pt_buf_bytes(&named), pt_buf_bytes(&value));
}

static void put_pack(struct filler *filler, const struct pack_id *id, const struct pack_record *record) {
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(PACK_KEY_MAX), value = PT_BUF_INIT(PACK_RECORD_MAX);
    struct pt_error err = {0};
    bench_ok(pack_id_key(id, &key, &err), &err);
    pack_record_encode(record, &value);
    put(filler, STATE_PACK, pt_buf_bytes(&key), pt_buf_bytes(&value));
}

static struct pack_id sscc(uint64_t number) {
    struct pack_id id = {.kind = PACK_SSCC, .product = "0690123"};
    snprintf(id.serial, sizeof id.serial, "%011" PRIu64, number);
    return id;
}

static uint64_t container(struct filler *filler, uint64_t number, uint64_t inside, uint64_t place, int64_t now) {
    const struct pack_id id = sscc(number);
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(PACK_KEY_MAX);
    struct pt_error err = {0};
    const struct pack_record record = {.state = inside ? LIFECYCLE_COMMISSIONED : LIFECYCLE_IN_STOCK, .flags = PACK_FLAG_CONTAINER, .last = 7,
                                       .place = inside ? 0 : place, .party = THE_PARTY, .parent = inside, .event_seconds = now};
    bench_ok(pack_id_key(&id, &key, &err), &err);
    put_name(filler, NAME_CONTAINER, FIRST_CONTAINER + number, pt_buf_bytes(&key));
    put_pack(filler, &id, &record);
    return FIRST_CONTAINER + number;
}

static void fill(const char *dir, uint64_t packs) {
    char path[512], text[96];
    struct pt_error err = {0};
    struct filler filler = {.changes = calloc(BATCH + 1, sizeof *filler.changes), .bytes = PT_BUF_INIT((size_t)64 * 1024 * 1024)};
    const int64_t now = bench_now_ms() / 1000;
    uint64_t height, containers = 0, pallet = 0, box = 0;
    bool any;
    if (!filler.changes || !pt_buf_extend(&filler.bytes, (size_t)48 * 1024 * 1024)) bench_stop("out of memory");
    filler.bytes.len = 0;
    snprintf(path, sizeof path, "%s/" LEDGER_INDEX_FILE, dir);
    bench_ok(index_sqlite_open(path, (uint64_t)256 * 1024 * 1024, &filler.index, &err), &err);
    bench_ok(filler.index.applied(&filler.index, &any, &height, &err), &err);
    bench_ok(filler.index.begin(&filler.index, &err), &err);
    for (uint64_t i = 0; i < PLACES; i++) {
        snprintf(text, sizeof text, "urn:packtrail:place:p%" PRIu64, i);
        put_name(&filler, NAME_PLACE, FIRST_PLACE + i, pt_bytes_str(text));
    }
    put_name(&filler, NAME_PARTY, THE_PARTY, pt_bytes_str("urn:packtrail:party:1"));
    for (uint64_t i = 0; i < LOTS; i++) {
        snprintf(text, sizeof text, "LOT%" PRIu64, i);
        put_name(&filler, NAME_LOT, FIRST_LOT + i, pt_bytes_str(text));
    }
    for (uint64_t i = 0; i < packs; i++) {
        const uint64_t place = FIRST_PLACE + i / PALLET % PLACES;
        if (i % PALLET == 0) pallet = container(&filler, containers++, 0, place, now);
        if (i % CASE == 0) box = container(&filler, containers++, pallet, place, now);
        const bool sold = i % 3 == 0;
        struct pack_id id = {.kind = PACK_SGTIN, .product = GTIN};
        snprintf(id.serial, sizeof id.serial, "%012" PRIu64, i);
        const struct pack_record record = {.state = sold ? LIFECYCLE_DISPENSED : LIFECYCLE_COMMISSIONED, .flags = PACK_FLAG_ANNOUNCED, .last = 7 + i,
                                           .place = sold ? place : 0, .party = THE_PARTY, .lot = FIRST_LOT + i / 1000 % LOTS, .expiry = 10000,
                                           .content = 24, .parent = sold ? 0 : box, .operation = sold ? OPERATION_DISPENSE : OPERATION_PACK,
                                           .event_seconds = now, .seen_seconds = now};
        put_pack(&filler, &id, &record);
    }
    flush(&filler);
    bench_ok(filler.index.commit(&filler.index, height, &err), &err);
    filler.index.close(&filler.index);
    pt_buf_free(&filler.bytes);
    free(filler.changes);
}

// --- Measuring ---

static void recall(struct ledger *ledger, const char *id, const char *product, const char *lot) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(RECALL_NOTICE_MAX), statement = PT_BUF_INIT(STATEMENT_MAX);
    struct pt_error err = {0};
    uint8_t result;
    uint64_t height;
    const struct recall_notice notice = {.id = id, .version = 1, .action = RECALL_BEGIN, .level = 1, .products = &product, .product_count = 1,
                                         .scope = {.lots = &lot, .lot_count = lot != NULL}, .depth = RECALL_CONSUMER, .reason = {.en = "bench"},
                                         .issued_at = bench_now_ms()};
    bench_ok(recall_notice_encode(&notice, &payload, &err), &err);
    const struct statement_draft draft = {.content_type = STATEMENT_RECALL, .issuer = "urn:packtrail:party:1", .subject = "urn:x:y",
                                          .genesis = ledger_genesis(ledger)->hash, .sequence = sequence++, .previous = previous,
                                          .payload = pt_buf_bytes(&payload)};
    bench_ok(statement_sign(&draft, &operator, &statement, &err), &err);
    previous = statement_id(pt_buf_bytes(&statement));
    const struct pt_bytes one = pt_buf_bytes(&statement);
    bench_ok(ledger_submit_statements(ledger, &one, 1, &result, &height, &err), &err);
    if (result != RESULT_APPLIED) bench_stop("the recall was refused");
}

struct counting {
    struct ledger *ledger;
    const char *id;
    struct ledger_reach reach;
    struct pt_arena arena;
    double wall, cpu;
    volatile bool done;
};

static void *count(void *arg) {
    struct counting *counting = arg;
    struct pt_error err = {0};
    const double wall = bench_wall_seconds(), cpu = bench_thread_seconds();
    bench_ok(ledger_recall_reach(counting->ledger, counting->id, &counting->arena, &counting->reach, &err), &err);
    counting->wall = bench_wall_seconds() - wall;
    counting->cpu = bench_thread_seconds() - cpu;
    counting->done = true;
    return NULL;
}

// Blocks come in while the count runs; the longest one waited so many seconds.
static double blocks_meanwhile(struct ledger *ledger, struct counting *counting, unsigned *blocks) {
    pthread_t thread;
    double longest = 0;
    if (pthread_create(&thread, NULL, count, counting) != 0) bench_stop("cannot start a thread");
    for (*blocks = 0; !counting->done && *blocks < 64; ++*blocks) {
        char id[32];
        snprintf(id, sizeof id, "OTHER-%u", *blocks);
        const double start = bench_wall_seconds();
        recall(ledger, id, "8123456", NULL);
        const double took = bench_wall_seconds() - start;
        if (took > longest) longest = took;
    }
    pthread_join(thread, NULL);
    return longest;
}

int main(int argc, char **argv) {
    char dir[256], ledger_dir[300];
    struct pt_error err = {0};
    struct ledger *ledger;
    unsigned blocks;
    const uint64_t packs = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
    PT_CLEANUP(pt_buf_free) struct pt_buf genesis = PT_BUF_INIT(1 << 20);
    if (packs == 0) bench_stop("usage: bench-recall PACKS");
    bench_scratch(dir);
    snprintf(ledger_dir, sizeof ledger_dir, "%s/ledger", dir);
    found(ledger_dir, &genesis);
    const struct ledger_options options = {.index_cache_bytes = (uint64_t)64 * 1024 * 1024};
    bench_ok(ledger_open(ledger_dir, &node, &options, pt_env_system(), &ledger, &err), &err);
    ledger_close(ledger);
    fill(ledger_dir, packs);
    bench_ok(ledger_open(ledger_dir, &node, &options, pt_env_system(), &ledger, &err), &err);
    struct ledger_counters before, after;
    ledger_counters(ledger, &before);
    recall(ledger, "ALL", GTIN, NULL);
    recall(ledger, "LOT", GTIN, "LOT7");
    ledger_counters(ledger, &after);
    struct counting all = {.ledger = ledger, .id = "ALL"}, lot = {.ledger = ledger, .id = "LOT"};
    count(&lot);
    const double longest = blocks_meanwhile(ledger, &all, &blocks);
    const struct recall_counts *total = &all.reach.total;
    if (total->open != packs || all.reach.place_count == 0) bench_stop("the count is wrong");
    printf("{\"bench\":\"recall\",\"packs\":%" PRIu64 ",\"pack_records_written\":%" PRIu64 ",\"seconds\":%.3f,\"packs_per_second\":%.0f,"
           "\"packs_per_cpu_second\":%.0f,\"one_lot_seconds\":%.3f,\"one_lot_packs\":%" PRIu64 ",\"places\":%zu,\"blocks_meanwhile\":%u,"
           "\"longest_block_seconds\":%.3f}\n",
           packs, after.packs_written - before.packs_written, all.wall, (double)packs / all.wall, (double)packs / all.cpu, lot.wall,
           lot.reach.total.open, all.reach.place_count, blocks, longest);
    pt_arena_free(&all.arena);
    pt_arena_free(&lot.arena);
    ledger_close(ledger);
    signer_openssl_free(&node);
    signer_openssl_free(&operator);
    bench_scratch_remove(dir);
    return 0;
}
