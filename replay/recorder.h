/* SPDX-License-Identifier: MIT */
/* Recording: a layer over the live or the simulated host. */
#ifndef REPLAY_RECORDER_H
#define REPLAY_RECORDER_H

#include "host.h"
#include "log.h"

typedef struct BlackBox BlackBox;

typedef enum DataPolicy {
    DATA_FULL, /* what was read is stored, once for each content */
    DATA_HASH, /* its hash is; a replay needs the image again */
} DataPolicy;

typedef enum CaptureKind {
    CAPTURE_FULL,     /* all inputs: what a replay needs */
    CAPTURE_EXPLICIT, /* live: what QEMU's opt-in calls would capture */
} CaptureKind;

/* The host to run on while recording. */
extern const HostOps recorder_host;
enum {
    RECORDER_LIVE_MODE = HOST_TIMES | HOST_OBSERVE | HOST_SIGHTS |
                         HOST_COUNTS | HOST_GLIB,
    RECORDER_EXPLICIT_MODE = HOST_OBSERVE,
};
/* The live host, for CAPTURE_EXPLICIT. */
const HostOps *recorder_explicit_host(void);

/*
 * Begins recording operations of @base into @log.  The calling thread is the
 * recorded main thread (live) or runs the machine (sim).  @box is the caller's,
 * or NULL: then one is made, and false and *errp returned if it cannot be.
 */
bool recorder_start(const HostOps *base, Log *log, BlackBox *box,
                    DataPolicy policy, Error **errp);
/* The main thread's last act: what a replay must arrive at. */
void recorder_end(void);
/*
 * Nothing can run any more, and the threads with these numbers wait: the last
 * inputs of the recording.  On a thread that is not recorded.
 */
void recorder_put_stuck(const uint32_t *threads, unsigned n);
/*
 * Writes what there is, while threads go on: what they note from now on is for
 * whoever reads the box when this process has ended.
 */
void recorder_stop_writing(void);
/* Writes what is left; sets the log's meta "inputs" and "stalls". */
void recorder_stop(void);

#endif
