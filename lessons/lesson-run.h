/* SPDX-License-Identifier: MIT */
/*
 * Taking a lesson: where the learner is, and what a line of input does.
 *
 * The plain front end and the screen share this; neither knows the rules.
 */
#ifndef LESSONS_LESSON_RUN_H
#define LESSONS_LESSON_RUN_H

#include "lesson.h"
#include "session.h"

typedef struct LessonRun {
    Lesson *lesson;
    unsigned item;      /* the current one; items->len: the end */
    bool answered;      /* predict: locked; the answer has been shown */
    bool solved;        /* break, fix */
    unsigned hints;     /* shown of this item */
    unsigned right, asked; /* predictions */
    GArray *picks;      /* break: choices so far, of unsigned */
    ScenarioSpec *spec;
    Session *session;   /* what the item is about, or NULL */
    uint64_t choice_at; /* break: the event of the open choice; 0: none */
    char *feedback;     /* what the last input led to, or NULL */
} LessonRun;

/* Takes over @lesson. */
LessonRun *lesson_run_new(Lesson *lesson);
void lesson_run_free(LessonRun *run);
bool lesson_run_over(const LessonRun *run);
/* What to show for the current item; freed by the caller. */
char *lesson_run_prompt(const LessonRun *run);
/* "" goes on; a number answers; h, r, c, s: hint, restart, check, skip. */
void lesson_run_input(LessonRun *run, const char *input);

/* ---- Parts that commands and tests use too ---- */

/* The first column of @item's SQL over a recorded run of @scenario. */
char *lesson_compute(const LessonItem *item, const char *scenario,
                     Error **errp);
/* True if @spec ends well in every schedule; *text says what was found. */
bool lesson_check_spec(const ScenarioSpec *spec, const char *shown,
                       char **text);
/* The learner's copy of an exercise; made on first use. */
char *lesson_work_file(const Lesson *lesson, const LessonItem *item,
                       Error **errp);
const LessonItem *lesson_find_fix(const Lesson *lesson);

#endif
