/* SPDX-License-Identifier: MIT */
/* Coroutines of a QEMU, and the CoMutexes that they have or wait for. */
#include "qemu-model-internal.h"

QemuCoroutine *qemu_coroutine_by_id(const QemuModel *m, uint64_t id)
{
    return g_hash_table_lookup(m->coroutines, &id);
}

QemuCoroutine *qemu_coroutine_at(QemuModel *m, uint64_t pointer)
{
    uint64_t *id = qemu_find_pointer(m, OF_COROUTINE, pointer);

    return id ? qemu_coroutine_by_id(m, *id) : NULL;
}

QemuCoroutine *qemu_coroutine_of(QemuModel *m, uint64_t pointer)
{
    QemuCoroutine *co = qemu_coroutine_at(m, pointer);
    uint64_t id;

    if (co) {
        return co;
    }
    id = qemu_object_of(m, OF_COROUTINE, pointer, PROBE_CO_CREATE, 0);
    co = qemu_coroutine_by_id(m, id);
    if (!co) {
        co = g_new0(QemuCoroutine, 1);
        co->id = id;
        co->thread = m->now;
        co->requests = g_array_new(false, false, sizeof(OpenRequest));
        g_hash_table_insert(m->coroutines, g_memdup2(&id, sizeof(id)), co);
    }
    return co;
}

uint64_t qemu_model_coroutine(const QemuModel *m)
{
    return m->threads->len
        ? g_array_index(m->threads, QemuThread, m->now).running : 0;
}

uint64_t qemu_model_coroutine_at(QemuModel *m, uint64_t pointer)
{
    QemuCoroutine *co = qemu_coroutine_at(m, pointer);

    return co ? co->id : 0;
}

int64_t qemu_model_entered_ns(const QemuModel *m, uint64_t coroutine)
{
    return qemu_coroutine_by_id(m, coroutine)->entered_ns;
}

void qemu_enter(QemuModel *m, const QemuEvent *e)
{
    uint64_t ctx = qemu_context_of(m, qemu_event_arg(e, "ctx"));
    QemuCoroutine *co = qemu_coroutine_of(m, qemu_event_arg(e, "to"));
    QemuThread *thread = qemu_thread_now(m);

    co->caller = thread->running;
    co->thread = m->now;
    co->entered_ns = e->time_ns;
    qemu_emit(m, PROBE_CO_ENTER, co->id, ctx, co->caller, 0, NULL);
    thread->running = co->id;
}

/* It is not the innermost any more; nor is what it had entered. */
static void leave(QemuModel *m, QemuCoroutine *co)
{
    qemu_thread_now(m)->running = co->caller;
}

void qemu_yield(QemuModel *m, const QemuEvent *e)
{
    QemuCoroutine *co = qemu_coroutine_of(m, qemu_event_arg(e, "from"));

    leave(m, co);
    qemu_emit(m, PROBE_CO_YIELD, co->id, co->caller, 0, 0, NULL);
}

void qemu_terminate(QemuModel *m, const QemuEvent *e)
{
    uint64_t pointer = qemu_event_arg(e, "self");
    QemuCoroutine *co = qemu_coroutine_of(m, pointer);
    uint64_t id = co->id;

    while (co->requests->len) {
        qemu_end_request(m, co, co->requests->len - 1);
    }
    leave(m, co);
    qemu_emit(m, PROBE_CO_END, id, 0, 0, 0, NULL);
    g_hash_table_remove(m->coroutines, &id);
    qemu_forget(m, OF_COROUTINE, pointer);
}

void qemu_schedule(QemuModel *m, const QemuEvent *e)
{
    uint64_t ctx = qemu_context_of(m, qemu_event_arg(e, "ctx"));

    qemu_emit(m, PROBE_CO_SCHEDULE,
         qemu_coroutine_of(m, qemu_event_arg(e, "co"))->id, ctx, 0, 0, NULL);
}

/* ---- Locks ---- */

void qemu_take_lock(QemuModel *m, const QemuEvent *e)
{
    uint64_t pointer = qemu_event_arg(e, "mutex");
    uint64_t mutex = qemu_object_of(m, OF_MUTEX, pointer, PROBE_KIND_MAX, 0);
    uint64_t co = qemu_coroutine_of(m, qemu_event_arg(e, "self"))->id;
    char name[48];

    snprintf(name, sizeof(name), "CoMutex 0x%" PRIx64, pointer);
    switch (e->id) {
    case QEMU_CO_LOCK_WAIT:
        qemu_emit(m, PROBE_CO_WAIT, co, mutex, 0, 0, name);
        break;
    case QEMU_CO_LOCK_DONE:
        qemu_emit(m, PROBE_CO_WOKEN, co, 0, 0, 0, NULL);
        /* fall through */
    case QEMU_CO_LOCK:
        qemu_emit(m, PROBE_CO_LOCK, mutex, co, 0, 0, name);
        break;
    case QEMU_CO_UNLOCK:
        qemu_emit(m, PROBE_CO_UNLOCK, mutex, co, 0, 0, name);
        break;
    default: /* what an unlock does afterwards is told by what it enters */
        break;
    }
}
