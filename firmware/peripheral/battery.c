#include "firmware/peripheral/battery.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

// The first line of directory/supply/name.
static bool read_line(const char *directory, const char *supply, const char *name, char out[64]) {
    char path[1024];
    if (snprintf(path, sizeof path, "%s/%s/%s", directory, supply, name) >= (int)sizeof path) return false;
    PT_FCLOSE FILE *file = fopen(path, "r");
    if (!file || !fgets(out, 64, file)) return false;
    out[strcspn(out, "\n")] = 0;
    return true;
}

static bool read_supply(const char *directory, const char *supply, struct battery_status *out) {
    char text[64], *end;
    if (!read_line(directory, supply, "type", text) || strcmp(text, "Battery") != 0) return false;
    if (!read_line(directory, supply, "capacity", text)) return false;
    const long percent = strtol(text, &end, 10);
    if (end == text) return false;
    out->percent = percent < 0 ? 0 : percent > 100 ? 100 : (int)percent;
    out->charging = read_line(directory, supply, "status", text) && (strcmp(text, "Charging") == 0 || strcmp(text, "Full") == 0);
    return true;
}

void battery_read(const char *directory, struct battery_status *out) {
    *out = (struct battery_status){.percent = -1};
    if (!directory) directory = "/sys/class/power_supply";
    DIR *supplies = opendir(directory);
    if (!supplies) return;
    for (struct dirent *entry; (entry = readdir(supplies));)
        if (entry->d_name[0] != '.' && read_supply(directory, entry->d_name, out)) break;
    closedir(supplies);
}
