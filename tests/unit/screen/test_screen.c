// Pages drawn by SDL's dummy driver and read back: colours where they must be, nothing outside, touch and keys. The pictures are
// kept (PACKTRAIL_SHOTS) for people to look at.
#include <SDL.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firmware/screen/screen.h"
#include "tests/support/support.h"

struct picture {
    unsigned width, height;
    uint8_t *rgb;
};

static struct picture draw(struct screen *screen, const char *name, const struct page *page) {
    char path[512];
    const char *dir = getenv("PACKTRAIL_SHOTS");
    if (dir) snprintf(path, sizeof path, "%s/screen-%s.png", dir, name);
    else snprintf(path, sizeof path, "/tmp/packtrail-screen-%d.png", (int)getpid());
    screen_draw(screen, page);
    assert_int_equal(screen_save(screen, path, NULL), PT_OK);
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, path));
    image.format = PNG_FORMAT_RGB;
    struct picture picture = {image.width, image.height, malloc(PNG_IMAGE_SIZE(image))};
    assert_true(png_image_finish_read(&image, NULL, picture.rgb, 0, NULL));
    if (!dir) unlink(path);
    return picture;
}

static size_t count_colour(const struct picture *picture, unsigned rgb) {
    size_t count = 0;
    for (size_t i = 0; i < (size_t)picture->width * picture->height; i++) {
        const uint8_t *p = picture->rgb + 3 * i;
        count += ((unsigned)p[0] << 16 | (unsigned)p[1] << 8 | p[2]) == rgb;
    }
    return count;
}

static struct screen *open_screen(int width, int height) {
    struct screen *screen = NULL;
    struct pt_error err = {0};
    const struct screen_options options = {.width = width, .height = height, .window = true};
    setenv("SDL_VIDEODRIVER", "dummy", 1);
    if (screen_open(&options, &screen, &err) != PT_OK) fail_msg("%s", err.what);
    return screen;
}

static void set(char *out, size_t size, const char *text) { snprintf(out, size, "%s", text); }
#define SET(field, text) set(field, sizeof field, text)

static struct page bar(void) {
    static struct page page;
    memset(&page, 0, sizeof page);
    page.battery = 82;
    page.online = true;
    page.selected = -1;
    SET(page.clock, "14:05");
    SET(page.user, "王芳");
    return page;
}

static struct page answer(enum page_tone tone, bool zh) {
    struct page page = bar();
    page.tone = tone;
    if (tone == PAGE_STOP) {
        SET(page.title, zh ? "发药" : "Dispense");
        SET(page.headline, zh ? "不得发出：已召回" : "Do not dispense: recalled");
        SET(page.reason, zh ? "召回 NMPA-2026-17，一级：胶囊中发现异物。本药品批号 L2026R 在召回范围内。" : "Recall NMPA-2026-17, class 1: foreign particles in some capsules. Lot L2026R is covered.");
        SET(page.advice, zh ? "请将此盒放入隔离区，并告知药师。" : "Put this pack into quarantine and tell the pharmacist in charge.");
        SET(page.age, zh ? "召回清单：5 分钟前" : "Recall list: 5 minutes old");
    } else if (tone == PAGE_ATTENTION) {
        SET(page.title, zh ? "核验" : "Verify");
        SET(page.headline, zh ? "未核验" : "Not verified");
        SET(page.reason, zh ? "网络不通，数据为 3 小时前。" : "The line is down; what is known is 3 hours old.");
        SET(page.advice, zh ? "请稍后再扫一次。" : "Scan again when the line is back.");
        page.online = false;
        page.unsent = 1284;
        page.battery = 9;
    } else {
        SET(page.title, zh ? "核验" : "Verify");
        SET(page.headline, zh ? "真品，可以发出" : "Genuine");
        SET(page.reason, zh ? "阿莫西林胶囊 0.25g × 24 粒，批号 L2026A，有效期至 2028-12-31" : "Amoxicillin capsules 250 mg, 24 pieces, lot L2026A, use before 2028-12-31. In a state to be dispensed.");
    }
    SET(page.soft[0], zh ? "完成" : "Finish");
    SET(page.soft[1], zh ? "撤销" : "Undo");
    SET(page.soft[2], zh ? "更多" : "More");
    return page;
}

