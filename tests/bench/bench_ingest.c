// Solo ingest with everything on (checks, contracts, index, fsync), as ratios to what the machine can do at best, in the
// same run:
//   V  bare OpenSSL P-256 checks a second on one core, key and context kept
//   B  bare SQLite upserts a second into the same table with the same prefill: random keys, rows as long as the ledger's,
//      as many a transaction as the ledger wrote, durable at each commit
// Statements are signed before the clock starts. One JSON line. `by_cpu` compares CPU seconds, for machines that are
// busy with something else.
//
//   bench-ingest PACKS-A-STATEMENT STATEMENTS [json] [prefill=PACKS]
#include <inttypes.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/chain/block.h"
#include "common/identify/pack_id.h"
#include "tests/bench/bench.h"
#include "tests/bench/scene.h"

enum { UNDER_WAY = 16 };

// What was asked for beside the scene.
struct words {
    enum ledger_trials trials;
    unsigned workers;
};

// A fresh key and signature: which does not matter for the time.
static double measure_verify(void) {
    uint8_t digest[32] = {1}, signature[80];
    size_t len = sizeof signature;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY_CTX *sign = EVP_PKEY_CTX_new(key, NULL), *verify = EVP_PKEY_CTX_new(key, NULL);
    if (EVP_PKEY_sign_init(sign) != 1 || EVP_PKEY_sign(sign, signature, &len, digest, sizeof digest) != 1 ||
        EVP_PKEY_verify_init(verify) != 1)
        bench_stop("OpenSSL");
    const double start = bench_cpu_seconds();
    unsigned done = 0;
    double spent = 0;
    while (spent < 1.5) {
        for (int i = 0; i < 200; i++, done++)
            if (EVP_PKEY_verify(verify, signature, len, digest, sizeof digest) != 1) bench_stop("a good signature is refused");
        spent = bench_cpu_seconds() - start;
    }
    EVP_PKEY_CTX_free(sign);
    EVP_PKEY_CTX_free(verify);
    EVP_PKEY_free(key);
    return done / spent;
}

static void sql(sqlite3 *db, const char *text) {
    char *message = NULL;
    if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK) bench_stop(message);
}

struct upserts {
    uint64_t prefill, count;
    unsigned batch, value_bytes;
};

struct bare {
    sqlite3 *db;
    sqlite3_stmt *insert;
    struct pt_buf *keys;
    struct upserts size;
};

// The ledger's own settings (index_sqlite.c), but synchronous=FULL: its rows count as safe when its chain is synced.
static void bare_open(struct bare *bare, const char *dir) {
    char path[512];
    snprintf(path, sizeof path, "%s/bare.sqlite", dir);
    if (sqlite3_open(path, &bare->db) != SQLITE_OK) bench_stop("sqlite3_open");
    sql(bare->db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16000; PRAGMA cache_size=-262144;"
                  "PRAGMA mmap_size=1099511627776; PRAGMA temp_store=MEMORY;"
                  "CREATE TABLE t1(k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID");
    sqlite3_prepare_v2(bare->db, "INSERT INTO t1(k, v) VALUES(?1, ?2) ON CONFLICT(k) DO UPDATE SET v=excluded.v", -1, &bare->insert, NULL);
    bare->keys = calloc(bare->size.batch, sizeof *bare->keys);
    if (!bare->keys) bench_stop("out of memory");
    for (unsigned i = 0; i < bare->size.batch; i++) bare->keys[i] = PT_BUF_INIT(PACK_KEY_MAX);
}

static void bare_close(struct bare *bare) {
    for (unsigned i = 0; i < bare->size.batch; i++) pt_buf_free(&bare->keys[i]);
    free(bare->keys);
    sqlite3_finalize(bare->insert);
    sqlite3_close(bare->db);
}

