#include "ledger/state/rule_settings.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *name, const void *item) { return strcmp(name, ((const struct rule_setting *)item)->name); }

int64_t rule_setting(const struct rule_settings *settings, const char *name, int64_t otherwise) {
    if (!settings || settings->count == 0) return otherwise;
    const struct rule_setting *found = bsearch(name, settings->items, settings->count, sizeof *settings->items, by_name);
    return found ? found->value : otherwise;
}
