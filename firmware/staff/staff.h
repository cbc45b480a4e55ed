// Who works at this terminal: members of staff with badge and PIN, what each may do, and the rotating pseudonym that stands
// for them in events. Only the employer's file maps a pseudonym to a person; nothing here leaves the terminal.
#ifndef PACKTRAIL_FIRMWARE_STAFF_STAFF_H
#define PACKTRAIL_FIRMWARE_STAFF_STAFF_H

#include "common/base/time.h"

struct staff;

#define STAFF_NAME_MAX 64u
#define STAFF_PSEUDONYM_SIZE 27u  // 26 letters and digits, NUL

enum staff_right {
    STAFF_WAREHOUSE = 1u << 0,   // receive, ship, pack, unpack, return, count, quarantine, destroy
    STAFF_DISPENSE = 1u << 1,
    STAFF_SUPERVISE = 1u << 2,   // insists on a stopped pack, destroys, takes back others' work
    STAFF_MANAGE = 1u << 3,      // enrols and wipes the terminal, manages staff
};

struct staff_member {
    char id[33];  // of the employer
    char name[STAFF_NAME_MAX + 1];
    unsigned rights;  // enum staff_right
    bool has_pin, has_badge;
};

// `file` need not exist (nobody can log in then, and staff_count is 0: the terminal works without login if it is so configured).
enum pt_code staff_open(const char *file, const struct pt_env *env, struct staff **out, struct pt_error *err) PT_NODISCARD;
void staff_close(struct staff *staff);

// Adds or changes one; pin and badge may be NULL (kept as they are). badge: UID in hex or the badge's code. PIN: 4 to 12 digits, not
// all the same, not ascending; kept as Argon2id. PT_INVALID says which rule.
enum pt_code staff_put(struct staff *staff, const struct staff_member *member, const char *pin, const char *badge, struct pt_error *err) PT_NODISCARD;
enum pt_code staff_remove(struct staff *staff, const char *id, struct pt_error *err) PT_NODISCARD;
size_t staff_count(const struct staff *staff);
enum pt_code staff_at(const struct staff *staff, size_t number, struct staff_member *out, struct pt_error *err) PT_NODISCARD;

// PT_NOT_FOUND: nobody has this badge. PT_UNVERIFIED: id and PIN do not fit (the same for an unknown id). PT_UNAVAILABLE: locked
// after too many wrong PINs, err says for how long; the lock survives a restart.
enum pt_code staff_by_badge(struct staff *staff, const char *badge, struct staff_member *out, struct pt_error *err) PT_NODISCARD;
enum pt_code staff_by_pin(struct staff *staff, const char *id, const char *pin, struct staff_member *out, struct pt_error *err) PT_NODISCARD;

// The pseudonym of a member for the month of `at`: HMAC-SHA-256 under the employer's secret, base32.
enum pt_code staff_pseudonym(struct staff *staff, const char *id, pt_millis at, char out[STAFF_PSEUDONYM_SIZE], struct pt_error *err) PT_NODISCARD;

#endif
