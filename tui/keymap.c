/* SPDX-License-Identifier: MIT */
/* Looking keys up. */
#include "keymap.h"

const KeyInfo key_table[ACTION_MAX] = {
#define KEY(ID, key, back, group, short_, long_) \
    {key, back, GROUP_##group, short_, long_},
#include "keymap.def"
#undef KEY
};

Action keymap_find(int key, bool *back)
{
    for (Action action = 0; action < ACTION_MAX; action++) {
        *back = key == key_table[action].back_key;
        if (key && (*back || key == key_table[action].key)) {
            return action;
        }
    }
    *back = false;
    return ACTION_NONE;
}

static const char *key_name(int key)
{
    static char character[2];

    switch (key) {
    case KEY_HOME_:
        return "Home";
    case KEY_END_:
        return "End";
    case KEY_UP_:
        return "Up";
    case KEY_DOWN_:
        return "Down";
    case KEY_PAGE_UP_:
        return "PgUp";
    case KEY_PAGE_DOWN_:
        return "PgDn";
    case KEY_BACKTAB_:
        return "Shift-Tab";
    case KEY_CTRL_L_:
        return "Ctrl-L";
    case '\t':
        return "Tab";
    }
    character[0] = key;
    return character;
}

const char *keymap_keys(Action action)
{
    static char text[32];
    const KeyInfo *info = &key_table[action];

    g_strlcpy(text, key_name(info->key), sizeof(text));
    if (info->back_key && info->back_key < 128) {
        g_strlcat(text, "/", sizeof(text));
        g_strlcat(text, key_name(info->back_key), sizeof(text));
    }
    return text;
}
