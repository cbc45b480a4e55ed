#include "ledger/check/fsck.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/crypto/digest.h"
#include "ledger/apply/replay.h"
#include "ledger/ledger_internal.h"

enum { MOST_EXECUTORS = 64, SCRATCH_CACHE = 64 * 1024 * 1024, MOST_GENESIS_FILE = 16 * 1024 * 1024 };

struct fsck {
    const char *dir;
    const struct pt_env *env;
    fsck_tell *tell;
    void *arg;
    struct fsck_report *report;
    struct genesis genesis;
    struct pt_disk chain_disk, tree_disk;
    struct chain_store *chain;
    struct tree_store *tree;
    struct index_store index;
    bool has_index, told_chain;
    uint64_t noted;                // leaves that the tree's files should hold
    struct pt_digest noted_root;   // of the chain's first `noted` statements
    bool noted_seen;
    // The chain's own reading:
    struct verify_key *executors[MOST_EXECUTORS];
    size_t executor_count;
    struct merkle_frontier frontier;
    struct pt_digest previous;
    pt_millis time;
};

static void problem(struct fsck *fsck, const char *where, uint64_t height, const char *what) {
    fsck->report->problems++;
    fsck->tell(fsck->arg, where, height, what);
}

static void path_of(const struct fsck *fsck, const char *name, char out[4096]) { snprintf(out, 4096, "%s/%s", fsck->dir, name); }

// --- Opening ---

static enum pt_code load_genesis(struct fsck *fsck, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(MOST_GENESIS_FILE);
    char path[4096];
    path_of(fsck, LEDGER_GENESIS_FILE, path);
    enum pt_code code = pt_file_read(path, &bytes, err);
    if (code == PT_OK) code = genesis_decode(pt_buf_bytes(&bytes), &fsck->genesis, err);
    for (size_t i = 0; code == PT_OK && i < fsck->genesis.actor_count && fsck->executor_count < MOST_EXECUTORS; i++)
        if (fsck->genesis.actors[i].role == ACTOR_EXECUTOR)
            code = verify_key_from_cose(pt_buf_bytes(&fsck->genesis.actors[i].key), &fsck->executors[fsck->executor_count++], err);
    return code;
}

// Index and tree may be missing or damaged: that is something to tell, not a reason to stop.
static void open_derived(struct fsck *fsck) {
    struct pt_error err = {0};
    struct index_reader reader;
    char path[4096];
    bool any = false;
    path_of(fsck, LEDGER_INDEX_FILE, path);
    if (access(path, F_OK) != 0) return;  // dropped: the next start builds it
    if (index_sqlite_open(path, SCRATCH_CACHE, &fsck->index, &err) != PT_OK) {
        problem(fsck, "index", 0, err.what);
        return;
    }
    fsck->has_index = true;
    if (fsck->index.applied(&fsck->index, &any, &fsck->report->index_height, &err) != PT_OK ||
        fsck->index.reader(&fsck->index, &reader, &err) != PT_OK) {
        problem(fsck, "index", 0, err.what);
        return;
    }
    if (committer_tree_noted(&reader, &fsck->noted, &err) != PT_OK) problem(fsck, "index", 0, err.what);
    reader.close(&reader);
    path_of(fsck, LEDGER_TREE_DIR, path);
    if (pt_disk_posix_open(path, &fsck->tree_disk, &err) != PT_OK || tree_store_open(&fsck->tree_disk, fsck->noted, &fsck->tree, &err) != PT_OK)
        problem(fsck, "tree", 0, err.what);
}

// --- The chain by itself ---

static bool co_signed(const struct fsck *fsck, const struct chain_entry *entry, const struct chain_height *record,
                      const struct pt_digest *digest) {
    for (size_t i = 0; i < fsck->executor_count; i++)
        if (co_signature_verify(record->co_signature, fsck->executors[i], &fsck->genesis.hash, entry->epoch, entry->height, digest, NULL) == PT_OK)
            return true;
    return false;
}

