// What platforms answer, the till's record of a sale, and the ledger's answer about a pack.
#include <stdlib.h>
#include <string.h>

#include "gateway/settlement/settlement_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    static json_t *lists;
    if (!lists) lists = json_pack("[[s], [s], [s], [s], [s]]", "0", "1", "2", "3", "9");
    const struct answer_rules rules = {
        .transport_at = "/c", .good = json_array_get(lists, 0), .again = json_array_get(lists, 3), .transport_code = "/c", .transport_text = "/t/0",
        .business_at = "/o/r", .accepted = json_array_get(lists, 1), .refused = json_array_get(lists, 0), .pending = json_array_get(lists, 2),
        .absent = data[0] & 1 ? json_array_get(lists, 4) : NULL, .business_code = "/o/c", .business_text = "/o/t"};
    const struct pt_bytes body = pt_bytes_of(data + 1, size - 1);
    struct answer answer;
    struct pt_error err;
    answer_read(&rules, data[0] & 2 ? 200 : 300 + data[0], body, &answer);
    // A refusal or an absence is never made of nothing.
    if (body.len == 0 && (answer.meaning == ANSWER_ACCEPTED || answer.meaning == ANSWER_ABSENT)) abort();
    if (memchr(answer.code, 0, sizeof answer.code) == NULL || memchr(answer.text, 0, sizeof answer.text) == NULL) abort();
    if (sale_record_check(body, &err) == PT_OK) {}
    struct pt_arena arena = {0};
    const char *lot, *expiry;
    if (catalogue_read_pack(body, &arena, &lot, &expiry, &err) == PT_OK) {}
    pt_arena_free(&arena);
    return 0;
}
