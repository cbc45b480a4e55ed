#include "common/claim/claim_answer.h"

static const struct {
    const char *name, *zh, *en;
} reasons[CLAIM_REASONS] = {
    [CLAIM_REASON_NONE] = {"", "", ""},
    [CLAIM_NOT_DISPENSED] = {"not_dispensed", "未查到该追溯码的发药记录", "no dispensing of this pack is known"},
    [CLAIM_WRONG_PRODUCT] = {"wrong_product", "追溯码与申报药品不符", "the pack is not the product claimed"},
    [CLAIM_OVER_CONTENT] = {"over_content", "累计结算数量超过包装含量", "more would be settled than the pack holds"},
    [CLAIM_ALREADY_SETTLED] = {"already_settled", "该明细已按其他内容结算", "this line is settled with other content"},
    [CLAIM_OTHER_PLACE] = {"other_place", "发药地点与申报不符", "it was dispensed at another place than the one claimed"},
    [CLAIM_WRONG_PRESCRIPTION] = {"wrong_prescription", "处方与发药记录不符", "it was dispensed to another prescription"},
    [CLAIM_UNKNOWN_PACK] = {"unknown_pack", "账本中没有该追溯码", "nothing is known of this pack"},
    [CLAIM_NOT_YOUR_LINE] = {"not_your_line", "本机构没有可冲销的该明细", "this insurer has no such settled line of this pack"},
    [CLAIM_UNREADABLE_CODE] = {"unreadable_code", "追溯码无法识别，请核对录入", "the pack's code cannot be read; was it typed wrongly?"},
    [CLAIM_PRODUCT_MISTYPED] = {"product_mistyped", "药品编码疑似录入错误", "the product's code looks mistyped"},
    [CLAIM_UNKNOWN_PRODUCT] = {"unknown_product", "主数据不足，无法核对药品", "no master record tells whether pack and product belong together"},
    [CLAIM_CONTENT_UNKNOWN] = {"content_unknown", "包装含量未知，待主数据补齐", "nothing says how many units the pack holds"},
    [CLAIM_TAKEN_BACK] = {"taken_back", "发药已撤销或药品已退回", "the dispensing was undone, or the goods came back"},
    [CLAIM_NOT_FINAL] = {"not_final", "发药记录尚未最终确认，请稍后重试", "the dispensing is not final yet; ask again"},
    [CLAIM_OTHER_DISPENSING] = {"other_dispensing", "所引用的记录不是该药品的发药记录", "what the line names is no dispensing of this pack"},
    [CLAIM_NO_PRESCRIPTION] = {"no_prescription", "发药记录未关联处方", "the dispensing names no prescription"},
    [CLAIM_CONTAINER] = {"container", "该码为箱码或托盘码，不能结算", "the code is that of a case or pallet"},
    [CLAIM_ALREADY_REVERSED] = {"already_reversed", "该明细已冲销，请使用新的明细号", "the line was reversed: claim under a new line id"},
    [CLAIM_TOO_MANY_PARTS] = {"too_many_parts", "该包装的发药或结算次数过多", "more parts of this pack than are kept apart"},
    [CLAIM_OVER_DISPENSED] = {"over_dispensed", "超过该次发药的可结算数量", "more than is left to settle of that dispensing"},
};

const char *claim_outcome_name(enum claim_outcome outcome) {
    static const char *const names[] = {"unknown", "settled", "reversed", "duplicate", "refused"};
    return (unsigned)outcome < sizeof names / sizeof *names ? names[outcome] : names[0];
}

const char *claim_reason_name(enum claim_reason reason) { return (unsigned)reason < CLAIM_REASONS ? reasons[reason].name : "unknown"; }

const char *claim_reason_text(enum claim_reason reason, bool chinese) {
    if ((unsigned)reason >= CLAIM_REASONS) return "";
    return chinese ? reasons[reason].zh : reasons[reason].en;
}