static void add_leaves(struct fsck *fsck, const struct chain_entry *entry, const struct block *block) {
    for (size_t i = 0; i < entry->results.len; i++) {
        if (!statement_result_logged((enum statement_result)entry->results.data[i])) continue;
        const struct pt_digest leaf = merkle_leaf_hash(pt_bytes_digest(&block->statement_ids[i]));
        merkle_append(&fsck->frontier, &leaf);
        if (fsck->frontier.size != fsck->noted) continue;
        fsck->noted_root = merkle_root(&fsck->frontier);
        fsck->noted_seen = true;
    }
}

static void check_entry(struct fsck *fsck, uint64_t height, const struct chain_height *record, const struct chain_entry *entry,
                        const struct block *block) {
    const struct pt_digest digest = chain_entry_digest(record->entry);
    if (!pt_digest_equal(&entry->genesis, &fsck->genesis.hash)) problem(fsck, "chain", height, "the entry is another ledger's (genesis hash)");
    if (entry->height != height) problem(fsck, "chain", height, "the entry says another height");
    if (!pt_digest_equal(&entry->previous, &fsck->previous)) problem(fsck, "chain", height, "the entry does not follow the one before it");
    if (entry->time < fsck->time) problem(fsck, "chain", height, "chain time goes backwards");
    if (!pt_digest_equal(&entry->block, &block->digest)) problem(fsck, "chain", height, "the block is not the one that the entry names");
    if (!co_signed(fsck, entry, record, &digest)) problem(fsck, "chain", height, "no executor of the genesis signed the entry");
    if (entry->results.len == block->header.count) add_leaves(fsck, entry, block);
    else if (entry->block_result == 0) problem(fsck, "chain", height, "not one result for each statement");
    const struct pt_digest root = merkle_root(&fsck->frontier);
    if (entry->tree_size != fsck->frontier.size || !pt_digest_equal(&entry->tree_root, &root))
        problem(fsck, "chain", height, "the statements do not lead to the entry's tree root");
    fsck->previous = digest;
    fsck->time = entry->time;
}

static enum pt_code visit(void *arg, uint64_t height, const struct pt_journal_position *position, struct chain_height *record,
                          struct pt_error *err) {
    struct fsck *fsck = arg;
    struct chain_entry entry;
    PT_CLEANUP(block_free) struct block block = {0};
    (void)position;
    enum pt_code code = chain_entry_decode(record->entry, &entry, err);
    if (code == PT_OK) code = block_decode(pt_buf_bytes(&record->block), &block, err);
    if (code != PT_OK) return code;
    check_entry(fsck, height, record, &entry, &block);
    fsck->report->height = height;
    return PT_OK;
}

static void check_chain(struct fsck *fsck) {
    struct pt_error err = {0};
    fsck->previous = fsck->genesis.hash;
    fsck->time = fsck->genesis.time;
    if (chain_store_replay(fsck->chain, NULL, visit, fsck, &err) != PT_OK) problem(fsck, "chain", fsck->report->height + 1, err.what);
    fsck->report->statements = fsck->frontier.size;
}

static void check_tree(struct fsck *fsck) {
    struct merkle_frontier stored;
    struct pt_error err = {0};
    if (!fsck->tree || fsck->noted == 0) return;
    if (!fsck->noted_seen) {
        problem(fsck, "tree", 0, "the tree's files hold more than the chain");
        return;
    }
    if (tree_store_frontier(fsck->tree, fsck->noted, &stored, &err) != PT_OK) {
        problem(fsck, "tree", 0, err.what);
        return;
    }
    const struct pt_digest root = merkle_root(&stored);
    if (!pt_digest_equal(&root, &fsck->noted_root)) problem(fsck, "tree", 0, "the tree's files lead to another root than the chain");
}

// --- The contracts, and what was derived ---

static enum pt_code digest_row(void *arg, struct pt_bytes key, struct pt_bytes value) {
    const uint32_t lengths[2] = {(uint32_t)key.len, (uint32_t)value.len};
    sha256_add(arg, pt_bytes_of(lengths, sizeof lengths));
    sha256_add(arg, key);
    sha256_add(arg, value);
    return PT_OK;
}