static void tones_fill_the_page(void **state) {
    (void)state;
    const struct {
        int width, height;
        const char *name;
    } sizes[] = {{320, 480, "320x480"}, {480, 320, "480x320"}, {720, 1280, "720x1280"}, {240, 320, "240x320"}};
    const unsigned grounds[] = {0xe4eaf0, 0x0b6b34, 0xf5b800, 0xb00020};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct screen *screen = open_screen(sizes[s].width, sizes[s].height);
        for (int tone = PAGE_GOOD; tone <= PAGE_STOP; tone++)
            for (int zh = 0; zh < 2; zh++) {
                char name[64];
                const struct page page = answer((enum page_tone)tone, zh);
                snprintf(name, sizeof name, "answer-%d-%s-%s", tone, zh ? "zh" : "en", sizes[s].name);
                struct picture picture = draw(screen, name, &page);
                assert_int_equal(picture.width, sizes[s].width);
                // Alone on the page the answer's colour is what one sees: more than a third of all pixels.
                assert_true(count_colour(&picture, grounds[tone]) * 3 > (size_t)sizes[s].width * (size_t)sizes[s].height);
                free(picture.rgb);
            }
        screen_close(screen);
    }
}

static void add_row(struct page *page, char key, const char *left, const char *right, const char *below, enum page_tone tone) {
    struct page_row *row = &page->rows[page->row_count++];
    row->key = key;
    row->tone = tone;
    SET(row->left, left);
    SET(row->right, right);
    SET(row->below, below);
}

static struct page menu(bool zh) {
    struct page page = bar();
    static const char *const names[][2] = {{"Receive", "入库"}, {"Ship", "出库"}, {"Pack", "装箱"}, {"Unpack", "拆箱"}, {"Dispense", "发药"}, {"Return", "退货"}, {"Count", "盘点"}, {"Quarantine", "隔离"}, {"Destroy", "销毁"}, {"Verify", "核验"}, {"History", "历史记录"}, {"Recalls", "召回"}};
    SET(page.title, zh ? "做什么？" : "What are you doing?");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        add_row(&page, i < 9 ? (char)('1' + i) : 0, names[i][zh], i == 0 ? (zh ? "3 张单" : "3 notices") : "", "", PAGE_CALM);
    page.selected = 0;
    page.unsent = 12;
    return page;
}

static struct page counting(bool zh) {
    struct page page = bar();
    SET(page.title, zh ? "入库 · 国药控股" : "Receive · Sinopharm");
    SET(page.count, "36 / 48");
    SET(page.count_caption, zh ? "已扫 / 应有" : "counted / expected");
    page.tone = PAGE_GOOD;
    SET(page.headline, zh ? "已计入" : "Counted");
    SET(page.reason, zh ? "阿莫西林胶囊 0.25g" : "Amoxicillin capsules 250 mg");
    add_row(&page, 0, zh ? "阿莫西林胶囊" : "Amoxicillin capsules", "24 / 24", "", PAGE_GOOD);
    add_row(&page, 0, zh ? "布洛芬片" : "Ibuprofen tablets", "12 / 24", zh ? "还差 12" : "12 missing", PAGE_ATTENTION);
    SET(page.soft[0], zh ? "完成" : "Finish");
    SET(page.soft[1], zh ? "撤销" : "Undo");
    SET(page.soft[2], zh ? "更多" : "More");
    page.training = !zh;
    if (zh) SET(page.trouble, "时钟偏差 12 分钟，下次联网时校准");
    return page;
}

static struct page entry(bool zh) {
    struct page page = bar();
    SET(page.title, zh ? "手工输入" : "Typed code");
    SET(page.entry_label, zh ? "请再输入一次，核对" : "Type it a second time");
    SET(page.entry, "8123 4560 0000 0059 2183");
    SET(page.soft[0], zh ? "确定" : "OK");
    SET(page.soft[2], zh ? "返回" : "Back");
    return page;
}

static struct page invitation(void) {
    struct page page = bar();
    SET(page.title, "Enrolment");
    SET(page.headline, "This terminal's key");
    SET(page.reason, "1A2B 3C4D 5E6F 7081");
    const char *text = "PTENROL1:0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF";
    memcpy(page.qr, text, strlen(text));
    page.qr_len = strlen(text);
    return page;
}

