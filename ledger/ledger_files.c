#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "ledger/apply/replay.h"
#include "ledger/ledger_internal.h"


static void path_of(const char *dir, const char *name, char out[4096]) { snprintf(out, 4096, "%s/%s", dir, name); }

static enum pt_code check_key(const struct genesis *genesis, struct pt_bytes pem, struct pt_error *err) {
    struct signer signer = {0};
    const enum pt_code code = signer_openssl_from_pem(pem, &signer, err);
    if (code != PT_OK) return code;
    const struct pt_digest kid = verify_key_thumbprint(signer.key);
    bool found = false;
    for (size_t i = 0; i < genesis->actor_count; i++)
        found = found || (genesis->actors[i].role == ACTOR_EXECUTOR && pt_digest_equal(&genesis->actors[i].kid, &kid));
    signer_openssl_free(&signer);
    return found ? PT_OK : pt_fail(err, PT_FORBIDDEN, "--key", "the key is no executor's of the genesis");
}

enum pt_code ledger_init(const char *dir, struct pt_bytes genesis_bytes, struct pt_bytes key_pem, struct pt_error *err) {
    PT_CLEANUP(genesis_free) struct genesis genesis = {0};
    struct pt_disk made;
    char path[4096];
    enum pt_code code = genesis_decode(genesis_bytes, &genesis, err);
    if (code == PT_OK && key_pem.len > 0) code = check_key(&genesis, key_pem, err);
    if (code != PT_OK) return code;
    path_of(dir, LEDGER_GENESIS_FILE, path);
    if (access(path, F_OK) == 0) return pt_fail(err, PT_CONFLICT, path, "there is a ledger already");
    static const char *const folders[] = {"", LEDGER_CHAIN_DIR, LEDGER_TREE_DIR};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        path_of(dir, folders[i], path);
        code = pt_disk_posix_open(path, &made, err);
        if (code != PT_OK) return code;
        pt_disk_posix_close(&made);
    }
    if (key_pem.len > 0) {
        path_of(dir, LEDGER_KEY_FILE, path);
        code = pt_file_replace(path, key_pem, 0600, err);
        if (code != PT_OK) return code;
    }
    path_of(dir, LEDGER_GENESIS_FILE, path);  // last: it is what makes the directory a ledger
    return pt_file_replace(path, genesis_bytes, 0644, err);
}

static enum pt_code read_genesis(struct ledger_files *files, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(GENESIS_MAX);
    char path[4096];
    path_of(files->dir, LEDGER_GENESIS_FILE, path);
    const enum pt_code code = pt_file_read(path, &bytes, err);
    return code == PT_OK ? genesis_decode(pt_buf_bytes(&bytes), &files->genesis, err) : code;
}

static enum pt_code take_disk(const struct pt_disk *given, const char *dir, const char *name, struct pt_disk *out, bool *own,
                              struct pt_error *err) {
    char path[4096];
    if (given) {
        *out = *given;
        return PT_OK;
    }
    path_of(dir, name, path);
    const enum pt_code code = pt_disk_posix_open(path, out, err);
    *own = code == PT_OK;
    return code;
}

static enum pt_code open_index(struct ledger_files *files, const struct ledger_options *options, bool rebuild, struct pt_error *err) {
    char path[4096];
    path_of(files->dir, LEDGER_INDEX_FILE, path);
    enum pt_code code = rebuild ? index_sqlite_drop(path, err) : PT_OK;
    if (code != PT_OK) return code;
    code = index_sqlite_open(path, options->index_cache_bytes, &files->index, err);
    if (code != PT_UNVERIFIED) return code;
    pt_log(PT_LOG_WARNING, "index-dropped", "reason=%s", err ? err->what : "damaged");
    code = index_sqlite_drop(path, err);
    return code == PT_OK ? index_sqlite_open(path, options->index_cache_bytes, &files->index, err) : code;
}