static enum pt_code table_digest(struct index_store *index, unsigned table, struct pt_digest *out, struct pt_error *err) {
    struct index_reader reader;
    struct sha256_stream stream = sha256_begin();
    enum pt_code code = index->reader(index, &reader, err);
    if (code != PT_OK) return code;
    code = reader.range(&reader, table, pt_bytes_of(NULL, 0), pt_bytes_of(NULL, 0), false, digest_row, &stream, err);
    reader.close(&reader);
    *out = sha256_end(&stream);
    return code;
}

static void compare_indexes(struct fsck *fsck, struct index_store *fresh) {
    // What the node notes about its own files (INDEX_META) may differ.
    static const struct {
        unsigned table;
        const char *what;
    } tables[] = {
        {STATE_PACK, "packs differ from what the chain gives"},       {STATE_ACTOR, "actors differ from what the chain gives"},
        {STATE_CHAIN, "device chains differ from what the chain gives"}, {STATE_MASTER, "master records differ from what the chain gives"},
        {STATE_RULES, "rules differ from what the chain gives"},      {STATE_ALERT, "alerts differ from what the chain gives"},
        {STATE_HELD, "held statements differ from what the chain gives"}, {STATE_NAME, "names differ from what the chain gives"}, {INDEX_STATEMENT, "the statements' ids are wrong"},
        {INDEX_SEQUENCE, "the statements' sequences are wrong"},      {INDEX_LINKS, "the packs' histories are wrong"},
        {INDEX_HEIGHT, "the heights' places are wrong"},              {INDEX_BLOCK, "the blocks' heights are wrong"},
        {INDEX_FEED, "the feed is wrong"},                            {INDEX_PACK_ALERT, "the packs' alerts are wrong"},
        {INDEX_TLS, "the TLS keys are wrong"},                        {INDEX_LEAF, "the heights' leaves are wrong"},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        struct pt_error err = {0};
        struct pt_digest stored;
        struct pt_digest wanted;
        if (table_digest(fresh, tables[i].table, &wanted, &err) != PT_OK || table_digest(&fsck->index, tables[i].table, &stored, &err) != PT_OK)
            problem(fsck, "index", 0, err.what);
        else if (!pt_digest_equal(&stored, &wanted)) problem(fsck, "index", 0, tables[i].what);
    }
}

// Every hash that is kept, not only those that the root hangs on: the others are what proofs are made of.
static void compare_trees(struct fsck *fsck, struct tree_store *fresh) {
    if (!fsck->tree || fsck->noted > tree_store_size(fresh)) return;
    for (unsigned level = 0; level < 64 && fsck->noted >> level > 0; level += TREE_STORE_STEP)
        for (uint64_t index = 0; index < fsck->noted >> level; index++) {
            struct pt_error err = {0};
            struct pt_digest stored;
            struct pt_digest wanted;
            const bool read = tree_store_read(fsck->tree, level, index, &stored, &err) == PT_OK &&
                              tree_store_read(fresh, level, index, &wanted, &err) == PT_OK;
            if (read && pt_digest_equal(&stored, &wanted)) continue;
            problem(fsck, "tree", 0, read ? "a hash of the tree's files is not the chain's" : err.what);
            return;
        }
}

