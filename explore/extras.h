/* SPDX-License-Identifier: MIT */
/*
 * What a simulated machine may do beyond the ordinary, in words: "memory=tso",
 * "spurious", "faults=short,eio".  Options, units and tokens all have it.
 */
#ifndef EXPLORE_EXTRAS_H
#define EXPLORE_EXTRAS_H

#include "sim.h"

#include "qapi/error.h"

/* Each sets what the word asks for; false and *errp if it is not known. */
bool extras_set_memory(unsigned *extras, const char *model, Error **errp);
bool extras_set_faults(unsigned *extras, const char *list, Error **errp);

/* The same as options of a command. */
typedef struct ExtrasOptions {
    char *memory, *faults;
    gboolean spurious;
} ExtrasOptions;

#define EXTRAS_ENTRIES(o)                                                     \
    {"memory", 0, 0, G_OPTION_ARG_STRING, &(o)->memory,                       \
     "sc: stores are seen at once (default); tso: x86's store buffers",       \
     "MODEL"},                                                                \
    {"faults", 0, 0, G_OPTION_ARG_STRING, &(o)->faults,                       \
     "requests may fail: some of short, again, eio", "LIST"},                 \
    {"spurious", 0, 0, G_OPTION_ARG_NONE, &(o)->spurious,                     \
     "waits for a condition may end by themselves", NULL}

bool extras_parse(const ExtrasOptions *o, unsigned *extras, Error **errp);

/* "short,eio", or NULL if there are none; freed by the caller. */
char *extras_faults(unsigned extras);

#endif
