#include <SDL.h>
#include <math.h>
#include <stdlib.h>

#include "firmware/peripheral/beeper.h"

enum { RATE = 22050, LOUDNESS = 9000, EDGE = 110, MOST_SAMPLES = RATE * 2 };  // EDGE: samples of fade, or each tone would click

struct beeper {
    SDL_AudioDeviceID device;
    int16_t samples[MOST_SAMPLES];
};

enum pt_code beeper_open(struct beeper **out, struct pt_error *err) {
    if (SDL_InitSubSystem(SDL_INIT_AUDIO) != 0) return pt_fail(err, PT_UNAVAILABLE, "sound", "there is no sound: %s", SDL_GetError());
    struct beeper *beeper = calloc(1, sizeof *beeper);
    const SDL_AudioSpec wanted = {.freq = RATE, .format = AUDIO_S16SYS, .channels = 1, .samples = 512};
    if (beeper) beeper->device = SDL_OpenAudioDevice(NULL, 0, &wanted, NULL, 0);
    if (!beeper || !beeper->device) {
        const enum pt_code code = beeper ? pt_fail(err, PT_UNAVAILABLE, "sound", "there is no sound: %s", SDL_GetError()) : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        free(beeper);
        SDL_QuitSubSystem(SDL_INIT_AUDIO);
        return code;
    }
    SDL_PauseAudioDevice(beeper->device, 0);
    *out = beeper;
    return PT_OK;
}

void beeper_close(struct beeper *beeper) {
    if (!beeper) return;
    SDL_CloseAudioDevice(beeper->device);
    SDL_QuitSubSystem(SDL_INIT_AUDIO);
    free(beeper);
}

static size_t tone(int16_t *samples, size_t room, const struct beep *beep) {
    size_t count = (size_t)beep->milliseconds * RATE / 1000;
    if (count > room) count = room;
    for (size_t i = 0; i < count; i++) {
        const size_t edge = i < count - i ? i : count - i;
        const double level = edge < EDGE ? (double)edge / EDGE : 1;
        samples[i] = beep->hertz ? (int16_t)(LOUDNESS * level * sin(2 * M_PI * beep->hertz * (double)i / RATE)) : 0;
    }
    return count;
}

void beeper_play(struct beeper *beeper, const struct beep *beeps, size_t count) {
    size_t used = 0;
    for (size_t i = 0; i < count; i++) used += tone(beeper->samples + used, MOST_SAMPLES - used, &beeps[i]);
    SDL_ClearQueuedAudio(beeper->device);
    SDL_QueueAudio(beeper->device, beeper->samples, (Uint32)(used * sizeof *beeper->samples));
}