// Applies the whole chain to an empty index, signatures and all: every entry must come out as it stands.
static enum pt_code check_replay(struct fsck *fsck, const char *scratch, struct pt_error *err) {
    char path[4200];
    struct pt_disk disk = {0};
    struct tree_store *tree = NULL;
    struct index_store index = {0};
    struct statement_store *statements = NULL;
    struct key_ring *keys = NULL;
    snprintf(path, sizeof path, "%s/index.sqlite", scratch);
    enum pt_code code = index_sqlite_drop(path, err);
    if (code == PT_OK) code = index_sqlite_open(path, SCRATCH_CACHE, &index, err);
    if (code == PT_OK) code = pt_disk_posix_open(scratch, &disk, err);
    if (code == PT_OK) code = tree_store_open(&disk, 0, &tree, err);
    if (code == PT_OK) code = statement_store_new(fsck->chain, &statements, err);
    if (code == PT_OK) code = key_ring_new(fsck->env, &keys, err);
    if (code == PT_OK) {
        struct committer committer = {.chain = fsck->chain, .tree = tree, .index = &index};
        const struct replay_parts parts = {.genesis = &fsck->genesis, .env = fsck->env, .committer = &committer, .statements = statements,
                                           .keys = keys, .check_signatures = true};
        struct pt_error wrong = {0};
        const bool replayed = replay_index(&parts, NULL, NULL, &wrong) == PT_OK;
        if (!replayed) problem(fsck, "replay", 0, wrong.what);
        else compare_trees(fsck, tree);
        if (replayed && fsck->has_index && fsck->report->index_height == fsck->report->height) compare_indexes(fsck, &index);
        if (fsck->has_index && fsck->report->index_height > fsck->report->height)
            problem(fsck, "index", fsck->report->index_height, "the index is ahead of the chain");
    }
    key_ring_free(keys);
    statement_store_free(statements);
    tree_store_close(tree);
    if (disk.ctx) pt_disk_posix_close(&disk);
    if (index.close) index.close(&index);
    return code;
}

static enum pt_code remove_file(void *arg, const char *name, struct pt_error *err) {
    const struct pt_disk *disk = arg;
    return disk->remove(disk->ctx, name, err);
}

static void remove_scratch(const char *scratch) {
    struct pt_disk disk = {0};
    if (pt_disk_posix_open(scratch, &disk, NULL) != PT_OK) return;
    if (disk.list(disk.ctx, remove_file, &disk, NULL) != PT_OK) pt_disk_posix_close(&disk);
    else {
        pt_disk_posix_close(&disk);
        rmdir(scratch);
    }
}

static enum pt_code run(struct fsck *fsck, struct pt_error *err) {
    char path[4096];
    enum pt_code code = load_genesis(fsck, err);
    path_of(fsck, LEDGER_CHAIN_DIR, path);
    if (code == PT_OK && access(path, F_OK) != 0) code = pt_fail_errno(err, path, "there is no chain");
    if (code == PT_OK) code = pt_disk_posix_open(path, &fsck->chain_disk, err);
    if (code != PT_OK) return code;
    // The chain's lock keeps a node away from index and tree as well.
    code = chain_store_open(&fsck->chain_disk, 0, &fsck->chain, err);
    if (code == PT_UNVERIFIED) {
        problem(fsck, "chain", 0, err ? err->what : "damaged");
        return PT_OK;
    }
    if (code != PT_OK) return code;
    open_derived(fsck);
    check_chain(fsck);
    check_tree(fsck);
    path_of(fsck, "fsck", path);
    remove_scratch(path);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) return pt_fail_errno(err, path, "cannot make the directory");
    code = check_replay(fsck, path, err);
    remove_scratch(path);
    return code;
}

enum pt_code ledger_fsck(const char *dir, const struct pt_env *env, fsck_tell *tell, void *arg, struct fsck_report *report,
                         struct pt_error *err) {
    struct fsck fsck = {.dir = dir, .env = env, .tell = tell, .arg = arg, .report = report};
    *report = (struct fsck_report){0};
    const enum pt_code code = run(&fsck, err);
    tree_store_close(fsck.tree);
    if (fsck.tree_disk.ctx) pt_disk_posix_close(&fsck.tree_disk);
    if (fsck.has_index) fsck.index.close(&fsck.index);
    chain_store_close(fsck.chain);
    if (fsck.chain_disk.ctx) pt_disk_posix_close(&fsck.chain_disk);
    for (size_t i = 0; i < fsck.executor_count; i++) verify_key_free(fsck.executors[i]);
    genesis_free(&fsck.genesis);
    return code;
}

enum pt_code ledger_reindex(const char *dir, const struct pt_env *env, uint64_t *height, struct pt_error *err) {
    struct ledger_files files;
    const struct ledger_options options = {0};
    enum pt_code code = ledger_files_open(dir, &options, env, true, &files, err);
    if (code != PT_OK) return code;
    code = ledger_files_catch_up(&files, &options, env, err);
    bool any;
    if (code == PT_OK) code = files.index.applied(&files.index, &any, height, err);
    ledger_files_close(&files);
    return code;
}
