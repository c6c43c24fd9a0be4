/* SPDX-License-Identifier: MIT */
/* A small hash table with a free list: no allocation once warm. */
#include "pending.h"

#include "qemu/iov.h"

static Pending **bucket(PendingTable *table, uint64_t id)
{
    return &table->buckets[id % PENDING_BUCKETS];
}

void pending_init(PendingTable *table)
{
    *table = (PendingTable){.unused = NULL};
    QTAILQ_INIT(&table->in_flight);
}

Pending pending_of(const struct io_uring_sqe *sqe)
{
    return (Pending){
        .opcode = sqe->opcode, .fd = sqe->fd, .addr = sqe->addr,
        .off = sqe->off, .len = sqe->len,
    };
}

Pending *pending_add(PendingTable *table, CqeHandler *handler,
                     const struct io_uring_sqe *sqe)
{
    uint64_t id = handler->cqe.user_data;
    Pending **head = bucket(table, id), *pending = table->unused;

    if (pending) {
        table->unused = pending->next;
    } else {
        pending = g_new(Pending, 1);
    }
    *pending = pending_of(sqe);
    pending->handler = handler;
    pending->id = id;
    pending->next = *head;
    *head = pending;
    QTAILQ_INSERT_TAIL(&table->in_flight, pending, in_flight);
    return pending;
}

Pending *pending_find(PendingTable *table, uint64_t id)
{
    Pending *pending = *bucket(table, id);

    while (pending && pending->id != id) {
        pending = pending->next;
    }
    return pending;
}

void pending_remove(PendingTable *table, uint64_t id)
{
    Pending **link = bucket(table, id);

    while (*link && (*link)->id != id) {
        link = &(*link)->next;
    }
    if (*link) {
        Pending *gone = *link;

        *link = gone->next;
        QTAILQ_REMOVE(&table->in_flight, gone, in_flight);
        gone->next = table->unused;
        table->unused = gone;
    }
}

void pending_remove_laio(PendingTable *table, const HostLaio *laio)
{
    Pending *pending, *next;

    QTAILQ_FOREACH_SAFE(pending, &table->in_flight, in_flight, next) {
        if (pending->laio == laio) {
            pending_remove(table, pending->id);
        }
    }
}

static void free_chain(Pending *pending)
{
    while (pending) {
        Pending *next = pending->next;

        g_free(pending);
        pending = next;
    }
}

void pending_finish(PendingTable *table)
{
    for (unsigned i = 0; i < PENDING_BUCKETS; i++) {
        free_chain(table->buckets[i]);
    }
    free_chain(table->unused);
    pending_init(table);
}

bool pending_is_read(const Pending *pending)
{
    return pending->opcode == IORING_OP_READ ||
           pending->opcode == IORING_OP_READV;
}

bool pending_is_write(const Pending *pending)
{
    return pending->opcode == IORING_OP_WRITE ||
           pending->opcode == IORING_OP_WRITEV || pending_is_range(pending);
}

bool pending_is_range(const Pending *pending)
{
    return pending->opcode == IORING_OP_FALLOCATE;
}

uint64_t pending_bytes(const Pending *pending)
{
    struct iovec one;
    unsigned niov;
    const struct iovec *iov;

    if (pending_is_range(pending)) {
        return pending->addr;
    }
    iov = pending_iov(pending, &one, &niov);
    return iov_size(iov, niov);
}

const struct iovec *pending_iov(const Pending *pending, struct iovec *one,
                                unsigned *niov)
{
    void *addr = (void *)(uintptr_t)pending->addr;

    if (pending->opcode == IORING_OP_READV ||
        pending->opcode == IORING_OP_WRITEV) {
        *niov = pending->len;
        return addr;
    }
    *one = (struct iovec){addr, pending->len};
    *niov = 1;
    return one;
}
