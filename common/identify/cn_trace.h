// Chinese drug codes (NMPAB/T 1002-2019, the three kinds that the NHSA accepts): the 20-digit trace code, codes of
// companies' own schemes, and what is often scanned in their place.
#ifndef PACKTRAIL_COMMON_IDENTIFY_CN_TRACE_H
#define PACKTRAIL_COMMON_IDENTIFY_CN_TRACE_H

#include "common/identify/pack_id.h"

#define CN_TRACE_DIGITS 20u
#define CN_DRUG_DIGITS 7u // 药品标识码: names product, specification, package and its level

// 20 digits that start with 8. The last four are a cipher that is not public, so nothing more can be claimed: the code
// is well-formed, not genuine. PT_INVALID with the position otherwise.
enum pt_code cn_trace_parse(struct pt_bytes code, struct pack_id *out, struct pt_error *err) PT_NODISCARD;

enum cn_charset {
    CN_SET_DIGITS,
    CN_SET_UPPER,   // digits and capital letters
    CN_SET_ALNUM,   // digits and letters
    CN_SET_GB_1988, // every printable character of GB/T 1988 (ISO/IEC 646) but space
};

enum cn_check {
    CN_CHECK_NONE,
    CN_CHECK_MOD_10, // last digit as in GS1 keys; digits only
    CN_CHECK_MOD_37, // last character by ISO/IEC 7064 MOD 37-2 (digits, capitals; check character may be '*')
};

// A company's own coding scheme, as the consortium registered it by vote.
struct cn_scheme {
    char name[PACK_PRODUCT_MAX + 1]; // lower-case letters, digits, '-'
    char prefix[17];                 // what every code starts with; may be empty
    uint16_t min;                    // characters of a whole code
    uint16_t max;
    enum cn_charset charset;
    enum cn_check check;
};

bool cn_scheme_name_valid(struct pt_bytes name);

// Whether the code fits the scheme; the pack_id then has the scheme's name and the code. PT_INVALID with the position.
enum pt_code cn_company_parse(const struct cn_scheme *scheme, struct pt_bytes code, struct pack_id *out,
                              struct pt_error *err) PT_NODISCARD;

// Whether this is an EAN-13 of a Chinese company (690 to 699, right check digit): a product code, on every pack of
// that product alike, and no trace code.
bool cn_is_product_code(struct pt_bytes code);

#endif