static void pages_for_people(void **state) {
    (void)state;
    const struct {
        int width, height;
        const char *name;
    } sizes[] = {{320, 480, "320x480"}, {480, 320, "480x320"}};
    for (size_t s = 0; s < 2; s++) {
        struct screen *screen = open_screen(sizes[s].width, sizes[s].height);
        const struct {
            const char *name;
            struct page page;
        } pages[] = {{"menu-en", menu(false)}, {"menu-zh", menu(true)}, {"count-en", counting(false)}, {"count-zh", counting(true)}, {"entry-zh", entry(true)}, {"entry-en", entry(false)}, {"invitation", invitation()}};
        for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
            char name[64];
            snprintf(name, sizeof name, "%s-%s", pages[i].name, sizes[s].name);
            struct picture picture = draw(screen, name, &pages[i].page);
            // Something stands there: paper is not all.
            assert_true(count_colour(&picture, 0xf6f7f5) < (size_t)picture.width * picture.height * 9 / 10);
            free(picture.rgb);
        }
        screen_close(screen);
    }
}

static void push_key(SDL_Keycode code, Uint16 mod) {
    SDL_Event event = {.key = {.type = SDL_KEYDOWN, .keysym = {.sym = code, .mod = mod}}};
    SDL_PushEvent(&event);
}

static void push_touch(int x, int y) {
    SDL_Event event = {.button = {.type = SDL_MOUSEBUTTONUP, .button = SDL_BUTTON_LEFT, .x = x, .y = y}};
    SDL_PushEvent(&event);
}

static struct screen_event next(struct screen *screen) {
    struct screen_event event;
    screen_wait(screen, 1000, &event);
    return event;
}

static void keys_fingers_and_wakes_arrive(void **state) {
    (void)state;
    struct screen *screen = open_screen(320, 480);
    const struct page page = menu(false);
    struct screen_event event;
    screen_wait(screen, 50, &event);  // what the window itself had to say
    screen_draw(screen, &page);
    push_key(SDLK_RETURN, 0);
    push_key(SDLK_F3, 0);
    push_key(SDLK_RIGHTBRACKET, KMOD_LCTRL);
    event = next(screen);
    assert_int_equal(event.key, KEY_OK);
    event = next(screen);
    assert_int_equal(event.key, KEY_SOFT_3);
    event = next(screen);
    assert_int_equal(event.kind, SCREEN_TEXT);
    assert_int_equal(event.text[0], 0x1d);
    push_touch(160, 130);
    event = next(screen);
    assert_int_equal(event.kind, SCREEN_ROW);
    assert_true(event.row >= 0 && event.row < 3);
    screen_wake(screen);
    screen_wake(screen);
    event = next(screen);
    assert_int_equal(event.kind, SCREEN_WOKEN);
    screen_wait(screen, 20, &event);
    assert_int_equal(event.kind, SCREEN_NOTHING);  // two wakes before a wait are one
    push_touch(160, 3);  // the bar: nothing to touch
    screen_wait(screen, 20, &event);
    assert_int_equal(event.kind, SCREEN_NOTHING);
    screen_close(screen);
}

// Texts that no view should send still end in a picture, not in a crash.
static void hostile_texts(void **state) {
    (void)state;
    struct screen *screen = open_screen(320, 480);
    struct page page = counting(false);
    memset(page.headline, 'W', sizeof page.headline - 1);
    memset(page.reason, 0xe6, sizeof page.reason - 1);
    memset(page.advice, '\n', sizeof page.advice - 1);
    memset(page.count, '8', sizeof page.count - 1);
    page.entry_masked = true;
    SET(page.entry_label, "PIN");
    memset(page.entry, 0xff, sizeof page.entry - 1);
    page.selected = 1000;
    struct picture picture = draw(screen, "hostile", &page);
    free(picture.rgb);
    screen_close(screen);
}

static void missing_font_is_said(void **state) {
    (void)state;
    struct screen *screen = NULL;
    struct pt_error err = {0};
    const struct screen_options options = {.width = 320, .height = 480, .window = true, .font = "/nowhere/font.ttf"};
    setenv("SDL_VIDEODRIVER", "dummy", 1);
    assert_int_equal(screen_open(&options, &screen, &err), PT_UNAVAILABLE);
    assert_non_null(strstr(err.what, "fonts-wqy-microhei"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(tones_fill_the_page), cmocka_unit_test(pages_for_people), cmocka_unit_test(keys_fingers_and_wakes_arrive),
                                       cmocka_unit_test(hostile_texts), cmocka_unit_test(missing_font_is_said)};
    return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
