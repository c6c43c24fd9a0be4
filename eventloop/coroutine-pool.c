/* SPDX-License-Identifier: MIT */
/*
 * Coroutines that have ended, kept for the next ones to be created.
 *
 * Making a stack costs system calls and page faults, so none is given back
 * lightly.  As in QEMU since 9.0 (86a637e481) a thread keeps at most two
 * batches of 128: the one it takes from and gives to, and a full one.  Two,
 * because with one a thread that goes up and down around a multiple of 128
 * would exchange a batch at every step.  What is too much goes to a pool that
 * all threads share, for those that create where others end; when that is full
 * by more than its limit, a batch is freed.
 *
 * The shared pool is guarded by a lock that spins: it is held for a few
 * instructions, once in 128 coroutines, and nothing that a simulation or a
 * recording sees depends on it.  It ends with the run (host_set()).
 */
#include "coroutine-internal.h"

enum {
    INITIAL_SHARED_MAX = 128, /* coroutines */
    /*
     * A stack takes two of the process's memory mappings, of which Linux
     * grants 65,530: never more than nearly half of that.
     */
    SHARED_MAX_LIMIT = 30000,
};

Coroutine coroutine_nobody = {.name = "nobody"};

static struct {
    unsigned lock;
    GArray *batches; /* of HostCoroutineBatch, or NULL */
    unsigned n;      /* coroutines in them */
    unsigned max;
} shared = {.max = INITIAL_SHARED_MAX};

static void shared_lock(void)
{
    while (raw_xchg(&shared.lock, 1)) {
        cpu_relax();
    }
}

static void shared_unlock(void)
{
    raw_store_release(&shared.lock, 0);
}

void qemu_coroutine_inc_pool_size(unsigned int additional_pool_size)
{
    qatomic_fetch_add(&shared.max, additional_pool_size);
}

void qemu_coroutine_dec_pool_size(unsigned int additional_pool_size)
{
    qatomic_fetch_sub(&shared.max, additional_pool_size);
}

static void free_batch(HostCoroutineBatch batch)
{
    while (batch.first) {
        Coroutine *co = batch.first;

        batch.first = co->pool_next.sle_next;
        qemu_coroutine_delete(co);
    }
}

/* Takes @batch over; one batch above the limit is allowed. */
static void shared_put(HostCoroutineBatch batch)
{
    unsigned max = MIN(raw_read(&shared.max), SHARED_MAX_LIMIT);
    bool taken;

    shared_lock();
    taken = shared.n < max;
    if (taken) {
        if (!shared.batches) {
            shared.batches = g_array_new(false, false,
                                         sizeof(HostCoroutineBatch));
        }
        g_array_append_val(shared.batches, batch);
        raw_set(&shared.n, shared.n + batch.n);
    }
    shared_unlock();
    if (!taken) {
        free_batch(batch);
    }
}

/* Empty if there is none. */
static HostCoroutineBatch shared_take(void)
{
    HostCoroutineBatch batch = {NULL, 0};

    if (!raw_read(&shared.n)) {
        return batch;
    }
    shared_lock();
    if (shared.n) {
        unsigned last = shared.batches->len - 1;

        batch = g_array_index(shared.batches, HostCoroutineBatch, last);
        g_array_set_size(shared.batches, last);
        raw_set(&shared.n, shared.n - batch.n);
    }
    shared_unlock();
    return batch;
}

Coroutine *coroutine_pool_refill(HostThread *self)
{
    if (self->spare.first) {
        self->pool = self->spare;
        self->spare = (HostCoroutineBatch){NULL, 0};
    } else {
        self->pool = shared_take();
    }
    return self->pool.first ? coroutine_pool_get(self) : qemu_coroutine_new();
}

void coroutine_pool_spill(HostThread *self, Coroutine *co)
{
    if (self->spare.first) {
        shared_put(self->spare);
    }
    self->spare = self->pool;
    self->pool = (HostCoroutineBatch){NULL, 0};
    coroutine_pool_put(self, co);
}

void coroutine_pool_thread_finish(HostThread *self)
{
    HostCoroutineBatch pool = self->pool, spare = self->spare;

    self->pool = self->spare = (HostCoroutineBatch){NULL, 0};
    if (pool.first) {
        shared_put(pool);
    }
    if (spare.first) {
        shared_put(spare);
    }
}

void coroutine_pool_finish(void)
{
    for (;;) {
        HostCoroutineBatch batch = shared_take();

        if (!batch.first) {
            break;
        }
        free_batch(batch);
    }
    if (shared.batches) {
        g_array_free(shared.batches, true);
        shared.batches = NULL;
    }
    shared.max = INITIAL_SHARED_MAX;
}
