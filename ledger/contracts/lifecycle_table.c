#include "ledger/contracts/lifecycle_table.h"

#include <string.h>

static const char *const names[LIFECYCLE_OPERATIONS] = {
    "observe", "commission", "fill", "pack", "empty", "unpack", "ship", "void_ship", "receive", "send_back", "take_back",
    "dispense", "undo", "hold", "release", "recall", "decommission", "destroy", "steal", "sample", "export", "check_out",
    "free_sample", "lock", "withdraw"};

enum lifecycle_profile lifecycle_profile_of(const char *name, enum lifecycle_profile otherwise) {
    if (name && strcmp(name, "cn") == 0) return PROFILE_CN;
    return name && strcmp(name, "eu") == 0 ? PROFILE_EU : otherwise;
}

// ISO 3166: the code of a country, or of a part of one behind it ("CN-SX").
bool lifecycle_profile_covers(enum lifecycle_profile profile, const char *territory) {
    // The EU's member states, the EEA, and Northern Ireland.
    static const char europe[] = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK IS LI NO XI GB-NIR ";
    const char *codes = profile == PROFILE_CN ? "CN " : europe;
    for (const char *code = codes; *code; code = strchr(code, ' ') + 1) {
        const size_t len = strcspn(code, " ");
        if (strncmp(territory, code, len) == 0 && (territory[len] == 0 || territory[len] == '-')) return true;
    }
    return false;
}

const char *lifecycle_operation_name(enum lifecycle_operation operation) {
    return (unsigned)operation < LIFECYCLE_OPERATIONS ? names[operation] : "observe";
}

const struct lifecycle_transition *lifecycle_transition(enum lifecycle_profile profile, enum lifecycle_operation operation,
                                                        enum lifecycle_state from) {
    return &lifecycle_cells[(unsigned)profile < LIFECYCLE_PROFILES ? profile : 0]
                           [(unsigned)operation < LIFECYCLE_OPERATIONS ? operation : 0]
                           [(unsigned)from < LIFECYCLE_STATES ? from : 0];
}

bool lifecycle_operation_parts(enum lifecycle_operation operation) {
    switch (operation) {
    case OPERATION_SHIP:
    case OPERATION_RECEIVE:
    case OPERATION_SEND_BACK:
    case OPERATION_TAKE_BACK:
    case OPERATION_DISPENSE:
    case OPERATION_DECOMMISSION:
    case OPERATION_DESTROY:
    case OPERATION_SAMPLE:
    case OPERATION_EXPORT:
    case OPERATION_CHECK_OUT:
    case OPERATION_FREE_SAMPLE:
    case OPERATION_UNPACK: return true;
    default: return false;
    }
}

bool lifecycle_operation_trades(enum lifecycle_operation operation) {
    return operation == OPERATION_SHIP || operation == OPERATION_DISPENSE || operation == OPERATION_FREE_SAMPLE;
}

static bool same(const struct lifecycle_transition *a, enum lifecycle_state a_from, const struct lifecycle_transition *b,
                 enum lifecycle_state b_from) {
    const bool a_stays = a->to == a_from, b_stays = b->to == b_from;
    return a_stays == b_stays && (a_stays || a->to == b->to) && a->alert == b->alert && a->mode == b->mode && a->confidence == b->confidence;
}

// States that fare alike share a line, under the first of them.
static void print_operation(enum lifecycle_profile profile, enum lifecycle_operation operation, struct pt_buf *out) {
    bool told[LIFECYCLE_STATES] = {false};
    pt_buf_printf(out, "%s: %s\n", names[operation], lifecycle_operation_texts[operation]);
    for (unsigned i = 0; i < LIFECYCLE_STATES; i++) {
        const struct lifecycle_transition *first = lifecycle_transition(profile, operation, (enum lifecycle_state)i);
        unsigned count = 0;
        const bool stays = first->to == (enum lifecycle_state)i;
        if (told[i]) continue;
        pt_buf_str(out, "  ");
        for (unsigned j = i; j < LIFECYCLE_STATES; j++) {
            const struct lifecycle_transition *other = lifecycle_transition(profile, operation, (enum lifecycle_state)j);
            if (told[j] || !same(first, (enum lifecycle_state)i, other, (enum lifecycle_state)j)) continue;
            told[j] = true;
            count++;
            pt_buf_printf(out, "%s ", lifecycle_state_shorts[j]);
        }
        pt_buf_printf(out, "%*s-> %s", count < 18 ? (int)(72 - 4 * count) : 0, "", stays ? "=" : lifecycle_state_shorts[first->to]);
        if (first->alert)
            pt_buf_printf(out, "  %s %s %u", first->mode == ALERT_SHADOW ? "note" : "alert", alert_kind_name(first->alert), first->confidence);
        pt_buf_str(out, "\n");
    }
}

void lifecycle_table_print(enum lifecycle_profile profile, struct pt_buf *out) {
    for (unsigned i = 0; i < LIFECYCLE_STATES; i++)
        pt_buf_printf(out, "%s %-16s%s", lifecycle_state_shorts[i], lifecycle_state_name((enum lifecycle_state)i), i % 6 == 5 ? "\n" : "  ");
    for (unsigned i = 0; i < LIFECYCLE_OPERATIONS; i++) {
        pt_buf_str(out, "\n");
        print_operation(profile, (enum lifecycle_operation)i, out);
    }
}
