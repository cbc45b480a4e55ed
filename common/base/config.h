// Configuration files (INI: [section], key = value, # comment): every key is declared once with its type,
// default, bounds and one line of explanation; an unknown or doubled key is an error with file and line.
#ifndef PACKTRAIL_COMMON_BASE_CONFIG_H
#define PACKTRAIL_COMMON_BASE_CONFIG_H

#include "common/base/bytes.h"

enum pt_config_type { PT_CONFIG_TEXT, PT_CONFIG_PATH, PT_CONFIG_NUMBER, PT_CONFIG_BYTES, PT_CONFIG_MILLIS, PT_CONFIG_BOOL };

// One declared key. NUMBER, BYTES ("64k", "1m", "2g") and MILLIS ("500ms", "10s", "5min", "2h") go to *number;
// TEXT and PATH (relative to the file's directory) to *text, which the caller frees with pt_config_free; BOOL
// ("yes"/"no") to *flag. least and most bound a number (bytes, milliseconds) or a text's length; both 0: no bounds.
struct pt_config_key {
    const char *section;
    const char *name;
    enum pt_config_type type;
    const char *initial;   // the default, as it would stand in the file; NULL: the key is required
    int64_t least;
    int64_t most;
    const char *help;
    char **text;
    int64_t *number;
    bool *flag;
};

// Sets every key from `path` (NULL: defaults only). On an error (PT_USAGE, with file and line) nothing needs
// freeing. To be called before threads are started.
enum pt_code pt_config_load(const char *path, const struct pt_config_key *keys, size_t count,
                            struct pt_error *err) PT_NODISCARD;
void pt_config_free(const struct pt_config_key *keys, size_t count);

// A commented file with every key and its default, for --print-config.
void pt_config_describe(const struct pt_config_key *keys, size_t count, struct pt_buf *out);

#endif