static enum pt_code open_tree(struct ledger_files *files, struct pt_error *err) {
    struct index_reader reader;
    uint64_t noted = 0;
    enum pt_code code = files->index.reader(&files->index, &reader, err);
    if (code != PT_OK) return code;
    code = committer_tree_noted(&reader, &noted, err);
    reader.close(&reader);
    if (code == PT_UNVERIFIED) code = PT_OK;  // a damaged note: as if the files held nothing
    if (code == PT_OK) code = tree_store_open(&files->tree_disk, noted, &files->tree, err);
    files->committer = (struct committer){.chain = files->chain, .tree = files->tree, .index = &files->index, .tree_synced = noted};
    return code;
}

enum pt_code ledger_files_open(const char *dir, const struct ledger_options *options, const struct pt_env *env, bool rebuild,
                               struct ledger_files *out, struct pt_error *err) {
    *out = (struct ledger_files){.dir = strdup(dir)};
    enum pt_code code = out->dir ? read_genesis(out, err) : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code == PT_OK) code = take_disk(options->chain_disk, dir, LEDGER_CHAIN_DIR, &out->chain_disk, &out->own_chain_disk, err);
    if (code == PT_OK) code = take_disk(options->tree_disk, dir, LEDGER_TREE_DIR, &out->tree_disk, &out->own_tree_disk, err);
    // The chain's lock keeps a second process from the index and the tree as well.
    if (code == PT_OK) code = chain_store_open(&out->chain_disk, options->segment_bytes, &out->chain, err);
    if (code == PT_OK) code = open_index(out, options, rebuild, err);
    if (code == PT_OK) code = open_tree(out, err);
    if (code == PT_OK) code = statement_store_new(out->chain, &out->statements, err);
    if (code == PT_OK) code = key_ring_new(env, &out->keys, err);
    if (code != PT_OK) ledger_files_close(out);
    return code;
}

void ledger_files_close(struct ledger_files *files) {
    key_ring_free(files->keys);
    statement_store_free(files->statements);
    tree_store_close(files->tree);
    if (files->index.close) files->index.close(&files->index);
    chain_store_close(files->chain);
    if (files->own_chain_disk) pt_disk_posix_close(&files->chain_disk);
    if (files->own_tree_disk) pt_disk_posix_close(&files->tree_disk);
    genesis_free(&files->genesis);
    free(files->dir);
    *files = (struct ledger_files){0};
}

// Whether the index is this ledger's and stands on this chain: not above it, and at its height with the same entry.
static enum pt_code index_fits(struct ledger_files *files, bool *fits, struct pt_error *err) {
    struct index_reader reader;
    struct side_height place;
    struct chain_height record = {0};
    struct pt_digest genesis = {0};
    uint64_t height = 0;
    bool any;
    *fits = true;
    enum pt_code code = files->index.applied(&files->index, &any, &height, err);
    if (code != PT_OK || !any) return code;
    *fits = height <= chain_store_height(files->chain);
    if (!*fits) return PT_OK;
    code = files->index.reader(&files->index, &reader, err);
    if (code != PT_OK) return code;
    *fits = committer_genesis_noted(&reader, &genesis, NULL) == PT_OK && pt_digest_equal(&genesis, &files->genesis.hash);
    if (!*fits || height == 0) {
        reader.close(&reader);
        return PT_OK;
    }
    *fits = statement_store_height(&reader, height, &place, NULL) == PT_OK &&
            chain_store_read(files->chain, &place.position, &record, NULL) == PT_OK;
    if (*fits) {
        const struct pt_digest digest = chain_entry_digest(record.entry);
        *fits = pt_digest_equal(&digest, &place.entry);
    }
    chain_height_free(&record);
    reader.close(&reader);
    return PT_OK;
}

static enum pt_code start_over(struct ledger_files *files, const struct ledger_options *options, struct pt_error *err) {
    pt_log(PT_LOG_WARNING, "index-rebuilt", "reason=%s", "it does not stand on the chain");
    files->index.close(&files->index);
    files->index = (struct index_store){0};
    tree_store_close(files->tree);
    files->tree = NULL;
    const enum pt_code code = open_index(files, options, true, err);
    return code == PT_OK ? open_tree(files, err) : code;
}

