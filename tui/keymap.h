/* SPDX-License-Identifier: MIT */
/* Keys and what they do; see keymap.def. */
#ifndef TUI_KEYMAP_H
#define TUI_KEYMAP_H

#include "qemu/osdep.h"

/* Keys that are no characters; the terminal translates into these. */
enum {
    KEY_HOME_ = 0x110000, /* beyond Unicode */
    KEY_END_, KEY_UP_, KEY_DOWN_, KEY_PAGE_UP_, KEY_PAGE_DOWN_, KEY_BACKTAB_,
    KEY_BACKSPACE_, KEY_ENTER_, KEY_ESCAPE_, KEY_RESIZE_,
    KEY_CTRL_L_ = 12,
};

typedef enum KeyGroup { GROUP_TIME, GROUP_SCHEDULE, GROUP_LOOK, GROUP_OTHER } KeyGroup;

typedef enum Action {
#define KEY(ID, key, back, group, short_, long_) ACTION_##ID,
#include "keymap.def"
#undef KEY
    ACTION_MAX,
    ACTION_NONE = ACTION_MAX
} Action;

typedef struct KeyInfo {
    int key, back_key;
    KeyGroup group;
    const char *short_help, *long_help;
} KeyInfo;

extern const KeyInfo key_table[ACTION_MAX];

/* The action of a key; *back is true for its backward form. */
Action keymap_find(int key, bool *back);
/* "s/S", "Tab", "Home"; in a static buffer. */
const char *keymap_keys(Action action);

#endif
