/* SPDX-License-Identifier: MIT */
/*
 * Lessons: Markdown with active blocks.
 *
 * A lesson is a file lesson.md that a web page shows as it is.  It begins with
 * "key: value" lines between two "---".  What the program acts on is in fenced
 * code blocks, whose first word says what they are:
 *
 *   scenario  run: NAME/VARIANT      simulate it, and stand at its first event
 *   step      until: KIND N          go to the Nth event of that kind
 *             say: one sentence
 *   predict   ask, choose (a | b), answer, from (SQL), why, wrong CHOICE
 *   break     run, goal (stuck, failed, done), ask, hint.., solution (choices)
 *   fix       file, solution, task, hint..
 *
 * The answer to a question is computed by its SQL over the recorded run; what
 * the author wrote behind "answer" is only compared with it, by a test.
 */
#ifndef LESSONS_LESSON_H
#define LESSONS_LESSON_H

#include "qapi/error.h"

typedef enum ItemKind {
    ITEM_TEXT,
    ITEM_SCENARIO,
    ITEM_STEP,
    ITEM_PREDICT,
    ITEM_BREAK,
    ITEM_FIX,
} ItemKind;

typedef struct LessonItem {
    ItemKind kind;
    char *text;         /* a paragraph; or the raw block */
    GHashTable *fields; /* of a block: name -> value; hints: see below */
    GPtrArray *hints;   /* of char * */
    char **choices;     /* predict */
} LessonItem;

typedef struct Lesson {
    char *id, *title, *dir, *qemu;
    int minutes;
    GPtrArray *items; /* of LessonItem */
} Lesson;

/* Where the lessons are: AIOLAB_LESSONS, or beside the sources. */
const char *lessons_dir(void);
/* The ids, in the order in which they are meant; of char *. */
GPtrArray *lesson_ids(Error **errp);
/* NULL and *errp with "FILE: what is wrong (line)". */
Lesson *lesson_load(const char *id, Error **errp);
Lesson *lesson_parse(const char *path, const char *text, Error **errp);
void lesson_free(Lesson *lesson);
/* A block's field, or NULL. */
const char *item_field(const LessonItem *item, const char *name);

#endif
