// The Data Matrix symbols of one picture, looked at in one way: threshold, dark areas, L, extent, fit, modules.
#ifndef PACKTRAIL_FIRMWARE_SCAN_DM_SEARCH_H
#define PACKTRAIL_FIRMWARE_SCAN_DM_SEARCH_H

#include "firmware/scan/dm_threshold.h"
#include "firmware/scan/dm_work.h"

struct dm_search {
    enum dm_level level;
    uint32_t window_share;  // the threshold's window is the longest side divided by this
    bool invert;            // light on dark
    bool bows;              // sides may be bent from the start: slower
};

// Appends what it finds to *out, boxes in the pixels of `whole`, and passes over what *out has already. `picture` is
// searched: `whole` itself or a version of it, `scale` pixels of `whole` to one of its own; modules are sampled in
// `whole`. Ends early when the work is used up. PT_NO_MEMORY; PT_LIMIT when *out is full.
enum pt_code dm_search_run(const struct scan_frame *picture, const struct scan_frame *whole, double scale,
                           const struct dm_search *how, struct dm_work *work, struct scan_symbols *out,
                           struct pt_error *err) PT_NODISCARD;

#endif
