// Signs one EPCIS event (JSON on standard input) as a company's IT would, and writes the statement to standard output.
//   sign-event KEY.pem GENESIS SEQUENCE PREVIOUS-HEX|-
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/chain/actor.h"
#include "common/cose/statement.h"

enum { MOST_KEY = 65536 };

static int fail(const struct pt_error *err) {
    fprintf(stderr, "sign-event: %s (%s)\n", err->what, err->where);
    return 3;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    struct pt_error err = {0};
    struct genesis genesis = {0};
    struct signer signer;
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(MOST_KEY), file = PT_BUF_INIT(GENESIS_MAX), event = PT_BUF_INIT(STATEMENT_MAX),
                                          out = PT_BUF_INIT(STATEMENT_MAX), previous = PT_BUF_INIT(PT_DIGEST_SIZE);
    if (pt_file_read(argv[1], &key, &err) != PT_OK || signer_openssl_from_pem(pt_buf_bytes(&key), &signer, &err) != PT_OK) return fail(&err);
    if (pt_file_read(argv[2], &file, &err) != PT_OK || genesis_decode(pt_buf_bytes(&file), &genesis, &err) != PT_OK) return fail(&err);
    for (int c; (c = getchar()) != EOF;) pt_buf_byte(&event, (uint8_t)c);
    struct statement_draft draft = {
        .content_type = STATEMENT_EVENT_JSON,
        .issuer = "https://id.gs1.org/417/9506000000000",
        .subject = "event",
        .genesis = genesis.hash,
        .sequence = strtoull(argv[3], NULL, 10),
        .payload = pt_buf_bytes(&event),
    };
    if (strcmp(argv[4], "-") != 0) {
        if (pt_hex_decode(pt_bytes_str(argv[4]), &previous, &err) != PT_OK || previous.len != PT_DIGEST_SIZE) return 2;
        memcpy(draft.previous.bytes, previous.data, PT_DIGEST_SIZE);
    }
    if (statement_sign(&draft, &signer, &out, &err) != PT_OK) return fail(&err);
    fwrite(out.data, 1, out.len, stdout);
    signer_openssl_free(&signer);
    genesis_free(&genesis);
    return 0;
}
