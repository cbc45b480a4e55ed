#include "firmware/work/work_table.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/siphash.h"

uint64_t work_hash(const char *word, const struct pack_id *pack) {
    // Hashes lie in files of the terminal, so the key is fixed; whoever aims at it makes his own pack look like another one that
    // this terminal handled, which he could do as well by copying the other one's code.
    static const struct pt_siphash_key key = {0x7061636b74726169u, 0x6c2d776f726b2d31u};
    uint8_t text[64 + PACK_KEY_MAX + 2];
    struct pt_buf buf = PT_BUF_OVER(text);
    pt_buf_append(&buf, word, strlen(word) + 1);
    if (pack_id_key(pack, &buf, NULL) != PT_OK) return 1;
    const uint64_t hash = pt_siphash(key, pt_buf_bytes(&buf));
    return hash ? hash : 1;
}

static struct work_slot *slot_of(const struct work_table *table, uint64_t hash) {
    size_t at = (size_t)hash & (table->cap - 1);
    while (table->slots[at].hash != 0 && table->slots[at].hash != hash) at = (at + 1) & (table->cap - 1);
    return &table->slots[at];
}

bool work_table_get(const struct work_table *table, uint64_t hash, uint32_t *value) {
    if (table->count == 0) return false;
    const struct work_slot *slot = slot_of(table, hash);
    if (slot->hash == 0) return false;
    if (value) *value = slot->value;
    return true;
}

static enum pt_code grow(struct work_table *table, struct pt_error *err) {
    struct work_table grown = {.cap = table->cap ? table->cap * 2 : 64, .count = table->count};
    grown.slots = calloc(grown.cap, sizeof *grown.slots);
    if (!grown.slots) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; i < table->cap; i++)
        if (table->slots[i].hash != 0) *slot_of(&grown, table->slots[i].hash) = table->slots[i];
    free(table->slots);
    *table = grown;
    return PT_OK;
}

enum pt_code work_table_put(struct work_table *table, uint64_t hash, uint32_t value, struct pt_error *err) {
    if (table->count * 3 >= table->cap * 2) {
        const enum pt_code code = grow(table, err);
        if (code != PT_OK) return code;
    }
    struct work_slot *slot = slot_of(table, hash);
    if (slot->hash == 0) table->count++;
    *slot = (struct work_slot){hash, value};
    return PT_OK;
}

void work_table_free(struct work_table *table) {
    free(table->slots);
    *table = (struct work_table){0};
}
