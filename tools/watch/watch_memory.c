#include "tools/watch/watch_memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/json.h"
#include "common/base/text.h"

#define FILE_MAX ((size_t)64 * 1024)
#define EVIDENCE_FILES_MOST 10000

enum pt_code watch_checkpoint_verify(struct pt_bytes bytes, const struct genesis *genesis, struct checkpoint *out,
                                     struct pt_error *err) {
    enum pt_code code = pt_fail(err, PT_UNVERIFIED, "checkpoint", "no executor of the genesis signed it");
    for (size_t i = 0; code != PT_OK && i < genesis->actor_count; i++) {
        PT_CLEANUP(verify_key_cleanup) struct verify_key *key = NULL;
        if (genesis->actors[i].role != ACTOR_EXECUTOR) continue;
        if (verify_key_from_cose(pt_buf_bytes(&genesis->actors[i].key), &key, NULL) != PT_OK) continue;
        if (checkpoint_verify(bytes, key, &genesis->hash, out, NULL) == PT_OK) code = PT_OK;
    }
    return code;
}

static enum pt_code parse(const json_t *value, const struct genesis *genesis, struct watch_node *node, struct pt_error *err) {
    const char *checkpoint = json_string_value(json_object_get(value, "checkpoint"));
    const char *advanced = json_string_value(json_object_get(value, "advanced"));
    struct pt_instant instant;
    if (!value) return PT_OK;
    if (!checkpoint || !advanced) return pt_fail(err, PT_INVALID, NULL, "this is no watcher's memory");
    enum pt_code code = pt_base64_decode(pt_bytes_str(checkpoint), &node->last, err);
    if (code == PT_OK) code = pt_instant_parse(pt_bytes_str(advanced), &instant, err);
    if (code == PT_OK) code = watch_checkpoint_verify(pt_buf_bytes(&node->last), genesis, &node->memory.last, err);
    if (code != PT_OK) return code;
    node->memory.known = true;
    node->memory.advanced = pt_instant_millis(&instant);
    return PT_OK;
}

enum pt_code watch_memory_read(const char *file, const struct genesis *genesis, struct watch_node *nodes, size_t count,
                               struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(FILE_MAX);
    PT_JSON json_t *value = NULL;
    enum pt_code code = pt_file_read(file, &text, err);
    if (code == PT_NOT_FOUND) return PT_OK;
    if (code == PT_OK) code = pt_json_parse(pt_buf_bytes(&text), FILE_MAX, &value, err);
    for (size_t i = 0; code == PT_OK && i < count; i++) code = parse(json_object_get(value, nodes[i].url), genesis, &nodes[i], err);
    return code == PT_OK ? PT_OK : pt_error_under(err, "%s ", file);
}

static void put_base64(json_t *object, const char *name, struct pt_bytes bytes) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(FILE_MAX);
    pt_base64_append(&text, bytes);
    json_object_set_new(object, name, json_string(pt_buf_cstr(&text)));
}

static void put_time(json_t *object, const char *name, pt_millis time) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(64);
    const struct pt_instant instant = pt_instant_from_millis(time);
    pt_instant_append(&text, &instant);
    json_object_set_new(object, name, json_string(pt_buf_cstr(&text)));
}

static enum pt_code write_json(const char *file, json_t *object, struct pt_error *err) {
    PT_JSON json_t *owned = object;
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(FILE_MAX);
    const enum pt_code code = pt_json_append(&text, owned, err);
    pt_buf_byte(&text, '\n');
    return code == PT_OK ? pt_file_replace(file, pt_buf_bytes(&text), 0644, err) : code;
}

enum pt_code watch_memory_write(const char *file, const struct watch_node *nodes, size_t count, struct pt_error *err) {
    json_t *all = json_object();
    for (size_t i = 0; i < count; i++) {
        if (!nodes[i].memory.known) continue;
        json_t *object = json_object();
        put_base64(object, "checkpoint", pt_buf_bytes(&nodes[i].last));
        put_time(object, "advanced", nodes[i].memory.advanced);
        json_object_set_new(all, nodes[i].url, object);
    }
    return write_json(file, all, err);
}

enum pt_code watch_evidence_write(const char *file, enum watch_state state, const char *why, struct pt_bytes known, struct pt_bytes seen,
                                  const char *from, char name[512], struct pt_error *err) {
    for (int number = 1; number <= EVIDENCE_FILES_MOST; number++) {
        snprintf(name, 512, "%s.evidence-%d", file, number);
        if (access(name, F_OK) != 0) break;
    }
    json_t *object = json_object();
    json_object_set_new(object, "state", json_string(watch_state_name(state)));
    json_object_set_new(object, "why", json_string(why));
    json_object_set_new(object, "from", json_string(from));
    put_base64(object, "known", known);
    put_base64(object, "seen", seen);
    const struct pt_env *env = pt_env_system();
    put_time(object, "at", env->now(env->ctx));
    return write_json(name, object, err);
}
