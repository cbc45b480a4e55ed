#include "ledger/api/verdict.h"

#include <limits.h>
#include <string.h>

// One row a reason, the gravest first: the first that applies is told.
struct row {
    enum verdict_colour colour;
    const char *code;
    const char *en, *zh, *do_en, *do_zh;
    const char *additional_info;
};

static const struct row row_unknown = {
    VERDICT_RED, "unknown", "No manufacturer has announced this code.", "没有生产企业登记过此码。",
    "Do not dispense. Keep the pack and report it.", "请勿发药。请留存药品并上报。", "Suspect"};
static const struct row row_recalled = {
    VERDICT_RED, "recalled", "This pack is recalled.", "该药品已被召回。",
    "Do not dispense. Set it aside for the recall.", "请勿发药。请单独存放，等待召回处理。", "Recalled"};
static const struct row row_dispensed = {
    VERDICT_RED, "already_dispensed", "This pack has already been dispensed.", "该药品已售出或已用完。",
    "Do not dispense. A copy of the code or a sold pack may be back in trade: report it.",
    "请勿发药。可能是复制码或回流药品，请上报。", "Suspect"};
static const struct row row_stolen = {
    VERDICT_RED, "stolen", "This pack is reported stolen.", "该药品已报失窃。",
    "Do not dispense. Keep it and call the authority.", "请勿发药。请留存药品并联系监管部门。", "Illegitimate"};
static const struct row row_dead = {
    VERDICT_RED, "out_of_use", "This code was taken out of use (destroyed, exported or decommissioned).",
    "此码已停用（已销毁、出口或注销）。", "Do not dispense. Keep the pack and report it.", "请勿发药。请留存药品并上报。", "Suspect"};
static const struct row row_returned = {
    VERDICT_RED, "returned", "A patient returned this pack.", "该药品曾由患者退回。",
    "Do not dispense. Returned packs are never sold again.", "请勿发药。退回药品不得再次销售。", NULL};
static const struct row row_sample = {
    VERDICT_RED, "sample", "This pack was taken as a sample.", "该药品已被抽样。", "Do not dispense.", "请勿发药。", NULL};
static const struct row row_free_sample = {
    VERDICT_RED, "free_sample", "This pack was given away as a free sample.", "该药品已作为免费样品发出。", "Do not dispense or sell.",
    "请勿发药或销售。", NULL};
static const struct row row_checked_out = {
    VERDICT_RED, "checked_out", "This pack was checked out for repackaging or another market.", "该药品已转出（重新包装或销往其他市场）。",
    "Do not dispense. Ask whoever checked it out.", "请勿发药。请联系转出单位。", "Suspect"};
static const struct row row_locked = {
    VERDICT_RED, "locked", "This pack is locked while it is investigated.", "该药品已锁定，正在调查。",
    "Do not dispense. Keep it aside until it is released.", "请勿发药。请单独存放，等待解除锁定。", "Suspect"};
static const struct row row_withdrawn = {
    VERDICT_RED, "withdrawn", "The product was withdrawn from the market.", "该产品已撤市。",
    "Do not dispense. Set it aside and send it back.", "请勿发药。请单独存放并退回。", "Recalled"};
static const struct row row_expired = {
    VERDICT_RED, "expired", "This pack is past its expiry date.", "该药品已过有效期。", "Do not dispense. Destroy it as the rules say.",
    "请勿发药。请按规定销毁。", "Expired"};
static const struct row row_lot = {
    VERDICT_RED, "lot_mismatch", "The lot on the label is not the one the manufacturer announced.", "标签批号与生产企业登记的不一致。",
    "Do not dispense. Compare the printed lot; if it is as scanned, report the pack.", "请勿发药。请核对印刷批号，如一致请上报。", "Suspect"};
static const struct row row_expiry = {
    VERDICT_RED, "expiry_mismatch", "The expiry date on the label is not the one the manufacturer announced.",
    "标签有效期与生产企业登记的不一致。", "Do not dispense. Compare the printed date; if it is as scanned, report the pack.",
    "请勿发药。请核对印刷日期，如一致请上报。", "Suspect"};
static const struct row row_maybe_recalled = {
    VERDICT_AMBER, "may_be_recalled", "This pack may be recalled: its lot or place is not known well enough to tell.",
    "该药品可能属于召回范围：其批号或所在地尚不足以确认。", "Compare the lot on the pack with the recall before dispensing.",
    "发药前请核对药品批号与召回通知。", NULL};
static const struct row row_quarantined = {
    VERDICT_AMBER, "quarantined", "This pack is set aside (quarantine).", "该药品处于隔离状态。",
    "Wait until it is released.", "请等待放行。", NULL};
static const struct row row_no_data = {
    VERDICT_AMBER, "no_data", "The pack was seen in trade, but its manufacturer's data have not arrived.",
    "该药品已在流通中出现，但生产企业数据尚未到达。", "Keep it aside; it is released by itself when the data arrive.", "请单独存放，数据到达后将自动放行。", "Suspect"};
static const struct row row_transit = {
    VERDICT_AMBER, "in_transit", "This pack was sent off but never received.", "该药品已发出，但尚未登记入库。",
    "Receive the delivery first, then scan again.", "请先办理入库，然后重新扫码。", NULL};
static const struct row row_not_received = {
    VERDICT_AMBER, "not_received", "This pack was made but no one has received it into stock.", "该药品已赋码，但尚无入库记录。",
    "Receive it first, then scan again.", "请先办理入库，然后重新扫码。", NULL};
