/* SPDX-License-Identifier: MIT */
/*
 * Requests that are on a ring or in a linux-aio queue: what the recorder and
 * the replayer must know of each until it completes.
 */
#ifndef REPLAY_PENDING_H
#define REPLAY_PENDING_H

#include "host.h"

enum {
    PENDING_BUCKETS = 256,
    FILES_MAX = 1 << 16, /* as often a recorded run may open a file */
};

typedef struct Pending {
    CqeHandler *handler;
    uint64_t id;
    uint8_t opcode;
    int fd;
    uint64_t addr, off;
    uint32_t len;
    const HostLaio *laio; /* its queue; NULL: it is on a ring, or on none */
    bool contended; /* it overlapped a write while both were in flight */
    bool flying;    /* the recorder tracks it: it is on a list of its own */
    struct Pending *next;
    QTAILQ_ENTRY(Pending) in_flight;
    QTAILQ_ENTRY(Pending) flight; /* the recorder's */
} Pending;

typedef struct PendingTable {
    Pending *buckets[PENDING_BUCKETS];
    Pending *unused;
    QTAILQ_HEAD(, Pending) in_flight;
} PendingTable;

void pending_init(PendingTable *table);

/* A request that is on no ring, and in no table. */
Pending pending_of(const struct io_uring_sqe *sqe);
/* Adds the request that @sqe holds under @handler's id. */
Pending *pending_add(PendingTable *table, CqeHandler *handler,
                     const struct io_uring_sqe *sqe);
Pending *pending_find(PendingTable *table, uint64_t id);
void pending_remove(PendingTable *table, uint64_t id);
/* Forgets what was left in a queue that is gone. */
void pending_remove_laio(PendingTable *table, const HostLaio *laio);
void pending_finish(PendingTable *table);

bool pending_is_read(const Pending *pending);
/* It changes the file: data, zeroes or a hole. */
bool pending_is_write(const Pending *pending);
bool pending_is_range(const Pending *pending); /* zeroes or a hole */
/* How much of the file it reads or changes. */
uint64_t pending_bytes(const Pending *pending);
/* The memory that it reads into or writes from; @one is for plain buffers. */
const struct iovec *pending_iov(const Pending *pending, struct iovec *one,
                                unsigned *niov);

#endif
