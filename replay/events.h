/* SPDX-License-Identifier: MIT */
/* A run's probe events in memory: event N is the Nth, counted from 1. */
#ifndef REPLAY_EVENTS_H
#define REPLAY_EVENTS_H

#include "aiolab/probe.h"

typedef struct EventStore EventStore;

EventStore *event_store_new(void);
void event_store_free(EventStore *store);
/* Copies @event; sites and texts are kept once. */
void event_store_add(EventStore *store, const ProbeEvent *event);
uint64_t event_store_count(const EventStore *store);
/* @n from 1 to the count; the pointers live as long as the store. */
ProbeEvent event_store_get(const EventStore *store, uint64_t n);

#endif
