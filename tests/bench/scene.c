#include "tests/bench/scene.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/chain/block.h"
#include "ledger/contracts/contract.h"
#include "tests/bench/bench.h"

static void make_signer(struct signer *out) {
    struct pt_buf pem = PT_BUF_INIT(8192);
    struct pt_error err = {0};
    bench_ok(signer_openssl_generate(&pem, &err), &err);
    bench_ok(signer_openssl_from_pem(pt_buf_bytes(&pem), out, &err), &err);
    pt_buf_free(&pem);
}

static struct actor actor_of(const struct signer *signer, enum actor_role role, const char *name) {
    struct actor actor = {.role = role, .key = PT_BUF_INIT(512), .party = "https://id.gs1.org/417/9506000100002"};
    snprintf(actor.name, sizeof actor.name, "%s", name);
    actor.kid = verify_key_thumbprint(signer->key);
    actor.tls = actor.kid;
    verify_key_to_cose(signer->key, &actor.key);
    return actor;
}

static void make_genesis(struct scene *scene) {
    struct pt_error err = {0};
    struct actor actors[SCENE_DEVICES + 2];
    make_signer(&scene->executor);
    make_signer(&scene->gateway);
    actors[0] = actor_of(&scene->executor, ACTOR_EXECUTOR, "ledger");
    actors[1] = actor_of(&scene->gateway, ACTOR_GATEWAY, "gateway");
    for (unsigned i = 0; i < SCENE_DEVICES; i++) {
        bench_ok(load_device_make(&scene->devices[i], &err), &err);
        bench_ok(load_device_actor(&scene->devices[i], i, &actors[i + 2], &err), &err);
    }
    struct genesis genesis = {.name = "bench", .time = bench_now_ms(), .profile = "cn", .rule_version = RULE_VERSION_NEWEST, .actors = actors,
                              .actor_count = SCENE_DEVICES + 2};
    scene->genesis = PT_BUF_INIT((size_t)1024 * 1024);
    bench_ok(genesis_encode(&genesis, &scene->genesis, &err), &err);
    struct genesis decoded;
    bench_ok(genesis_decode(pt_buf_bytes(&scene->genesis), &decoded, &err), &err);
    scene->genesis_hash = decoded.hash;
    genesis_free(&decoded);
    for (unsigned i = 0; i < SCENE_DEVICES + 2; i++) actor_free(&actors[i]);
}

struct seal_state {
    struct pt_digest previous;
    uint64_t sequence;
    struct pt_buf bodies;
    struct pt_bytes views[BLOCK_MAX_STATEMENTS];
    size_t ends[BLOCK_MAX_STATEMENTS];
    size_t count;
};

static void seal(struct scene *scene, struct seal_state *state) {
    if (state->count == 0) return;
    struct pt_error err = {0};
    for (size_t i = 0, at = 0; i < state->count; at = state->ends[i++])
        state->views[i] = pt_bytes_of(state->bodies.data + at, state->ends[i] - at);
    struct block_header header = {.gateway = verify_key_thumbprint(scene->gateway.key), .sequence = state->sequence++,
                                  .previous = state->previous, .time = bench_now_ms()};
    struct pt_buf *block = &scene->blocks[scene->block_count++];
    *block = PT_BUF_INIT(BLOCK_MAX);
    bench_ok(block_seal(&header, &scene->genesis_hash, state->views, state->count, &scene->gateway, block, &state->previous, &err), &err);
    pt_buf_clear(&state->bodies);
    state->count = 0;
}

static void seal_all(struct scene *scene, struct seal_state *state, const struct load_pattern *pattern, uint64_t statements) {
    struct pt_error err = {0};
    for (uint64_t i = 0; i < statements; i++) {
        bench_ok(load_statement(&scene->devices[i % SCENE_DEVICES], pattern, i, bench_now_ms(), &state->bodies, &err), &err);
        state->ends[state->count++] = state->bodies.len;
        if (state->bodies.len > BLOCK_MAX * 3 / 4 || state->count == 1024) seal(scene, state);
    }
    seal(scene, state);
}

static void make_blocks(struct scene *scene) {
    static struct seal_state state;
    state = (struct seal_state){.bodies = PT_BUF_INIT(BLOCK_MAX)};
    const uint64_t fill = scene->prefill / SCENE_PREFILL_PACKS;
    scene->blocks = calloc(scene->statements + fill + 1, sizeof *scene->blocks);
    if (!scene->blocks) bench_stop("out of memory");
    scene->pattern.first = scene->prefill;
    const struct load_pattern before = {.genesis = scene->genesis_hash, .packs = SCENE_PREFILL_PACKS, .task = "commission"};
    seal_all(scene, &state, &before, fill);
    scene->prefill_blocks = scene->block_count;
    seal_all(scene, &state, &scene->pattern, scene->statements);
    pt_buf_free(&state.bodies);
}

void scene_make(struct scene *scene) {
    make_genesis(scene);
    scene->pattern.genesis = scene->genesis_hash;
    make_blocks(scene);
}

void scene_free_blocks(struct scene *scene) {
    for (size_t i = 0; i < scene->block_count; i++) pt_buf_free(&scene->blocks[i]);
    free(scene->blocks);
}