static enum pt_code replay(struct ledger_files *files, const struct ledger_options *options, const struct pt_env *env,
                           struct pt_error *err) {
    struct pt_error too_new = {0};
    const struct replay_parts parts = {.genesis = &files->genesis, .env = env, .committer = &files->committer,
                                       .statements = files->statements, .keys = files->keys,
                                       .cache_records = (size_t)options->state_cache_records, .too_new = &too_new};
    const enum pt_code code = replay_index(&parts, NULL, NULL, err);
    if (too_new.code != PT_OK) pt_log_error("chain-too-new", &too_new);
    return code;
}

// Whether the tree's files lead to the root of the last entry.
static enum pt_code tree_fits(struct ledger_files *files, bool *fits, struct pt_error *err) {
    struct index_reader reader;
    struct side_height place;
    struct chain_height record = {0};
    struct merkle_frontier tree;
    struct chain_entry entry;
    uint64_t height;
    *fits = true;
    enum pt_code code = files->index.reader(&files->index, &reader, err);
    if (code != PT_OK) return code;
    code = reader.height(&reader, &height, err);
    if (code == PT_OK && height > 0) {
        code = statement_store_height(&reader, height, &place, err);
        if (code == PT_OK) code = chain_store_read(files->chain, &place.position, &record, err);
        if (code == PT_OK) code = chain_entry_decode(record.entry, &entry, err);
        *fits = code == PT_OK && tree_store_size(files->tree) == entry.tree_size &&
                tree_store_frontier(files->tree, entry.tree_size, &tree, NULL) == PT_OK;
        if (*fits) {
            const struct pt_digest root = merkle_root(&tree);
            *fits = pt_digest_equal(&root, &entry.tree_root);
        }
    }
    chain_height_free(&record);
    reader.close(&reader);
    return code;
}

static enum pt_code rebuild_tree(struct ledger_files *files, const struct pt_env *env, struct pt_error *err) {
    pt_log(PT_LOG_WARNING, "tree-rebuilt", "reason=%s", "its files do not lead to the chain's root");
    tree_store_close(files->tree);
    files->tree = NULL;
    const enum pt_code code = tree_store_open(&files->tree_disk, 0, &files->tree, err);
    files->committer.tree = files->tree;
    files->committer.tree_synced = 0;
    const struct replay_parts parts = {.genesis = &files->genesis, .env = env, .committer = &files->committer,
                                       .statements = files->statements, .keys = files->keys};
    return code == PT_OK ? replay_tree(&parts, err) : code;
}

// What is not the machine's own trouble but may lie in what was derived, and goes away when that is built anew.
static bool may_heal(enum pt_code code) {
    return code == PT_UNVERIFIED || code == PT_NOT_FOUND || code == PT_INVALID || code == PT_LIMIT;
}

// The tree's files may be what is wrong, then the index: the chain is blamed only when it does not replay from nothing.
static enum pt_code replay_or_rebuild(struct ledger_files *files, const struct ledger_options *options, const struct pt_env *env,
                                      struct pt_error *err) {
    enum pt_code code = replay(files, options, env, err);
    if (may_heal(code) && rebuild_tree(files, env, NULL) == PT_OK) code = replay(files, options, env, err);
    if (!may_heal(code)) return code;
    code = start_over(files, options, err);
    return code == PT_OK ? replay(files, options, env, err) : code;
}

enum pt_code ledger_files_catch_up(struct ledger_files *files, const struct ledger_options *options, const struct pt_env *env,
                                   struct pt_error *err) {
    bool fits, tree_good = false;
    enum pt_code code = index_fits(files, &fits, err);
    if (may_heal(code)) fits = false;
    if (may_heal(code) || (code == PT_OK && !fits)) code = start_over(files, options, err);
    if (code == PT_OK) code = replay_or_rebuild(files, options, env, err);
    if (code == PT_OK) code = tree_fits(files, &tree_good, err);
    if (code != PT_OK || tree_good) return code;
    code = rebuild_tree(files, env, err);
    if (code == PT_OK) code = tree_fits(files, &tree_good, err);
    if (code == PT_OK && !tree_good) code = pt_fail(err, PT_UNVERIFIED, "chain", "the statements do not lead to the log's root");
    return code;
}
