// `packtrail-scanner status`: what the outbox holds, how the line is, how old everything is that the terminal knows, as one JSON line.
#include <stdio.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "firmware/terminal/command.h"

static json_t *time_json(pt_millis time) { return time ? json_integer((json_int_t)time) : json_null(); }

// In seconds; null for what has never been. A clock that was set back makes nothing younger than now.
static json_t *age_json(pt_millis then, pt_millis now) { return then ? json_integer((json_int_t)(now > then ? (now - then) / 1000 : 0)) : json_null(); }

static void add_outbox(json_t *answer, const struct outbox_status *status) {
    static const char *const fills[] = {"roomy", "filling", "nearly_full", "full"};
    const struct outbox_room *room = &status->room;
    json_object_set_new(answer, "next_sequence", json_integer((json_int_t)status->next_sequence));
    json_object_set_new(answer, "new", json_integer((json_int_t)status->fresh));
    json_object_set_new(answer, "sent", json_integer((json_int_t)status->sent));
    json_object_set_new(answer, "refused", json_integer((json_int_t)status->refused));
    json_object_set_new(answer, "bytes", json_integer((json_int_t)status->bytes));
    json_object_set_new(answer, "room", json_pack("{s:I, s:I, s:i, s:s}", "bytes", (json_int_t)room->bytes, "packs", (json_int_t)room->packs, "percent_used",
                                                  (int)room->percent, "fill", fills[room->fill]));
}

static json_t *line_json(const struct line_record *line, pt_millis now) {
    json_t *object = json_pack("{s:s}", "state", line_state_name(line->state));
    json_object_set_new(object, "since", time_json(line->since));
    json_object_set_new(object, "contact", time_json(line->contact));
    json_object_set_new(object, "contact_age_s", age_json(line->contact, now));
    json_object_set_new(object, "tried", time_json(line->tried));
    json_object_set_new(object, "why", line->why[0] ? json_string_nocheck(line->why) : json_null());  // quotes others
    return object;
}

static json_t *clock_json(const struct clock_status *clock) {
    static const char *const states[] = {"unmeasured", "good", "drifted", "set_back"};
    json_t *object = json_pack("{s:s, s:I}", "state", states[clock->state], "offset_ms", (json_int_t)clock->offset_ms);
    json_object_set_new(object, "error_s", clock->error_s < 0 ? json_null() : json_integer((json_int_t)clock->error_s));
    json_object_set_new(object, "measured", time_json(clock->measured));
    return object;
}

static json_t *reference_json(struct reference *reference, pt_millis now) {
    struct reference_status status;
    reference_status(reference, &status);
    json_t *object = json_pack("{s:I, s:I, s:I, s:I, s:I}", "products", (json_int_t)status.products, "parties", (json_int_t)status.parties, "places",
                               (json_int_t)status.places, "notices", (json_int_t)status.notices, "height", (json_int_t)status.height);
    json_object_set_new(object, "age_s", age_json(status.read, now));
    return object;
}

static json_t *recalls_json(struct recall_list *recalls, pt_millis now) {
    struct recall_list_status status;
    recall_list_status(recalls, &status);
    json_t *object = json_pack("{s:I, s:I}", "in_force", (json_int_t)status.in_force, "height", (json_int_t)status.height);
    json_object_set_new(object, "age_s", age_json(status.read, now));
    return object;
}

static json_t *status_json(struct terminal *terminal) {
    const struct pt_env *env = pt_env_system();
    const pt_millis now = env->now(env->ctx);
    const struct pt_digest kid = verify_key_thumbprint(terminal->device.signer.key);
    struct outbox_status outbox;
    struct line_record line;
    struct clock_status clock;
    char why[SYNC_WHY_MAX + 1], hex[65];
    json_t *answer = json_object();
    outbox_status(terminal->outbox, &outbox);
    line_record_load(terminal->device.line_file, &line);
    clock_guard_status(terminal->clock, &clock);
    pt_digest_hex(&kid, hex);
    add_outbox(answer, &outbox);
    json_object_set_new(answer, "kid", json_string(hex));
    json_object_set_new(answer, "line", line_json(&line, now));
    const bool revoked = sync_revoked(terminal->reference, &kid, why);
    json_object_set_new(answer, "revoked", json_boolean(revoked));
    if (revoked) json_object_set_new(answer, "revoked_why", json_string_nocheck(why));
    json_object_set_new(answer, "clock", clock_json(&clock));
    json_object_set_new(answer, "recalls", recalls_json(terminal->recalls, now));
    json_object_set_new(answer, "reference", reference_json(terminal->reference, now));
    return answer;
}

int command_status(const struct terminal_options *options, int argc, char **argv) {
    (void)argv;
    if (argc != 1) {
        fputs("usage: packtrail-scanner --config FILE status\n"
              "\n"
              "One JSON line: what the outbox holds and how much more it takes, how the line to the gateway is, whether this terminal\n"
              "was revoked, how far its clock may be off, and how old its recalls, products and notices are (times in milliseconds\n"
              "since 1970, null: never).\n", stderr);
        return 2;
    }
    struct pt_error err = {0};
    struct terminal terminal;
    if (terminal_open(options, &terminal, &err) != PT_OK) return terminal_fail(&err);
    PT_JSON json_t *answer = status_json(&terminal);
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT((size_t)64 * 1024);
    const enum pt_code code = pt_json_append(&text, answer, &err);
    if (code == PT_OK) printf("%s\n", pt_buf_cstr(&text));
    terminal_close(&terminal);
    return code == PT_OK ? 0 : terminal_fail(&err);
}
