#include "firmware/work/work.h"

#include <stdlib.h>
#include <string.h>

#include "firmware/work/work_internal.h"

pt_millis work_now(const struct work_services *services) {
    return services->clock ? clock_guard_now(services->clock) : services->env->now(services->env->ctx);
}

pt_millis work_true_now(const struct work_services *services) {
    const pt_millis now = services->env->now(services->env->ctx);
    struct clock_status status;
    if (!services->clock) return now;
    clock_guard_status(services->clock, &status);
    return status.error_s >= 0 ? now + status.offset_ms : now;
}

const char *work_copy(struct work *work, const char *text) { return text ? pt_arena_strdup(&work->arena, pt_bytes_str(text)) : NULL; }

// Puts copies of all texts in the place of what they were copied from; false without memory.
static bool copy_texts(struct work *work) {
    const char **texts[] = {&work->start.source, &work->start.destination, &work->start.transaction_type, &work->start.transaction,
                            &work->start.only_product, &work->start.staff, &work->notice.source, &work->notice.destination,
                            &work->notice.transaction_type, &work->notice.transaction};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!*texts[i]) continue;
        *texts[i] = work_copy(work, *texts[i]);
        if (!*texts[i]) return false;
    }
    return true;
}

enum pt_code work_expect_notice(struct work *work, const struct shipping_notice *notice, size_t most, struct pt_error *err) {
    work->notice_packs = pt_arena_alloc(&work->arena, most + 1, sizeof *work->notice_packs);
    if (!work->notice_packs) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    work->notice_most = most;
    work->notice = *notice;
    work->notice.packs = work->notice_packs;
    work->notice.count = 0;
    work->start.notice = &work->notice;
    return PT_OK;
}

enum pt_code work_expect_pack(struct work *work, const struct pack_id *pack, struct pt_error *err) {
    if (work->notice.count == work->notice_most) return pt_fail(err, PT_UNVERIFIED, "work", "more packs than the notice has");
    if (pack->kind != PACK_SGTIN && pack->kind != PACK_CN_TRACE) work->open_ended = true;
    work->notice_packs[work->notice.count] = *pack;
    return work_table_put(&work->expected, remembered_identity(&work->remembered, pack), (uint32_t)work->notice.count++, err);
}

enum pt_code work_adopt(struct work *work, const struct work_start *start, size_t notice_packs, struct pt_error *err) {
    work->start = *start;
    work->class = work_class_of(start->task);
    work->profile = work_profile_of(work->services.profile);
    const enum pt_code code = start->notice ? work_expect_notice(work, start->notice, notice_packs, err) : PT_OK;
    if (code != PT_OK) return code;
    return copy_texts(work) ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
}

static enum pt_code new_work(const struct work_services *services, struct work **out, struct pt_error *err) {
    struct work *work = calloc(1, sizeof *work);
    if (!work) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    work->services = *services;
    work_items_clear(work);
    work_disk_init(&work->part, services->disk, "work.");
    const enum pt_code code = remembered_load(services->disk, work_true_now(services), &work->remembered, err);
    if (code != PT_OK) work_close(work);
    else *out = work;
    return code;
}

enum pt_code work_begin(const struct work_services *services, const struct work_start *start, struct work **out, struct pt_error *err) {
    struct work *work = NULL;
    *out = NULL;
    enum pt_code code = new_work(services, &work, err);
    if (code != PT_OK) return code;
    if (!start->training) {
        code = work_journal_open(work, err);
        if (code == PT_OK && work->begun) code = pt_fail(err, PT_CONFLICT, NULL, "unfinished work waits: resume it, or drop it");
    }
    if (code == PT_OK) work_items_clear(work);
    if (code == PT_OK) code = work_adopt(work, start, start->notice ? start->notice->count : 0, err);
    for (size_t i = 0; start->notice && i < start->notice->count && code == PT_OK; i++) code = work_expect_pack(work, &start->notice->packs[i], err);
    if (code == PT_OK) code = work_journal_begin(work, err);
    if (code != PT_OK) {
        work_close(work);
        return code;
    }
    work->begun = true;
    *out = work;
    return PT_OK;
}

enum pt_code work_resume(const struct work_services *services, struct work **out, struct pt_error *err) {
    struct work *work = NULL;
    *out = NULL;
    enum pt_code code = new_work(services, &work, err);
    if (code != PT_OK) return code;
    code = work_journal_open(work, err);
    if (code == PT_OK && !work->begun) code = pt_fail(err, PT_NOT_FOUND, NULL, "no work was interrupted");
    if (code != PT_OK) {
        work_close(work);
        return code;
    }
    *out = work;
    return PT_OK;
}

void work_close(struct work *work) {
    if (!work) return;
    pt_journal_close(work->journal);
    work_items_clear(work);
    remembered_free(&work->remembered);
    free(work);
}

// What reached the disk is unknown after a failed write: what is read back is what counts.
enum pt_code work_ready(struct work *work, struct pt_error *err) {
    if (!work->broken) return work->begun ? PT_OK : pt_fail(err, PT_CONFLICT, NULL, "this work is at its end");
    pt_journal_close(work->journal);
    work->journal = NULL;
    memset(work->waiting, 0, sizeof work->waiting);
    work->asked.used = false;
    work_items_clear(work);
    const enum pt_code code = work_journal_open(work, err);
    if (code != PT_OK) return code;
    work->broken = false;
    return work->begun ? PT_OK : pt_fail(err, PT_CONFLICT, NULL, "this work is at its end");
}

const struct task *work_task(const struct work *work) { return work->start.task; }

const struct work_start *work_started(const struct work *work) { return &work->start; }

void work_on_signed(struct work *work, work_told *told, void *arg) {
    work->told = told;
    work->told_arg = arg;
}
