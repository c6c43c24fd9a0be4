/* SPDX-License-Identifier: MIT */
/*
 * The deadlock library: bugs of QEMU's history, one small scenario each.
 *
 * Each has the variants "buggy" and "fixed"; lessons/library/README.md says
 * what they have in common, and golden/ how each is explained.
 */
#ifndef LESSONS_LIBRARY_H
#define LESSONS_LIBRARY_H

#include "aiolab/scenario.h"

/* Which schedules of "buggy" fail. */
typedef enum BugReach {
    BUG_ALWAYS,       /* all: nobody races */
    BUG_SOMETIMES,    /* some */
    BUG_STORE_BUFFER, /* none, unless a store may be overtaken by a load */
} BugReach;

typedef struct LibraryBug {
    const Scenario *scenario;
    int year;           /* of the fix */
    const char *kind;   /* what class of deadlock it is */
    const char *commit; /* that fixed it, in QEMU; "" if none did */
    const char *title;  /* of the commit, or where it is from */
    BugReach reach;
    unsigned classes;   /* of schedules of "fixed", if an exhaustive search is
                           soon over; else 0 */
} LibraryBug;

/* In the order of the catalogue; scenario is NULL at the end. */
extern const LibraryBug library_bugs[];

const LibraryBug *library_find(const char *name);

#endif
