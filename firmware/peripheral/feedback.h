// Sound, vibration and light: what staff notice without looking. Each tone differs in all three.
#ifndef PACKTRAIL_FIRMWARE_PERIPHERAL_FEEDBACK_H
#define PACKTRAIL_FIRMWARE_PERIPHERAL_FEEDBACK_H

#include <stdbool.h>

#include "common/base/error.h"

enum feedback {
    FEEDBACK_KEY = 0,    // a short click
    FEEDBACK_GOOD,       // one high beep, a short buzz, green
    FEEDBACK_ATTENTION,  // two middle beeps, two buzzes, amber
    FEEDBACK_STOP,       // a long low tone, a long buzz, red
    FEEDBACK_DONE,       // rising: the work is signed
};

struct feedback_options {
    bool sound;
    const char *vibrator;  // evdev device with force feedback, or a LED class directory; NULL or "": none
    const char *leds;      // names below /sys/class/leds, "green,amber,red"; NULL or "": none
};

struct feedback_outputs;
// What cannot be opened is left out and said in the log: a terminal without a buzzer still works.
enum pt_code feedback_open(const struct feedback_options *options, struct feedback_outputs **out, struct pt_error *err) PT_NODISCARD;
void feedback_close(struct feedback_outputs *outputs);
void feedback_give(struct feedback_outputs *outputs, enum feedback what);  // returns at once

#endif
