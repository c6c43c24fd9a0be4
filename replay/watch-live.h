/* SPDX-License-Identifier: MIT */
/*
 * Noticing that a live run is stuck: a layer right above the live host.
 *
 * Each thread says when it begins and ends to wait in the host.  A thread of
 * its own looks now and then.  The run is stuck if every thread waits without
 * a limit, sleeps by the kernel's word, has neither waited nor run since the
 * look before, and nothing is in flight that could wake it: no request, no
 * descriptor from outside, no thread that we do not know.  Two looks must agree
 * (by the threads' epochs), so a thread that was only about to run is not
 * mistaken for one that never will.
 */
#ifndef REPLAY_WATCH_LIVE_H
#define REPLAY_WATCH_LIVE_H

#include "host.h"

/* The live host, watched. */
const HostOps *watch_live_host(void);

/*
 * On the watching thread, once: the threads with these numbers wait for ever.
 * Must not return.
 */
typedef void WatchStuck(const uint32_t *threads, unsigned n, void *opaque);

/*
 * Begins to watch; the calling thread is the main thread.  @helpers: how many
 * threads of ours there are besides those of the scenario.
 */
void watch_live_start(unsigned helpers, WatchStuck *stuck, void *opaque);
/* Ends it; the main thread, before the host is torn down. */
void watch_live_stop(void);

#endif
