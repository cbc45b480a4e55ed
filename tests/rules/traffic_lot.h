// A lot under way: its packs and cases, and what is told of them, when.
#ifndef PACKTRAIL_TESTS_RULES_TRAFFIC_LOT_H
#define PACKTRAIL_TESTS_RULES_TRAFFIC_LOT_H

#include "common/base/arena.h"
#include "tests/rules/traffic_world.h"

#define DAY_SECONDS ((int64_t)86400)
#define TRAFFIC_START (RULES_LAB_START / 1000)

// What is told. The order is that of the table in traffic_tell.c.
enum telling {
    TELL_COMMISSION, TELL_PACK, TELL_UNPACK, TELL_SHIP, TELL_RECEIVE, TELL_DISPENSE, TELL_DISPENSE_PART, TELL_SEND_BACK,
    TELL_TAKE_BACK, TELL_DESTROY, TELL_SAMPLE, TELL_STEAL, TELL_RECALL, TELL_COUNT, TELL_HOLD, TELL_RELEASE, TELL_EXPORT,
};
#define TELLINGS 17u

enum logger { LOGGER_NONE, LOGGER_GOOD, LOGGER_SPIKE, LOGGER_WRONG_UNIT, LOGGER_OUTSIDE, LOGGER_WARM, LOGGER_FROZEN };

// What ordinary mess a pack met; only for reading the figures.
enum mess {
    MESS_NONE, MESS_SENT_TWICE, MESS_HAND_OVER, MESS_WARD, MESS_COMMISSIONED_TWICE, MESS_PART_TWICE, MESS_NO_RECEIPT, MESS_NO_SHIPMENT,
    MESS_NEIGHBOUR, MESS_DROP, MESS_DATA_LATE, MESS_MISREAD, MESS_DIGIT, MESS_TYPO, MESS_ANNOUNCED_WRONG, MESS_CASE, MESS_LOGGER,
    MESS_IMPORT, MESS_UNDO, MESS_RETURN, MESS_RECALLED, MESS_STOLEN_ERROR, MESS_CORRECTION, MESS_BORROWED, MESS_PATIENT_RETURN,
    MESS_WRONG_PLACE, MESS_KINDS
};
extern const char *const mess_names[MESS_KINDS];

// Things of a lot: packs, then cases, pallets, and odd codes by their URI.
typedef uint32_t thing;
#define THING_CASE (1u << 24)
#define THING_PALLET (2u << 24)
#define THING_ODD (3u << 24)
#define THING_NONE UINT32_MAX
#define THING_CLASS(thing) ((thing) & (3u << 24))
#define THING_NUMBER(thing) ((thing) & 0xffffffu)

struct planted {
    uint32_t crime;  // in the data's list
    bool happened, found, noted;
};

struct odd {
    char *uri;
    uint32_t planted;  // 1 + number; 0: innocent
    uint8_t mess;
};

#define LOT_ODDS_MAX 4096u

struct lot {
    const struct product *product;
    uint64_t number, seed;
    struct traffic_random random;
    struct pt_arena arena;
    char text[8], expiry[11], announced_expiry[11];
    int64_t expiry_seconds;  // end of the last day
    int64_t made, recalled;  // seconds; 0: not recalled
    uint32_t packs, cases, packs_per_case;
    uint32_t *planted;       // a pack: 1 + number; 0: innocent
    uint8_t *mess;           // a pack
    uint32_t *case_of;       // a pack: where it really lies
    struct odd *odds;
    uint32_t odd_count;
    int64_t data_at;         // when a late announcement comes in; 0: in time
    uint32_t open;           // happenings to come
};

struct happening {
    pt_millis arrival;
    uint64_t order;          // among equal arrivals
    struct lot *lot;
    const struct site *site;
    uint8_t terminal, telling, logger;
    bool planted_event;      // part of a crime: its scans are not ordinary
    int64_t happened;        // seconds, truly
    int64_t seconds;         // as the terminal says
    int64_t declared;        // an event declared in error: when; 0: none
    int64_t told_error;      // clock error bound, or -1
    const struct site *at;   // NULL: the terminal's own place
    const char *source, *destination;  // parties
    thing parent;
    thing *things;
    uint32_t count;
    uint32_t planted;        // 1 + number of the crime that this event is
    uint32_t units;
    const char *label_lot, *label_expiry, *lot_text;  // lot_text: commissioning with another lot
    uint64_t event_id;       // 0: none
    int64_t sensors_from;    // when the transport began
};

// The year under way: what was planted, and the heap of what is to come.
struct story {
    struct world *world;
    struct planted *planted;
    uint32_t planted_count, planted_cap;
    struct happening **heap;
    size_t heap_count, heap_cap;
    uint64_t orders;
};

// All memory of a happening is the lot's. The list of things is copied.
struct happening *tell(struct story *story, struct lot *lot, const struct site *site, int64_t seconds, enum telling telling,
                       const thing *things, uint32_t count);
struct happening *tell_one(struct story *story, struct lot *lot, const struct site *site, int64_t seconds, enum telling telling, thing one);
// Another telling of the same, coming in so much later.
struct happening *tell_again(struct story *story, const struct happening *happening, int64_t seconds_later);
// Sets when it comes in, after the members that it depends on.
void arrives(struct happening *happening, int64_t seconds);

// A new instance of a crime; 1 + number.
uint32_t plant(struct story *story, uint32_t crime);

thing odd_thing(struct lot *lot, const char *uri, uint32_t planted, enum mess mess);
// The serial of a pack, and the URI of anything. At least 128 bytes.
void pack_serial(const struct lot *lot, uint32_t pack, char out[24]);
void thing_uri(const struct lot *lot, thing what, char out[128]);
void uri_of_serial(const struct lot *lot, const char *serial, char out[128]);

// The heap of what is to come, by arrival. What is pushed takes its place when heap_settle is called with the count before,
// because a story may still change when something comes in.
void heap_push(struct story *story, struct happening *happening);
void heap_settle(struct story *story, size_t from);
struct happening *heap_pop(struct story *story);

#endif
