/* SPDX-License-Identifier: MIT */
/*
 * A unit of work: what one process of a large search does, in a line.
 *
 *   nested-laio/buggy strategy=portfolio seed=1 from=4000 max=2000
 *
 * The same unit has the same findings on any machine with the same version.
 */
#ifndef EXPLORE_UNIT_H
#define EXPLORE_UNIT_H

#include "extras.h"
#include "search.h"

typedef struct Unit {
    char *scenario;    /* a name, or a file */
    Strategy strategy;
    uint64_t seed, from, max, max_steps;
    unsigned shard, shards; /* of a bounded search */
    bool all, plain;
    unsigned extras;   /* SimConfig.extras */
    GPtrArray *params; /* of char *: "name=value" */
    char *start;       /* a token, or NULL */
} Unit;

enum { UNIT_MAX = 20000, UNIT_MAX_STEPS = 20000 };

Unit *unit_new(const char *scenario);
void unit_free(Unit *unit);
/* NULL and *errp if the line is none. */
Unit *unit_parse(const char *line, Error **errp);
char *unit_text(const Unit *unit);
/* The arguments of aiolab-explorer that do it; freed by the caller. */
char **unit_arguments(const Unit *unit);

#endif
