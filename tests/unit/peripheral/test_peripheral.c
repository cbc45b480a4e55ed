// Battery gauge, lights and motor against directories laid out as the kernel does; the sound by SDL's dummy driver.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "firmware/peripheral/battery.h"
#include "firmware/peripheral/feedback.h"
#include "firmware/peripheral/vibrator.h"
#include "tests/support/support.h"

static char root[64];

static int set_up(void **state) {
    (void)state;
    snprintf(root, sizeof root, "/tmp/packtrail-peripheral-XXXXXX");
    return mkdtemp(root) ? 0 : 1;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static void put(const char *entry, const char *file, const char *content) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, entry);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/%s/%s", root, entry, file);
    PT_FCLOSE FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(content, out);
}

static bool lit(const char *entry) {
    char path[512], text[16] = "";
    snprintf(path, sizeof path, "%s/%s/brightness", root, entry);
    PT_FCLOSE FILE *in = fopen(path, "r");
    assert_non_null(in);
    return fgets(text, sizeof text, in) && strcmp(text, "255") == 0;
}

static void battery(void **state) {
    (void)state;
    struct battery_status status;
    battery_read("/nowhere", &status);
    assert_int_equal(status.percent, -1);
    battery_read(root, &status);
    assert_int_equal(status.percent, -1);
    put("AC", "type", "Mains\n");
    battery_read(root, &status);
    assert_int_equal(status.percent, -1);
    put("BAT0", "type", "Battery\n");
    put("BAT0", "capacity", "37\n");
    put("BAT0", "status", "Discharging\n");
    battery_read(root, &status);
    assert_int_equal(status.percent, 37);
    assert_false(status.charging);
    put("BAT0", "capacity", "104\n");
    put("BAT0", "status", "Charging\n");
    battery_read(root, &status);
    assert_int_equal(status.percent, 100);
    assert_true(status.charging);
    put("BAT0", "capacity", "nothing\n");
    battery_read(root, &status);
    assert_int_equal(status.percent, -1);
}

static bool wait_for(bool (*is)(const char *), const char *entry, bool wanted) {
    const struct timespec pause = {0, 5000000};
    for (int i = 0; i < 1000 && is(entry) != wanted; i++) nanosleep(&pause, NULL);
    return is(entry) == wanted;
}

static void lights_follow_the_tone(void **state) {
    (void)state;
    char names[512], motor[256];
    const char *const entries[] = {"green", "amber", "red", "motor"};
    for (size_t i = 0; i < 4; i++) put(entries[i], "brightness", "0");
    snprintf(names, sizeof names, "%s/green,%s/amber,%s/red", root, root, root);
    snprintf(motor, sizeof motor, "%s/motor", root);
    struct feedback_outputs *outputs;
    setenv("SDL_AUDIODRIVER", "dummy", 1);
    const struct feedback_options options = {.sound = true, .vibrator = motor, .leds = names};
    assert_int_equal(feedback_open(&options, &outputs, NULL), PT_OK);
    feedback_give(outputs, FEEDBACK_KEY);
    feedback_give(outputs, FEEDBACK_STOP);
    assert_true(wait_for(lit, "red", true));
    assert_true(wait_for(lit, "motor", true));
    assert_false(lit("green"));
    assert_true(wait_for(lit, "motor", false));
    feedback_give(outputs, FEEDBACK_GOOD);
    assert_true(wait_for(lit, "green", true));
    assert_false(lit("red"));
    assert_true(wait_for(lit, "green", false));
    feedback_give(outputs, FEEDBACK_ATTENTION);
    assert_true(wait_for(lit, "amber", true));
    feedback_close(outputs);
    for (size_t i = 0; i < 4; i++) assert_false(lit(entries[i]));
}

// A terminal whose buzzer or LED is broken still works.
static void missing_outputs_are_left_out(void **state) {
    (void)state;
    struct feedback_outputs *outputs;
    struct vibrator *vibrator;
    struct pt_error err = {0};
    const struct feedback_options options = {.vibrator = "/dev/null", .leds = "/nowhere/a,,/nowhere/b"};
    assert_int_equal(vibrator_open("/dev/null", &vibrator, &err), PT_UNAVAILABLE);
    assert_int_equal(vibrator_open("/nowhere", &vibrator, &err), PT_NOT_FOUND);
    assert_int_equal(feedback_open(&options, &outputs, NULL), PT_OK);
    for (int what = FEEDBACK_KEY; what <= FEEDBACK_DONE; what++) feedback_give(outputs, (enum feedback)what);
    feedback_close(outputs);
    feedback_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(battery, set_up, tear_down), cmocka_unit_test_setup_teardown(lights_follow_the_tone, set_up, tear_down), cmocka_unit_test(missing_outputs_are_left_out)};
    return cmocka_run_group_tests_name("peripheral", tests, NULL, NULL);
}
