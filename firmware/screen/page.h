// What stands on the terminal's screen, as data: the views fill a page in, the screen draws it at whatever size there is.
// All texts are UTF-8 in the language of the user, already translated; one that does not fit is shortened at its end.
#ifndef PACKTRAIL_FIRMWARE_SCREEN_PAGE_H
#define PACKTRAIL_FIRMWARE_SCREEN_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_TEXT 192u
#define PAGE_LONG_TEXT 640u
#define PAGE_ROWS 40u   // a longer list is paged by its view
#define PAGE_QR 1024u

// The colour of the answer: it fills the upper part of the page. Never the only sign: the headline says the same in words.
enum page_tone { PAGE_CALM = 0, PAGE_GOOD, PAGE_ATTENTION, PAGE_STOP };

struct page_row {
    char left[PAGE_TEXT];
    char right[64];
    char below[PAGE_TEXT];  // a second, smaller line; "" for none
    enum page_tone tone;    // a coloured edge
    char key;               // '1' … '9': chosen by this key; 0: none
    bool dimmed;            // cannot be chosen now
};

struct page {
    // The bar on top.
    char clock[6];          // "14:05"
    char user[32];
    bool online;
    size_t unsent;          // statements without receipt
    int battery;            // percent; -1 unknown
    bool charging;
    bool training;          // a band that nobody overlooks
    char trouble[PAGE_TEXT];  // clock, storage, reader gone, revoked: one line below the bar; "" for none

    char title[PAGE_TEXT];
    // The answer: one colour, one headline, the reason, what to do.
    enum page_tone tone;
    char headline[PAGE_TEXT];
    char reason[PAGE_LONG_TEXT];
    char advice[PAGE_LONG_TEXT];
    char age[PAGE_TEXT];    // how old the data are, "" if that is no question

    char count[32];         // "12 / 48": as big as it fits; "" for none
    char count_caption[PAGE_TEXT];

    struct page_row rows[PAGE_ROWS];
    size_t row_count;
    int selected;           // -1: none

    char entry_label[PAGE_TEXT];  // a field that is typed into; "" for none
    char entry[PAGE_TEXT];
    bool entry_masked;

    uint8_t qr[PAGE_QR];    // drawn as a QR code; qr_len 0: none
    size_t qr_len;

    char soft[3][48];       // labels of the three soft keys, "" for none
};

#endif
