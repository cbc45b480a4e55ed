// The files of the pharmacist's page, compiled in; assets.c is generated from this folder (embed.py).
#ifndef PACKTRAIL_LEDGER_PAGE_ASSETS_H
#define PACKTRAIL_LEDGER_PAGE_ASSETS_H

#include <stddef.h>

struct page_asset {
    const char *name;
    const char *content_type;
    const unsigned char *data;
    size_t len;
};

extern const struct page_asset page_assets[];  // ends with a NULL name

#endif
