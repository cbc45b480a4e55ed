#include "firmware/peripheral/feedback.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/log.h"
#include "firmware/peripheral/beeper.h"
#include "firmware/peripheral/light.h"
#include "firmware/peripheral/vibrator.h"

enum { BEEPS_MOST = 3, LIGHTS = 3, LIGHT_MS = 900 };

enum light { LIGHT_NONE = -1, LIGHT_GREEN = 0, LIGHT_AMBER = 1, LIGHT_RED = 2 };

// One row a tone: how it sounds, how it feels (buzzes of so many milliseconds, as many as beeps), which light it shows.
static const struct {
    struct beep beeps[BEEPS_MOST];
    int buzz_ms, buzzes;
    enum light light;
} tones[] = {
    [FEEDBACK_KEY] = {{{1800, 12}}, 0, 0, LIGHT_NONE},
    [FEEDBACK_GOOD] = {{{2400, 70}}, 60, 1, LIGHT_GREEN},
    [FEEDBACK_ATTENTION] = {{{1200, 110}, {0, 70}, {1200, 110}}, 110, 2, LIGHT_AMBER},
    [FEEDBACK_STOP] = {{{330, 650}}, 650, 1, LIGHT_RED},
    [FEEDBACK_DONE] = {{{1500, 70}, {2000, 70}, {2600, 120}}, 60, 2, LIGHT_GREEN},
};

struct feedback_outputs {
    struct beeper *beeper;
    struct vibrator *vibrator;
    char lights[LIGHTS][256];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    int next;  // enum feedback, -1: nothing to do
    bool stopping;
};

static void pause_ms(int milliseconds) {
    const struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&pause, NULL);
}

static void show(const struct feedback_outputs *outputs, enum light light) {
    for (int i = 0; i < LIGHTS; i++)
        if (outputs->lights[i][0]) light_set(outputs->lights[i], i == (int)light);
}

static void buzz(const struct feedback_outputs *outputs, enum feedback what) {
    for (int i = 0; i < tones[what].buzzes; i++) {
        vibrator_set(outputs->vibrator, true);
        pause_ms(tones[what].buzz_ms);
        vibrator_set(outputs->vibrator, false);
        if (i + 1 < tones[what].buzzes) pause_ms(70);
    }
}

// Motor and lights take their time; whoever scans does not wait for them. What comes while one plays is played next, the newest only.
static void *play(void *arg) {
    struct feedback_outputs *outputs = arg;
    pthread_mutex_lock(&outputs->lock);
    while (!outputs->stopping) {
        if (outputs->next < 0) {
            pthread_cond_wait(&outputs->wanted, &outputs->lock);
            continue;
        }
        const enum feedback what = (enum feedback)outputs->next;
        outputs->next = -1;
        pthread_mutex_unlock(&outputs->lock);
        if (tones[what].light != LIGHT_NONE) show(outputs, tones[what].light);
        if (outputs->vibrator) buzz(outputs, what);
        pthread_mutex_lock(&outputs->lock);
        struct timespec end;
        clock_gettime(CLOCK_REALTIME, &end);
        end.tv_nsec += LIGHT_MS * 1000000L;
        end.tv_sec += end.tv_nsec / 1000000000;
        end.tv_nsec %= 1000000000;
        while (!outputs->stopping && outputs->next < 0 && pthread_cond_timedwait(&outputs->wanted, &outputs->lock, &end) == 0) continue;
        if (outputs->next < 0 || outputs->stopping) show(outputs, LIGHT_NONE);
    }
    pthread_mutex_unlock(&outputs->lock);
    return NULL;
}

static void name_lights(const char *names, struct feedback_outputs *outputs) {
    for (int i = 0; names && *names && i < LIGHTS; i++) {
        const int len = (int)strcspn(names, ",");
        if (len > 0) snprintf(outputs->lights[i], sizeof outputs->lights[i], names[0] == '/' ? "%.*s" : "/sys/class/leds/%.*s", len, names);
        if (outputs->lights[i][0] && !light_set(outputs->lights[i], false)) {
            pt_log(PT_LOG_WARNING, "light-missing", "path=%s", outputs->lights[i]);
            outputs->lights[i][0] = 0;
        }
        names += len + (names[len] == ',');
    }
}

enum pt_code feedback_open(const struct feedback_options *options, struct feedback_outputs **out, struct pt_error *err) {
    struct feedback_outputs *outputs = calloc(1, sizeof *outputs);
    struct pt_error why = {0};
    if (!outputs) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    outputs->next = -1;
    pthread_mutex_init(&outputs->lock, NULL);
    pthread_cond_init(&outputs->wanted, NULL);
    if (options->sound && beeper_open(&outputs->beeper, &why) != PT_OK) pt_log_error("sound-missing", &why);
    if (options->vibrator && options->vibrator[0] && vibrator_open(options->vibrator, &outputs->vibrator, &why) != PT_OK) pt_log_error("vibrator-missing", &why);
    name_lights(options->leds, outputs);
    if (pthread_create(&outputs->thread, NULL, play, outputs) != 0) {
        beeper_close(outputs->beeper);
        vibrator_close(outputs->vibrator);
        free(outputs);
        return pt_fail(err, PT_IO, NULL, "cannot start a thread");
    }
    *out = outputs;
    return PT_OK;
}

void feedback_close(struct feedback_outputs *outputs) {
    if (!outputs) return;
    pthread_mutex_lock(&outputs->lock);
    outputs->stopping = true;
    pthread_cond_signal(&outputs->wanted);
    pthread_mutex_unlock(&outputs->lock);
    pthread_join(outputs->thread, NULL);
    show(outputs, LIGHT_NONE);
    vibrator_close(outputs->vibrator);
    beeper_close(outputs->beeper);
    pthread_cond_destroy(&outputs->wanted);
    pthread_mutex_destroy(&outputs->lock);
    free(outputs);
}

void feedback_give(struct feedback_outputs *outputs, enum feedback what) {
    size_t count = 0;
    while (count < BEEPS_MOST && tones[what].beeps[count].milliseconds) count++;
    if (outputs->beeper) beeper_play(outputs->beeper, tones[what].beeps, count);
    if (!tones[what].buzzes && tones[what].light == LIGHT_NONE) return;
    pthread_mutex_lock(&outputs->lock);
    outputs->next = (int)what;
    pthread_cond_signal(&outputs->wanted);
    pthread_mutex_unlock(&outputs->lock);
}
