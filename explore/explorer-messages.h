/* SPDX-License-Identifier: MIT */
/*
 * Between "aiolab explore" and the program that searches for it: one JSON
 * object a line, from the latter.
 *
 *   {"progress": {...}}  now and then: SearchStats
 *   {"finding": {...}}   finding_to_json()
 *   {"end": {...}}       the last one: SearchStats
 *   {"error": "..."}     instead: the search could not begin
 */
#ifndef EXPLORE_EXPLORER_MESSAGES_H
#define EXPLORE_EXPLORER_MESSAGES_H

#include "search.h"

enum { EXPLORER_FD = 3 };

/* ---- In the searching program ---- */

void explorer_send_error(Error *err);
/* Runs the search, and returns the program's exit status. */
int explorer_serve(const ScenarioSpec *spec, const SearchJob *job);

/* ---- In the one that started it ---- */

typedef struct Explorer Explorer;

/*
 * @argv: the program's name, and the arguments of the search.  NULL and *errp
 * if it cannot start.
 */
Explorer *explorer_start(char **argv, Error **errp);
/* What it says, for whoever reads that himself. */
int explorer_fd(const Explorer *explorer);
/*
 * Reads until the end; the listener is called on the way.  False and *errp if
 * the search could not begin, or its process died.
 */
bool explorer_read(Explorer *explorer, const SearchListener *listener,
                   SearchStats *stats, Error **errp);
void explorer_free(Explorer *explorer);

#endif
