/* SPDX-License-Identifier: MIT */
/* A shared amount (util/qemu-co-shared-resource.c). */
#include "coroutine-internal.h"
#include "qemu/co-shared-resource.h"
#include "qemu/lockable.h"

struct SharedResource {
    uint64_t total;
    uint64_t available; /* under lock, as the queue */
    CoQueue queue;
    QemuMutex lock;
};

static void QEMU_NORETURN complain(const char *what, uint64_t n, uint64_t limit)
{
    fprintf(stderr, "SharedResource: %s: %" PRIu64 " of %" PRIu64 "\n", what,
            n, limit);
    abort();
}

SharedResource *shres_create(uint64_t total)
{
    SharedResource *s = g_new0(SharedResource, 1);

    s->total = s->available = total;
    qemu_co_queue_init(&s->queue);
    qemu_mutex_init(&s->lock);
    return s;
}

void shres_destroy(SharedResource *s)
{
    if (s->available != s->total) {
        complain("destroyed before all was put back", s->available, s->total);
    }
    qemu_mutex_destroy(&s->lock);
    g_free(s);
}

static bool try_get_locked(SharedResource *s, uint64_t n)
{
    if (s->available < n) {
        return false;
    }
    s->available -= n;
    return true;
}

bool co_try_get_from_shres(SharedResource *s, uint64_t n)
{
    bool taken;

    qemu_mutex_lock(&s->lock);
    taken = try_get_locked(s, n);
    qemu_mutex_unlock(&s->lock);
    return taken;
}

void coroutine_fn co_get_from_shres(SharedResource *s, uint64_t n)
{
    if (n > s->total) {
        complain("more is wanted than there ever is", n, s->total);
    }
    qemu_mutex_lock(&s->lock);
    while (!try_get_locked(s, n)) {
        qemu_co_queue_wait(&s->queue, &s->lock);
    }
    qemu_mutex_unlock(&s->lock);
}

void coroutine_fn co_put_to_shres(SharedResource *s, uint64_t n)
{
    qemu_mutex_lock(&s->lock);
    if (n > s->total - s->available) {
        complain("more is put back than was taken", n,
                 s->total - s->available);
    }
    s->available += n;
    /* They try when we yield, or in their own threads. */
    qemu_co_queue_restart_all(&s->queue);
    qemu_mutex_unlock(&s->lock);
}