// One transaction; making the keys is not counted, sorting them is. Gives the seconds.
static double bare_batch(struct bare *bare, uint64_t first) {
    static const uint8_t value[256] = {1};
    for (unsigned i = 0; i < bare->size.batch; i++) {
        struct pack_id id;
        load_pack(first + i, &id);
        pt_buf_clear(&bare->keys[i]);
        if (pack_id_key(&id, &bare->keys[i], NULL) != PT_OK) bench_stop("pack_id_key");
    }
    const double start = bench_wall_seconds();
    bench_sort_buffers(bare->keys, bare->size.batch);
    sql(bare->db, "BEGIN IMMEDIATE");
    for (unsigned i = 0; i < bare->size.batch; i++) {
        sqlite3_bind_blob(bare->insert, 1, bare->keys[i].data, (int)bare->keys[i].len, SQLITE_STATIC);
        sqlite3_bind_blob(bare->insert, 2, value, (int)bare->size.value_bytes, SQLITE_STATIC);
        if (sqlite3_step(bare->insert) != SQLITE_DONE) bench_stop(sqlite3_errmsg(bare->db));
        sqlite3_reset(bare->insert);
    }
    sql(bare->db, "COMMIT");
    return bench_wall_seconds() - start;
}

static double measure_upserts(const char *dir, const struct upserts *size) {
    struct bare bare = {.size = *size};
    double spent = 0;
    uint64_t done = 0;
    bare_open(&bare, dir);
    uint64_t at = 0;
    for (; at < size->prefill; at += size->batch) bare_batch(&bare, at);
    for (; done < size->count; done += size->batch, at += size->batch) spent += bare_batch(&bare, at);
    bare_close(&bare);
    return (double)done / spent;
}

// How long the ledger's rows are.
static unsigned row_bytes(const char *ledger_dir) {
    char path[512];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    snprintf(path, sizeof path, "%s/index.sqlite", ledger_dir);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "SELECT avg(length(v)) FROM (SELECT v FROM t1 LIMIT 10000)", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        bench_stop("cannot read the ledger's index");
    const unsigned bytes = (unsigned)sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return bytes;
}

struct progress {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t under_way;
    uint64_t refused;
};

static void done(void *arg, enum pt_code code, const struct ledger_block_result *result, const struct pt_error *err) {
    struct progress *progress = arg;
    if (code != PT_OK) bench_stop(err->what);
    pthread_mutex_lock(&progress->lock);
    progress->under_way--;
    if (result->outcome != LEDGER_BLOCK_APPLIED) progress->refused++;
    for (size_t i = 0; i < result->results.len; i++) progress->refused += result->results.data[i] != RESULT_APPLIED;
    pthread_cond_broadcast(&progress->changed);
    pthread_mutex_unlock(&progress->lock);
}

static double ingest(struct scene *scene, struct ledger *ledger, size_t from, size_t to) {
    struct progress progress = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
    const double start = bench_wall_seconds();
    for (size_t i = from; i < to; i++) {
        pthread_mutex_lock(&progress.lock);
        while (progress.under_way >= UNDER_WAY) pthread_cond_wait(&progress.changed, &progress.lock);
        progress.under_way++;
        pthread_mutex_unlock(&progress.lock);
        struct pt_error err = {0};
        bench_ok(ledger_submit_block(ledger, pt_buf_bytes(&scene->blocks[i]), done, &progress, &err), &err);
    }
    pthread_mutex_lock(&progress.lock);
    while (progress.under_way > 0) pthread_cond_wait(&progress.changed, &progress.lock);
    pthread_mutex_unlock(&progress.lock);
    if (progress.refused) bench_stop("the ledger did not apply every statement");
    return bench_wall_seconds() - start;
}

struct figures {
    double seconds, cpu, verify, upserts;
    uint64_t bytes, chain_bytes, trials_stood, trials_repeated;
    struct upserts size;
};

static void read_words(int argc, char **argv, struct scene *scene, struct words *words) {
    if (argc < 3) bench_stop("usage: bench-ingest PACKS-A-STATEMENT STATEMENTS [json] [prefill=PACKS] [trials=always|never] [workers=N]");
    scene->pattern = (struct load_pattern){.packs = (unsigned)atoi(argv[1]), .task = "commission"};
    scene->statements = (uint64_t)atoll(argv[2]);
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "json") == 0) scene->pattern.json = true;
        else if (strcmp(argv[i], "trials=always") == 0) words->trials = LEDGER_TRIALS_ALWAYS;
        else if (strcmp(argv[i], "trials=never") == 0) words->trials = LEDGER_TRIALS_NEVER;
        else if (strncmp(argv[i], "workers=", 8) == 0) words->workers = (unsigned)atoi(argv[i] + 8);
        else if (strncmp(argv[i], "prefill=", 8) == 0) scene->prefill = (uint64_t)atoll(argv[i] + 8);
        else bench_stop("there is no such option");
    }
}

