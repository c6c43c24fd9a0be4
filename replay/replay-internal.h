/* SPDX-License-Identifier: MIT */
/* The replayer's state, and how its host takes inputs. */
#ifndef REPLAY_REPLAY_INTERNAL_H
#define REPLAY_REPLAY_INTERNAL_H

#include "fd-table.h"
#include "machine.h"
#include "pending.h"
#include "replay-file.h"
#include "replayer.h"

typedef struct Replay {
    Log *log;
    Input *inputs;
    size_t n, at;        /* the next input */
    bool simulated;      /* the recorded host was */
    int next_notifier, next_monitor;
    FdTable fds; /* what GLib polls for us */
    PendingTable pending;
    ReplayFiles *files;
    uint64_t last_digest_at; /* input of the last digest that was equal */
    ReplayResult result;

    ProbeSink *sink;
    void *sink_opaque;
    ProbeEvent last_event; /* the newest of any thread, for reports */
} Replay;

extern Replay rp;

extern const HostOps replay_host;

/* Ends the run; nobody returns from these. */
void replay_stop(ReplayOutcome outcome);
void replay_stop_bad_log(Error *err);
/*
 * Stops with a report.  @got says what this thread wants to do; @why adds a
 * sentence, or is NULL.
 */
void replay_diverge(const char *got, const char *why);

/* Lets threads run until the next input is the calling thread's. */
const Input *replay_next_input(const char *wanted);
/* The next input, which must be of this kind and object. */
Input replay_take(InputKind kind, uint64_t obj);
/* True, and taken, if the next input is of this kind. */
bool replay_take_if(InputKind kind);
/* "3.17", the object's creator and ordinal; freed by the caller. */
char *replay_object_name(uint64_t id);

/*
 * The next input, a completion; its handler has the result, and its data.
 * @laio: the queue that it comes from, or NULL for a ring.
 */
CqeHandler *replay_take_cqe(const HostLaio *laio);

/* replay-laio.c */
int replay_laio_setup(uint64_t id, unsigned max_events, EventNotifier *e,
                      HostLaio **laio);
void replay_laio_destroy(HostLaio *laio);
int replay_laio_submit(HostLaio *laio, HostLaioRequest **requests, unsigned n);
unsigned replay_laio_getevents(HostLaio *laio, HostLaioRequest **done,
                               unsigned n);
bool replay_laio_pending(HostLaio *laio);

/* A thread's first and last act. */
void replay_thread_started(VThread *thread);
void replay_thread_ended(VThread *thread);

#endif
