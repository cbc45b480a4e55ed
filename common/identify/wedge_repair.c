#include "common/identify/wedge_repair.h"

#include <string.h>
#include <strings.h>

// What a US key gives on the other layout, both as UTF-8. Only what differs is listed.
struct key {
    const char *typed;
    char meant;
};

// Windows and Linux French layout. The digits of the top row need shift there, so a scanner's digits come as signs.
static const struct key french[] = {
    {"&", '1'},        {"\xc3\xa9", '2'}, {"\"", '3'},       {"'", '4'},        {"(", '5'},         {"-", '6'},
    {"\xc3\xa8", '7'}, {"_", '8'},        {"\xc3\xa7", '9'}, {"\xc3\xa0", '0'}, {")", '-'},         {"1", '!'},
    {"2", '@'},        {"3", '#'},        {"4", '$'},        {"5", '%'},        {"6", '^'},         {"7", '&'},
    {"8", '*'},        {"9", '('},        {"0", ')'},        {"\xc2\xb0", '_'}, {"q", 'a'},         {"a", 'q'},
    {"z", 'w'},        {"w", 'z'},        {"Q", 'A'},        {"A", 'Q'},        {"Z", 'W'},         {"W", 'Z'},
    {",", 'm'},        {"?", 'M'},        {"m", ';'},        {"M", ':'},        {";", ','},         {".", '<'},
    {":", '.'},        {"/", '>'},        {"!", '/'},        {"\xc2\xa7", '?'}, {"\xc3\xb9", '\''}, {"%", '"'},
    {"*", '\\'},       {"\xc2\xb5", '|'}, {"^", '['},        {"\xc2\xa8", '{'}, {"$", ']'},         {"\xc2\xa3", '}'},
    {"\xc2\xb2", '`'},
};

static const struct key german[] = {
    {"y", 'z'},        {"z", 'y'},        {"Y", 'Z'},         {"Z", 'Y'},        {"\xc3\x9f", '-'}, {"?", '_'},
    {"\xc2\xb4", '='}, {"`", '+'},        {"\xc3\xbc", '['},  {"\xc3\x9c", '{'}, {"+", ']'},        {"*", '}'},
    {"\xc3\xb6", ';'}, {"\xc3\x96", ':'}, {"\xc3\xa4", '\''}, {"\xc3\x84", '"'}, {"#", '\\'},       {"'", '|'},
    {"-", '/'},        {"_", '?'},        {";", '<'},         {":", '>'},        {"\"", '@'},       {"\xc2\xa7", '#'},
    {"&", '^'},        {"/", '&'},        {"(", '*'},         {")", '('},        {"=", ')'},        {"^", '`'},
    {"\xc2\xb0", '~'},
};

const char *wedge_layout_name(enum wedge_layout layout) {
    switch (layout) {
    case WEDGE_CAPS_LOCK: return "caps lock";
    case WEDGE_FRENCH: return "French (AZERTY) keyboard layout";
    case WEDGE_GERMAN: return "German (QWERTZ) keyboard layout";
    case WEDGE_LAYOUTS: break;
    }
    return "";
}

static bool contains(struct pt_bytes input, const char *part) {
    return part[0] && input.len >= strlen(part) && memmem(input.data, input.len, part, strlen(part)) != NULL;
}

static bool starts(struct pt_bytes input, const char *part) {
    return input.len >= strlen(part) && memcmp(input.data, part, strlen(part)) == 0;
}

static bool starts_any_case(struct pt_bytes input, const char *part) {
    return input.len >= strlen(part) && strncasecmp((const char *)input.data, part, strlen(part)) == 0;
}

// A scheme in capitals alone is lawful and usual in QR codes; with small letters behind it somebody exchanged them.
static bool caps_evidence(struct pt_bytes input) {
    static const char *const identifiers[] = {"]c1", "]E0", "]E1", "]E2", "]D2", "]q3", "]j1"};
    for (size_t i = 0; i < sizeof identifiers / sizeof *identifiers; i++)
        if (starts(input, identifiers[i])) return true;
    if (starts(input, "URN:EPC:") || starts(input, "URN:PACKTRAIL:")) return true;
    if (!starts(input, "HTTP://") && !starts(input, "HTTPS://")) return false;
    for (size_t i = 0; i < input.len; i++)
        if (input.data[i] >= 'a' && input.data[i] <= 'z') return true;
    return false;
}

// All digits of a scan arrive as signs: its first two characters are two of them, or a mangled identifier or scheme.
static bool french_evidence(struct pt_bytes input) {
    static const char *const digits[] = {"&", "\xc3\xa9", "\"", "'", "(", "-", "\xc3\xa8", "_", "\xc3\xa7", "\xc3\xa0"};
    if (starts(input, "$") || starts(input, "httpM!!") || starts(input, "httpsM!!") || starts(input, "urnM"))
        return true;
    if (starts(input, "9\xc3\xa0")) return true; // "(0": an AI in brackets
    for (size_t i = 0; i < sizeof digits / sizeof *digits; i++) {
        if (!starts(input, digits[i])) continue;
        const size_t first = strlen(digits[i]);
        for (size_t k = 0; k < sizeof digits / sizeof *digits; k++)
            if (starts(pt_bytes_of(input.data + first, input.len - first), digits[k])) return true;
    }
    return false;
}

static bool german_evidence(struct pt_bytes input) {
    static const char *const parts[] = {"\xc3\x9f", "\xc3\xbc", "\xc3\x9c", "\xc3\xb6", "\xc3\x96",
                                        "\xc3\xa4", "\xc3\x84", "\xc2\xb4", "\xc2\xa7"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (contains(input, parts[i])) return true;
    const bool bracket =
        input.len > 3 && input.data[0] == ')' && memchr(input.data, '=', input.len < 6 ? input.len : 6);
    return starts(input, "+") || bracket || starts_any_case(input, "https\xc3\x96--");
}

static size_t match_key(const struct key *keys, size_t count, struct pt_bytes input, size_t at, char *meant) {
    for (size_t i = 0; i < count; i++) {
        const size_t len = strlen(keys[i].typed);
        if (input.len - at >= len && memcmp(input.data + at, keys[i].typed, len) == 0) {
            *meant = keys[i].meant;
            return len;
        }
    }
    *meant = (char)input.data[at];
    return input.data[at] < 0x80 ? 1 : 0;
}

static char other_case(char c) {
    if (c >= 'a' && c <= 'z') return (char)(c - 'a' + 'A');
    if (c >= 'A' && c <= 'Z') return (char)(c - 'A' + 'a');
    return c;
}

bool wedge_undo(enum wedge_layout layout, struct pt_bytes input, uint8_t *out, uint16_t *from, size_t *len) {
    *len = 0;
    if (input.len > SCANNED_TEXT_MAX) return false;
    const bool evidence = layout == WEDGE_CAPS_LOCK ? caps_evidence(input)
                          : layout == WEDGE_FRENCH  ? french_evidence(input)
                                                    : german_evidence(input);
    if (!evidence) return false;
    for (size_t at = 0; at < input.len;) {
        char meant;
        size_t used = 1;
        if (layout == WEDGE_FRENCH) used = match_key(french, sizeof french / sizeof *french, input, at, &meant);
        else if (layout == WEDGE_GERMAN) used = match_key(german, sizeof german / sizeof *german, input, at, &meant);
        else meant = other_case((char)input.data[at]);
        if (used == 0) return false;
        from[*len] = (uint16_t)at;
        out[(*len)++] = (uint8_t)meant;
        at += used;
    }
    from[*len] = (uint16_t)input.len;
    out[*len] = 0;
    return true;
}
