#include "tools/pn532sim/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "firmware/scan/ndef.h"

static enum pt_code present(struct pn532 *chip, const char *uid_hex, const char *uri, const char *kind_name,
                            struct pt_buf *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf uid = PT_BUF_INIT(16);
    PT_CLEANUP(pt_buf_free) struct pt_buf message = PT_BUF_INIT(NDEF_MAX_MESSAGE);
    struct sim_tag tag;
    enum sim_tag_kind kind = strcmp(kind_name, "type4") == 0 ? SIM_TYPE4 : SIM_TYPE2;
    if (kind_name[0] && kind == SIM_TYPE2 && strcmp(kind_name, "type2") != 0)
        return pt_fail(err, PT_USAGE, NULL, "a tag is type2 or type4, not %s", kind_name);
    enum pt_code code = pt_hex_decode(pt_bytes_str(uid_hex), &uid, err);
    if (code != PT_OK) return code;
    if (strncmp(uri, "hex:", 4) == 0) {
        code = pt_hex_decode(pt_bytes_str(uri + 4), &message, err);
        if (code == PT_OK) code = sim_tag_make_raw(&tag, kind, pt_buf_bytes(&uid), pt_buf_bytes(&message), err);
    } else {
        code = sim_tag_make(&tag, kind, pt_buf_bytes(&uid), pt_bytes_str(strcmp(uri, "-") == 0 ? "" : uri), err);
    }
    if (code == PT_OK) pn532_present(chip, &tag, out);
    return code;
}

enum pt_code pn532_control(struct pn532 *chip, const char *line, struct pt_buf *out, struct pt_error *err) {
    char word[32] = "", uid[32] = "", uri[2600] = "", kind[16] = "";
    int words = sscanf(line, "%31s %31s %2599s %15s", word, uid, uri, kind);
    if (words >= 3 && strcmp(word, "present") == 0) return present(chip, uid, uri, kind, out, err);
    if (words == 1 && strcmp(word, "remove") == 0) {
        pn532_remove(chip);
        return PT_OK;
    }
    if (words == 2 && strcmp(word, "remove-after") == 0 && atoi(uid) > 0) {
        chip->lose_after = (unsigned)atoi(uid);
        return PT_OK;
    }
    return pt_fail(err, PT_USAGE, NULL, "not understood: %s (present UID URI [type2|type4], remove, remove-after N)", line);
}
