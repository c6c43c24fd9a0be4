/* SPDX-License-Identifier: MIT */
/* The recorder's state, shared by its two files. */
#ifndef REPLAY_RECORDER_INTERNAL_H
#define REPLAY_RECORDER_INTERNAL_H

#include "fd-table.h"
#include "pending.h"
#include "recorder.h"
#include "ring.h"

enum { CLUSTER = 65536 }; /* pre-images are kept in pieces of this size */

/* A file that the recorded program has open. */
typedef struct RecordedFile {
    int fd;
    GHashTable *saved;     /* DATA_HASH: clusters whose pre-image is stored */
    GHashTable *uncertain; /* pages that two writes in flight at once wrote:
                              only the kernel knows in which order */
} RecordedFile;

typedef struct Recorder {
    const HostOps *base;
    RingSet *rings;
    BlackBox *box, *own_box;
    Log *log;
    DataPolicy policy;
    bool simulated;
    GArray *files; /* of RecordedFile, by ordinal */
    PendingTable pending;
    FdTable fds; /* what GLib polls for us */
    uint8_t *cluster;
} Recorder;

extern Recorder rec;
extern __thread Ring *rec_ring; /* the calling thread's */

/* Notes an input of the calling thread. */
void rec_put(InputKind kind, uint64_t obj, uint64_t a, uint64_t b);

/* Notes a completion, with the data that it brought. */
void rec_put_cqe(CqeHandler *handler);
/*
 * Before a request goes out.  Where the data is not in the log, this marks
 * requests whose order the kernel decides, so that no replay can, and keeps
 * what a write is about to overwrite, once for each cluster.
 */
void rec_note_request(Pending *pending);

int rec_file_open(const char *path, bool writable, bool direct);
void rec_file_close(int fd);
int64_t rec_file_size(int fd);
int32_t rec_file_perform(const struct io_uring_sqe *sqe);

/* recorder-laio.c */
int rec_laio_setup(uint64_t id, unsigned max_events, EventNotifier *e,
                   HostLaio **laio);
void rec_laio_destroy(HostLaio *laio);
int rec_laio_submit(HostLaio *laio, HostLaioRequest **requests, unsigned n);
unsigned rec_laio_getevents(HostLaio *laio, HostLaioRequest **done, unsigned n);
bool rec_laio_pending(HostLaio *laio);

#endif
