// Misread: a code that nobody announced but that is, character for character, what a reader set up wrongly makes of one
// that was. Looked for in events of a few single packs: there is where people scan.
#include <string.h>

#include "common/identify/pack_id.h"
#include "ledger/contracts/detect.h"
#include "ledger/contracts/packs.h"

#define PACKS_MOST 16u

static const char *const reasons[] = {"capitals and small letters are swapped", "a German keyboard layout: Y and Z are swapped",
                                      "a French keyboard layout: digits came as signs", "a separator was lost: the next element is in the serial"};
#define WAYS 4u

static bool swap_case(char *serial) {
    bool changed = false;
    for (char *c = serial; *c; c++) {
        const char before = *c;
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 32);
        else if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
        changed = changed || before != *c;
    }
    return changed;
}

static bool german(char *serial) {
    static const char from[] = "YZyz", to[] = "ZYzy";
    bool changed = false;
    for (char *c = serial; *c; c++) {
        const char *place = strchr(from, *c);
        if (!place) continue;
        *c = to[place - from];
        changed = true;
    }
    return changed;
}

// AZERTY without the shift key; letters that move are put back as well.
static bool french(char *serial) {
    static const char signs[] = "&\"'(-_", digits[] = "134568";
    bool changed = false;
    for (char *c = serial; *c; c++) {
        const char *place = strchr(signs, *c);
        if (*c >= '0' && *c <= '9') return false;
        if (!place) continue;
        *c = digits[place - signs];
        changed = true;
    }
    return changed;
}

// "10" and a lot, or "17" and a date, behind the serial. The last that could be meant counts, so that serials may hold them too.
static bool separator(char *serial) {
    const size_t len = strlen(serial);
    for (size_t i = len > 4 ? len - 4 : 0; i > 3; i--) {
        const bool lot = memcmp(serial + i, "10", 2) == 0 && len - i > 4;
        const bool date = memcmp(serial + i, "17", 2) == 0 && len - i >= 8;
        if (!lot && !date) continue;
        serial[i] = 0;
        return true;
    }
    return false;
}

// The n-th pack that this code may have been. False: none.
static bool meant(struct pt_bytes key, unsigned way, struct pt_buf *out) {
    struct pack_id id;
    if (pack_id_from_key(key, &id, NULL) != PT_OK || id.kind != PACK_SGTIN) return false;
    const bool changed = way == 0 ? swap_case(id.serial) : way == 1 ? german(id.serial) : way == 2 ? french(id.serial) : separator(id.serial);
    if (!changed || pack_id_check(&id, NULL) != PT_OK) return false;
    pt_buf_clear(out);
    return pack_id_key(&id, out, NULL) == PT_OK;
}

static bool worth_looking(const struct contract_input *input) { return input->pack_count > 0 && input->pack_count <= PACKS_MOST; }

void detect_misread_declare(const struct contract_input *input, const struct contract_context *context, struct access_list *out) {
    uint8_t memory[PACK_KEY_MAX + 1];
    struct pt_buf key = {.data = memory, .cap = sizeof memory, .ceiling = PACK_KEY_MAX};
    for (size_t i = 0; worth_looking(input) && i < input->pack_count; i++) {
        for (unsigned way = 0; way < WAYS; way++) {
            if (!meant(input->packs[i].key, way, &key)) continue;
            uint8_t *copy = pt_arena_alloc(context->arena, 1, key.len);
            if (!copy) {
                out->failed = true;
                return;
            }
            memcpy(copy, key.data, key.len);
            access_declare(out, STATE_PACK, ACCESS_READ, pt_bytes_of(copy, key.len));
        }
    }
}

enum pt_code detect_misread(const struct detect_look *look, bool *misread, const char **how, struct pt_error *err) {
    uint8_t memory[PACK_KEY_MAX + 1];
    struct pt_buf key = {.data = memory, .cap = sizeof memory, .ceiling = PACK_KEY_MAX};
    *misread = false;
    for (unsigned way = 0; worth_looking(look->sighting->input) && way < WAYS; way++) {
        struct pack_record record;
        bool found;
        if (!meant(look->sighting->key, way, &key)) continue;
        const enum pt_code code = packs_read(look->view, pt_buf_bytes(&key), &record, &found, err);
        if (code != PT_OK) return code;
        if (!found || !(record.flags & PACK_FLAG_ANNOUNCED)) continue;
        *misread = true;
        *how = reasons[way];
        return PT_OK;
    }
    return PT_OK;
}
