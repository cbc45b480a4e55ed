// The structured log: one JSON object a line on standard error (time, level, event, fields). No personal data,
// no key material and no bearer token is ever a field.
#ifndef PACKTRAIL_COMMON_BASE_LOG_H
#define PACKTRAIL_COMMON_BASE_LOG_H

#include "common/base/bytes.h"

enum pt_log_level { PT_LOG_DEBUG, PT_LOG_INFO, PT_LOG_WARNING, PT_LOG_ERROR };

// Called once at start; `component` ("gateway") must stay alive. Default level: info.
void pt_log_open(const char *component, enum pt_log_level least);

// Logs `event` (a fixed name such as "block-sealed") with fields as key, printf format, values …, e.g.
// pt_log(PT_LOG_INFO, "block-sealed", "sequence=%llu count=%u reason=%s", …): the format is a list of
// key=%… pairs separated by single spaces; values are JSON strings. Thread-safe, one write(2) a line.
void pt_log(enum pt_log_level level, const char *event, const char *fields, ...) PT_PRINTF(3, 4);

// Logs an error record with its what, where and why.
void pt_log_error(const char *event, const struct pt_error *err);

#endif
