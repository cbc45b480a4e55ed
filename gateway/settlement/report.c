#include "gateway/settlement/report.h"

#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "common/net/https_client.h"

static const char *const names[] = {[REPORT_WAITING] = "waiting",   [REPORT_UNKNOWN] = "unknown",   [REPORT_ACCEPTED] = "accepted",
                                    [REPORT_REFUSED] = "refused",   [REPORT_REVERSED] = "reversed", [REPORT_VOID] = "void"};

const char *report_state_name(enum report_state state) { return names[state]; }

bool report_state_named(const char *name, enum report_state *out) {
    for (unsigned i = REPORT_WAITING; i <= REPORT_VOID; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *out = (enum report_state)i;
        return true;
    }
    return false;
}

bool report_is_open(const struct report *report) {
    return report->state == REPORT_WAITING || report->state == REPORT_UNKNOWN;
}

void report_serial(const struct report *report, char out[REPORT_SERIAL_MAX + 1]) {
    const struct pt_bytes parts[] = {pt_bytes_digest(&report->statement), pt_bytes_str(platform_name(report->platform))};
    const struct pt_digest digest = sha256_parts(parts, 2);
    char hex[65];
    pt_digest_hex(&digest, hex);
    snprintf(out, REPORT_SERIAL_MAX + 1, "PT%.24s%04u", hex, report->generation % 10000);
}

static void say(struct report *report, const char *level, const char *code, const char *reason) {
    snprintf(report->level, sizeof report->level, "%s", level);
    snprintf(report->code, sizeof report->code, "%s", code);
    snprintf(report->reason, sizeof report->reason, "%s", reason);
}

static void become(struct report *report, enum report_state state, pt_millis now) {
    report->state = state;
    report->changed = now;
}

static void pause(struct report *report, const struct report_pauses *pauses, pt_millis now, uint64_t random) {
    if (report->failures < 32) report->failures++;
    report->due = now + (pt_millis)https_backoff_ms(report->failures, (uint64_t)pauses->least, (uint64_t)pauses->most, random);
}

void report_sending(struct report *report, pt_millis now) {
    become(report, REPORT_UNKNOWN, now);
    report->attempts++;
    report->sent = now;
    report->due = now;
    say(report, "", "", "sent; the outcome is not known");
}

void report_not_sent(struct report *report, const struct report_pauses *pauses, pt_millis now, uint64_t random, const char *why) {
    become(report, REPORT_WAITING, now);
    pause(report, pauses, now, random);
    say(report, "transport", "", why);
}

static void settle(struct report *report, enum report_state state, const struct answer *answer, pt_millis now) {
    become(report, state, now);
    report->failures = 0;
    say(report, answer->business ? "business" : "transport", answer->code, answer->text);
}

void report_answered(struct report *report, const struct answer *answer, const struct report_pauses *pauses, pt_millis now,
                     uint64_t random) {
    switch (answer->meaning) {
    case ANSWER_ACCEPTED: settle(report, REPORT_ACCEPTED, answer, now); return;
    case ANSWER_REFUSED: settle(report, REPORT_REFUSED, answer, now); return;
    case ANSWER_AGAIN:
        report_not_sent(report, pauses, now, random, answer->text);
        snprintf(report->code, sizeof report->code, "%s", answer->code);
        return;
    case ANSWER_PENDING:
    case ANSWER_ABSENT:  // said in answer to a sending, this is no outcome either
    case ANSWER_UNCLEAR: break;
    }
    // A platform that is still at it is asked after the pause; so is one of which nothing was heard.
    become(report, REPORT_UNKNOWN, now);
    pause(report, pauses, now, random);
    const bool pending = answer->meaning == ANSWER_PENDING;
    say(report, answer->business ? "business" : "transport", answer->code,
        pending ? "the platform has it and has not decided" : answer->text[0] ? answer->text : "no answer came; the platform is asked first");
}

void report_asked(struct report *report, const struct answer *answer, const struct report_pauses *pauses, pt_millis now,
                  uint64_t random) {
    switch (answer->meaning) {
    case ANSWER_ACCEPTED: settle(report, REPORT_ACCEPTED, answer, now); return;
    case ANSWER_REFUSED: settle(report, REPORT_REFUSED, answer, now); return;
    case ANSWER_ABSENT:
        // Too early, the document may still be on its way through the platform: sent again now, it could be there twice.
        if (now - report->sent < pauses->processing) {
            report->due = report->sent + pauses->processing;
            say(report, "", answer->code, "the platform does not show it yet; it is given time to");
            return;
        }
        become(report, REPORT_WAITING, now);
        report->due = now;
        say(report, "", answer->code, "the platform never got it; it is sent again");
        return;
    default: break;
    }
    pause(report, pauses, now, random);
    report->changed = now;
    say(report, answer->business ? "business" : "transport", answer->code,
        answer->meaning == ANSWER_PENDING ? "the platform has it and has not decided"
        : answer->text[0]                 ? answer->text
                                          : "the platform could not be asked");
}

void report_waits_for(struct report *report, const struct lacks *lacks, const char *reason, pt_millis now) {
    become(report, REPORT_WAITING, now);
    report->ready = false;
    report->lacks = *lacks;
    say(report, "gateway", "", reason);
}

void report_unfit(struct report *report, const char *reason, pt_millis now) {
    become(report, REPORT_REFUSED, now);
    report->ready = false;
    report->lacks = (struct lacks){{0}};
    say(report, "gateway", "", reason);
}

void report_void(struct report *report, const char *reason, pt_millis now) {
    become(report, REPORT_VOID, now);
    report->lacks = (struct lacks){{0}};
    say(report, "gateway", "", reason);
}

enum pt_code report_retry(struct report *report, pt_millis now, struct pt_error *err) {
    const bool orphan = report->state == REPORT_WAITING && strncmp(report->lacks.keys, "original/", 9) == 0;
    if (report->state != REPORT_REFUSED && !orphan)
        return pt_fail(err, PT_CONFLICT, NULL, "the report is %s; only a refused one is sent again by hand", names[report->state]);
    // What the platform refused stays refused under its serial: the mended document has a serial of its own.
    if (report->attempts > 0) report->generation++;
    report->attempts = 0;
    report->failures = 0;
    report->ready = false;
    report->lacks = (struct lacks){{0}};
    report->due = now;
    become(report, REPORT_WAITING, now);
    say(report, "", "", "is made anew");
    return PT_OK;
}