static const struct row row_unconfirmed = {
    VERDICT_AMBER, "contents_unconfirmed", "Its case was opened on the way: that it is here is not confirmed.",
    "外箱曾在途中打开，箱内药品未经确认。", "Scan each pack of the case on receipt.", "请在入库时逐盒扫码。", NULL};
static const struct row row_alert = {
    VERDICT_AMBER, "alert", "An alert names this pack.", "该药品存在预警。", "Ask the responsible pharmacist before dispensing.",
    "发药前请咨询责任药师。", "Suspect"};
static const struct row row_stale = {
    VERDICT_AMBER, "stale", "The ledger's data are too old to say so for sure.", "账本数据过旧，无法确认。",
    "Try again shortly; if it lasts, call the operator.", "请稍后重试；如持续出现请联系运维。", NULL};
static const struct row row_part_used = {
    VERDICT_GREEN, "genuine_part_used", "Genuine; part of it is dispensed.", "正品，部分已拆零发出。",
    "It may be dispensed up to what is left.", "可在剩余数量内发药。", NULL};
static const struct row row_genuine = {
    VERDICT_GREEN, "genuine", "Genuine, and in a state to be dispensed.", "来源清楚，状态正常。", "It may be dispensed.", "可以发药。", NULL};

static const struct row *row_of_state(const struct ledger_pack *pack) {
    switch (pack->state) {
    case LIFECYCLE_RECALLED: return &row_recalled;
    case LIFECYCLE_DISPENSED: return &row_dispensed;
    case LIFECYCLE_STOLEN: return &row_stolen;
    case LIFECYCLE_DECOMMISSIONED:
    case LIFECYCLE_DESTROYED:
    case LIFECYCLE_EXPORTED: return &row_dead;
    case LIFECYCLE_RETURNED: return &row_returned;
    case LIFECYCLE_SAMPLE: return &row_sample;
    case LIFECYCLE_FREE_SAMPLE: return &row_free_sample;
    case LIFECYCLE_CHECKED_OUT: return &row_checked_out;
    case LIFECYCLE_LOCKED: return &row_locked;
    case LIFECYCLE_WITHDRAWN: return &row_withdrawn;
    default: return NULL;
    }
}

static bool expiry_differs(const struct ledger_pack *pack, const struct verdict_label *label) {
    return label->has_expiry && pack->expiry_day != INT32_MIN && pack->expiry_day != label->expiry_day;
}

static bool lot_differs(const struct ledger_pack *pack, const struct verdict_label *label) {
    return label->lot && label->lot[0] && pack->lot && strcmp(pack->lot, label->lot) != 0;
}

static const struct row *choose(const struct ledger_pack *pack, const struct verdict_label *label, bool stale) {
    if (!pack->found || (pack->reasons & PACK_REASON_UNKNOWN)) return &row_unknown;
    if (pack->reasons & PACK_REASON_RECALLED) return &row_recalled;
    const struct row *dead = row_of_state(pack);
    if (dead) return dead;
    if (pack->reasons & PACK_REASON_EXPIRED) return &row_expired;
    if (lot_differs(pack, label)) return &row_lot;
    if (expiry_differs(pack, label)) return &row_expiry;
    if (pack->reasons & PACK_REASON_MAYBE_RECALLED) return &row_maybe_recalled;
    if (pack->reasons & PACK_REASON_NO_DATA) return &row_no_data;
    if (pack->state == LIFECYCLE_QUARANTINED) return &row_quarantined;
    if (pack->state == LIFECYCLE_IN_TRANSIT) return &row_transit;
    if (pack->reasons & PACK_REASON_UNCONFIRMED) return &row_unconfirmed;
    if (pack->state == LIFECYCLE_COMMISSIONED) return &row_not_received;
    if (!lifecycle_state_dispensable(pack->state)) return &row_unknown;
    if (pack->reasons & PACK_REASON_ALERT) return &row_alert;
    if (stale) return &row_stale;
    return pack->reasons & PACK_REASON_PART_USED ? &row_part_used : &row_genuine;
}

// The closed list of the GS1 Lightweight Messaging Standard for Verification of Product Identifiers.
static const char *failure_reason(const struct ledger_pack *pack, const struct verdict_label *label, const struct row *row) {
    const bool lot = lot_differs(pack, label);
    const bool expiry = expiry_differs(pack, label);
    if (row == &row_unknown || row == &row_no_data) return "No_match_GTIN_Serial";
    if (lot && expiry) return "No_match_GTIN_Serial_Lot_Expiry";
    if (lot) return "No_match_GTIN_Serial_Lot";
    if (expiry) return "No_match_GTIN_Serial_Expiry";
    if (row == &row_recalled) row = row_of_state(pack);  // a sold pack that is recalled stays a sold pack
    if (row == &row_dispensed || row == &row_returned || row == &row_dead || row == &row_stolen || row == &row_sample ||
        row == &row_free_sample || row == &row_checked_out || row == &row_locked)
        return "Not_for_re-distribution";
    return NULL;
}

struct verdict verdict_of(const struct ledger_pack *pack, const struct verdict_label *label, bool stale) {
    const struct row *row = choose(pack, label, stale);
    return (struct verdict){
        .colour = row->colour,
        .code = row->code,
        .en = row->en,
        .zh = row->zh,
        .do_en = row->do_en,
        .do_zh = row->do_zh,
        .failure_reason = failure_reason(pack, label, row),
        .by_recall = pack->recall && (row == &row_recalled || row == &row_maybe_recalled),
        .additional_info = row->additional_info,
    };
}

const char *verdict_colour_name(enum verdict_colour colour) {
    static const char *const names[] = {"red", "red", "amber", "green"};
    return names[colour];
}
