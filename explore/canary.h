/* SPDX-License-Identifier: MIT */
/*
 * A search that must find something, beside one that may find nothing.
 *
 * The canary is a known deadlock.  A process that does not find it, or that
 * explains it in other words than the rest, cannot be trusted with anything
 * else: it is another build, or its machine does something else.
 */
#ifndef EXPLORE_CANARY_H
#define EXPLORE_CANARY_H

#include "qapi/error.h"

/*
 * Searches for it by aiolab-explorer.  Returns what was found, in a line that
 * is the same on every machine; freed by the caller.  NULL and *errp: nothing.
 */
char *canary_song(Error **errp);

#endif