static void measure(struct scene *scene, const struct words *words, const char *dir, struct figures *out) {
    char ledger_dir[300];
    struct pt_error err = {0};
    struct ledger *ledger = NULL;
    struct ledger_counters before, after;
    const struct ledger_options options = {.trials = words->trials, .workers = words->workers};
    snprintf(ledger_dir, sizeof ledger_dir, "%s/ledger", dir);
    bench_ok(ledger_init(ledger_dir, pt_buf_bytes(&scene->genesis), pt_bytes_of(NULL, 0), &err), &err);
    bench_ok(ledger_open(ledger_dir, &scene->executor, &options, pt_env_system(), &ledger, &err), &err);
    ingest(scene, ledger, 0, scene->prefill_blocks);
    ledger_counters(ledger, &before);
    const double cpu_start = bench_cpu_seconds();
    out->seconds = ingest(scene, ledger, scene->prefill_blocks, scene->block_count);
    out->cpu = bench_cpu_seconds() - cpu_start;
    ledger_counters(ledger, &after);
    ledger_close(ledger);
    out->bytes = bench_disk_bytes(ledger_dir);
    out->trials_stood = after.trials_stood - before.trials_stood;
    out->trials_repeated = after.trials_repeated - before.trials_repeated;
    out->chain_bytes = after.chain_bytes - before.chain_bytes;
    const uint64_t packs = scene->statements * scene->pattern.packs, syncs = after.fsyncs - before.fsyncs;
    const uint64_t batch = packs / (syncs ? syncs : 1);
    out->size = (struct upserts){.prefill = scene->prefill, .count = packs < 200000 ? 200000 : packs,
                                 .batch = batch < 1 ? 1 : batch > 100000 ? 100000 : (unsigned)batch, .value_bytes = row_bytes(ledger_dir)};
    out->verify = measure_verify();
    out->upserts = measure_upserts(dir, &out->size);
}

static void print(const struct scene *scene, const struct figures *f) {
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const double statements = (double)scene->statements, packs = statements * scene->pattern.packs;
    const double best = f->verify * (double)cores, best_by_checks = best * scene->pattern.packs;
    const double best_packs = f->upserts < best_by_checks ? f->upserts : best_by_checks;
    double load[1] = {0};
    if (getloadavg(load, 1) != 1) load[0] = -1;
    printf("{\"bench\":\"ingest\",\"packs_a_statement\":%u,\"payload\":\"%s\",\"statements\":%" PRIu64 ",\"prefill\":%" PRIu64
           ",\"cores\":%ld,\"seconds\":%.2f,\"cpu_seconds\":%.2f,\"statements_a_second\":%.0f,\"packs_a_second\":%.0f,\"V\":%.0f,\"B\":%.0f,"
           "\"upserts_a_commit\":%u,\"ratio_to_V_times_cores\":%.3f,\"ratio_by_cpu\":%.3f,\"ratio_packs\":%.3f",
           scene->pattern.packs, scene->pattern.json ? "json" : "cbor", scene->statements, scene->prefill, cores, f->seconds, f->cpu,
           statements / f->seconds, packs / f->seconds, f->verify, f->upserts, f->size.batch, statements / f->seconds / best,
           statements / f->cpu / f->verify, packs / f->seconds / best_packs);
    if (scene->prefill == 0)
        printf(",\"bytes_a_pack\":%.1f,\"chain_bytes_a_pack\":%.1f", (double)f->bytes / packs, (double)f->chain_bytes / packs);
    printf(",\"trials_stood\":%" PRIu64 ",\"trials_repeated\":%" PRIu64, f->trials_stood, f->trials_repeated);
    printf(",\"load_average\":%.1f}\n", load[0]);
}

int main(int argc, char **argv) {
    static struct scene scene;
    struct words words = {0};
    struct figures figures;
    char dir[256];
    read_words(argc, argv, &scene, &words);
    bench_scratch(dir);
    scene_make(&scene);
    measure(&scene, &words, dir, &figures);
    print(&scene, &figures);
    bench_scratch_remove(dir);
    scene_free_blocks(&scene);
    return 0;
}
