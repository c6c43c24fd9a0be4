/* SPDX-License-Identifier: MIT */
/* The relational side of a log, made from a replay. */
#ifndef REPLAY_INDEX_H
#define REPLAY_INDEX_H

#include "log.h"
#include "session.h"

/*
 * Fills thread, object, site, event and input; input alone if @session is NULL.
 * False and *errp on failure.
 */
bool index_build(Log *log, const Session *session, Error **errp);

#endif
