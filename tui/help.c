/* SPDX-License-Identifier: MIT */
/* The help page, from the key table. */
#include "keymap.h"
#include "view.h"

static void draw_group(Frame *frame, KeyGroup group, const char *title, int col,
                       int row)
{
    frame_put(frame, row++, col, 30, ROLE_TITLE, title);
    for (Action action = 0; action < ACTION_MAX; action++) {
        if (key_table[action].group == group) {
            frame_put(frame, row, col + 1, 9, ROLE_KEY, keymap_keys(action));
            frame_put(frame, row++, col + 8, frame->cols / 2 - 9, ROLE_NORMAL,
                      key_table[action].long_help);
        }
    }
}

void draw_help(Frame *frame)
{
    static const char *const about[] = {
        "The screen shows the state right after one event of the run.",
        "Moving never runs the program again: every event is kept, and the",
        "state is computed from them.  Stacks come from a paused copy.",
    };
    int half = frame->cols / 2, row = 19;

    frame_put(frame, 0, 1, frame->cols - 1, ROLE_TITLE,
              "Keys          lower case: forwards, upper case: backwards");
    draw_group(frame, GROUP_TIME, "TIME", 1, 2);
    draw_group(frame, GROUP_SCHEDULE, "SCHEDULE", 1, 13);
    draw_group(frame, GROUP_LOOK, "LOOK", half, 2);
    draw_group(frame, GROUP_OTHER, "OTHER", half, 10);
    for (unsigned i = 0; i < ARRAY_SIZE(about); i++) {
        frame_put(frame, row + i, 1, frame->cols - 1, ROLE_DIM, about[i]);
    }
    frame_put(frame, frame->rows - 1, 1, frame->cols - 1, ROLE_KEY,
              "any key closes this page");
}
