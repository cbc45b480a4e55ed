// Where codes come from while staff work: camera, NFC reader, keyboard-wedge and serial scan engines, each in a thread of
// its own, into one queue. A reader that is unplugged is looked for again until it is back; nothing is read twice.
#ifndef PACKTRAIL_FIRMWARE_INPUT_INPUT_H
#define PACKTRAIL_FIRMWARE_INPUT_INPUT_H

#include "common/base/time.h"
#include "firmware/scan/scan_nfc.h"

enum input_source { INPUT_CAMERA = 1, INPUT_NFC, INPUT_WEDGE, INPUT_SERIAL };
#define INPUT_SOURCES 4u

struct input_options {
    const char *camera;  // V4L2 device ("/dev/video0"), or a picture source as frame_source.h takes it (directory, FIFO); NULL or "": none
    const char *nfc;     // libnfc connection string; NULL or "": none
    const char *wedge;   // evdev device of a keyboard-wedge scan engine, taken for ourselves alone; NULL or "": none
    const char *serial;  // tty of a serial scan engine, "/dev/ttyS2:9600"; NULL or "": none
    const char *tag_keys;     // file with the keys of tags that prove themselves (scan/tag_proof.h); NULL or "": none
    const char *program;      // of the decoder process; NULL: this one
    int64_t frame_budget_ms;
    int64_t same_symbol_ms;   // a symbol in view counts anew only after it was out of view for so long
    const struct pt_env *env;
    void (*ready)(void *arg);  // something is in the queue; called from any thread; NULL allowed
    void *ready_arg;
};

enum input_kind {
    INPUT_CODE = 1,    // bytes as the symbol or engine gave them
    INPUT_TAG = 2,     // an NFC tag; tag.uri may be empty
    INPUT_UNREAD = 3,  // a frame or tag was there and could not be read; why tells the reason
    INPUT_LOST = 4,    // the source went away; why tells the reason
    INPUT_BACK = 5,    // it is back
};

// What a tag says of itself beyond its link.
enum tag_proof {
    TAG_PROOF_NONE = 0,
    TAG_CHIP_GENUINE = 1,    // NTAG 21x originality signature: "chip claimed genuine", it can be copied with the chip's data
    TAG_CHIP_DOUBTFUL = 2,   // its originality signature does not hold
    TAG_MESSAGE_GOOD = 3,    // NTAG 424 DNA: this tap's MAC holds; `counter` counts the taps
    TAG_MESSAGE_REPLAYED = 4,  // its MAC holds, but this counter was seen before: a copied link
    TAG_MESSAGE_FORGED = 5,  // its MAC does not hold
    TAG_MESSAGE_UNKNOWN = 6, // no key for it here
};

#define INPUT_CODE_MAX 8192u

struct input_item {
    enum input_kind kind;
    enum input_source source;
    pt_millis at;
    char aim[4];         // AIM symbology identifier, "" if the source does not tell it
    struct pt_buf bytes; // INPUT_CODE
    struct scan_tag tag; // INPUT_TAG
    enum tag_proof proof;
    uint32_t counter;
    struct pt_error why;
};
void input_item_free(struct input_item *item);

struct input;
// PT_OK also when a source is not there yet: it is told by INPUT_LOST and looked for again. PT_INVALID: an option's text.
enum pt_code input_start(const struct input_options *options, struct input **out, struct pt_error *err) PT_NODISCARD;
void input_stop(struct input *input);  // NULL is allowed

// The oldest item, without waiting; false if there is none. The queue holds at most 256 items; while it is full, sources wait.
bool input_take(struct input *input, struct input_item *out);

// Frames are read only while the camera is wanted (the trigger is held, or the page wants codes): it costs battery.
void input_want_camera(struct input *input, bool wanted);
// PT_NOT_FOUND where the camera has no torch.
enum pt_code input_torch(struct input *input, bool on, struct pt_error *err) PT_NODISCARD;

enum input_state { INPUT_ABSENT = 0, INPUT_WORKING = 1, INPUT_AWAY = 2 };  // absent: not configured
enum input_state input_state(struct input *input, enum input_source source);

#endif
