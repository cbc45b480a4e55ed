#include "ledger/state/claim_record.h"

uint64_t claim_dispensing_net(const struct claim_dispensing *dispensing) {
    return dispensing->granted > dispensing->back ? dispensing->granted - dispensing->back : 0;
}

uint64_t claim_dispensing_open(const struct claim_dispensing *dispensing) {
    const uint64_t net = claim_dispensing_net(dispensing);
    return net > dispensing->settled ? net - dispensing->settled : 0;
}

// Undoing one makes room for what follows it, never more than it gave back: so the sum of what is out up to each
// dispensing does not grow, and no later grant falls.
void claim_pack_grant(struct claim_pack *pack, uint64_t content) {
    uint64_t out = 0;
    for (size_t i = 0; i < pack->dispensing_count; i++) {
        struct claim_dispensing *dispensing = &pack->dispensings[i];
        const uint64_t room = content > out ? content - out : 0;
        if (dispensing->asked == 0) dispensing->asked = room > 0 ? room : content;
        dispensing->granted = dispensing->asked < room ? dispensing->asked : room;
        out += claim_dispensing_net(dispensing);
    }
}

uint64_t claim_pack_settled(const struct claim_pack *pack) {
    uint64_t settled = 0;
    for (size_t i = 0; i < pack->line_count; i++) settled += pack->lines[i].units;
    return settled;
}

struct claim_dispensing *claim_pack_dispensing(const struct claim_pack *pack, uint64_t leaf) {
    for (size_t i = 0; i < pack->dispensing_count; i++)
        if (pack->dispensings[i].leaf == leaf) return &pack->dispensings[i];
    return NULL;
}

bool claim_pack_reversal_due(const struct claim_pack *pack, size_t line) {
    const struct claim_dispensing *dispensing = claim_pack_dispensing(pack, pack->lines[line].dispensing);
    const uint64_t net = dispensing ? claim_dispensing_net(dispensing) : 0;
    uint64_t over = dispensing && dispensing->settled > net ? dispensing->settled - net : 0;
    for (size_t i = pack->line_count; over > 0 && i-- > line;) {
        if (pack->lines[i].dispensing != pack->lines[line].dispensing) continue;
        if (i == line) return true;
        over -= over < pack->lines[i].units ? over : pack->lines[i].units;
    }
    return false;
}
