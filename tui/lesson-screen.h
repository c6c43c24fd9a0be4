/* SPDX-License-Identifier: MIT */
/* The screen of a lesson, and its keys. */
#ifndef TUI_LESSON_SCREEN_H
#define TUI_LESSON_SCREEN_H

#include "lesson-run.h"
#include "view.h"

/* A pure function of the learner's state; freed by the caller. */
Frame *lesson_screen(const LessonRun *run, bool ascii, int rows, int cols);
void lesson_key(LessonRun *run, int key);

#endif
