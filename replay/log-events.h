/* SPDX-License-Identifier: MIT */
/*
 * Probe events in a log that has no inputs to make them from: those of a trace
 * that another program wrote.  One thread.
 */
#ifndef REPLAY_LOG_EVENTS_H
#define REPLAY_LOG_EVENTS_H

#include "events.h"
#include "log.h"

typedef struct EventWriter EventWriter;

/* @log: newly created; stays the caller's, as do errors. */
EventWriter *event_writer_new(Log *log);
/* Copies the event, its text, and its site, whose file is all events'. */
void event_writer_add(EventWriter *writer, const ProbeEvent *event);
/* Writes what is left, and frees. */
void event_writer_finish(EventWriter *writer);

bool log_has_events(Log *log);
/*
 * All of them into @store.  What they point to lives as long as @keep, to which
 * it is added.  False and *errp if the log is damaged.
 */
bool log_load_events(Log *log, EventStore *store, GPtrArray *keep,
                     Error **errp);

#endif
