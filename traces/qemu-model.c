/* SPDX-License-Identifier: MIT */
/* QEMU's trace events as probe events. */
#include "qemu-model-internal.h"

static void free_coroutine(gpointer opaque)
{
    QemuCoroutine *co = opaque;

    g_array_free(co->requests, true);
    g_free(co);
}

QemuModel *qemu_model_new(TraceImport *import)
{
    QemuModel *m = g_new0(QemuModel, 1);

    m->import = import;
    if (import->writer && !import->has_events) {
        import->has_events = true; /* a log has one stream of them */
        m->writer = event_writer_new(import->log);
    }
    m->pointers = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                        g_free);
    m->coroutines = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                          free_coroutine);
    m->leaders = g_hash_table_new(NULL, NULL);
    m->by_tid = g_hash_table_new(NULL, NULL);
    m->threads = g_array_new(false, true, sizeof(QemuThread));
    return m;
}

void qemu_model_end(QemuModel *m)
{
    if (m->writer) {
        event_writer_finish(m->writer);
    }
    g_hash_table_destroy(m->pointers);
    g_hash_table_destroy(m->coroutines);
    g_hash_table_destroy(m->leaders);
    g_hash_table_destroy(m->by_tid);
    g_array_free(m->threads, true);
    g_free(m);
}

/* ---- Emitting ---- */

void qemu_emit(QemuModel *m, ProbeKind kind, uint64_t obj, uint64_t a,
                 uint64_t b, uint64_t c, const char *text)
{
    ProbeSite site = {
        m->import->path, MIN(m->import->place, INT32_MAX), m->event->name,
    };
    ProbeEvent event;

    if (!m->writer) {
        return;
    }
    event = (ProbeEvent){
        .kind = kind, .thread = m->now + 1, .t_ns = m->event->time_ns,
        .obj = obj, .a = a, .b = b, .c = c, .site = &site, .text = text,
    };

    event_writer_add(m->writer, &event);
}

static void emit_text(QemuModel *m, ProbeKind kind, uint64_t obj, uint64_t a,
                      Word text)
{
    g_autofree char *copy = g_utf8_make_valid(text.text, text.len);

    qemu_emit(m, kind, obj, a, 0, 0, copy);
}

/* ---- Threads ---- */

QemuThread *qemu_thread_now(QemuModel *m)
{
    return &g_array_index(m->threads, QemuThread, m->now);
}

static unsigned add_thread(QemuModel *m, int64_t tid)
{
    QemuThread thread = {.tid = tid};
    g_autofree char *name = tid >= 0
        ? g_strdup_printf("thread %" PRId64, tid)
        : g_strdup_printf("thread %u", m->threads->len + 1);
    unsigned was = m->now;

    g_array_append_val(m->threads, thread);
    m->now = m->threads->len - 1;
    qemu_emit(m, PROBE_THREAD_START, 0, 0, 0, 0, name);
    m->now = was;
    return m->threads->len - 1;
}

static unsigned find_thread(QemuModel *m, GHashTable *table, gpointer key,
                            int64_t tid)
{
    unsigned index = GPOINTER_TO_UINT(g_hash_table_lookup(table, key));

    if (!index && table == m->leaders && m->threads->len == 1 &&
        !g_hash_table_size(table)) {
        index = 1; /* what came before was that thread's, too */
        g_hash_table_insert(table, key, GUINT_TO_POINTER(index));
    }
    if (!index) {
        index = add_thread(m, tid) + 1;
        g_hash_table_insert(table, key, GUINT_TO_POINTER(index));
    }
    return index - 1;
}

/* ---- Objects ---- */

uint64_t *qemu_find_pointer(QemuModel *m, PointerClass class,
                              uint64_t pointer)
{
    uint64_t key = (uint64_t)class << 56 ^ pointer;

    return g_hash_table_lookup(m->pointers, &key);
}

void qemu_forget(QemuModel *m, PointerClass class, uint64_t pointer)
{
    uint64_t key = (uint64_t)class << 56 ^ pointer;

    g_hash_table_remove(m->pointers, &key);
}

uint64_t qemu_new_object(QemuModel *m, PointerClass class, uint64_t pointer)
{
    uint64_t key = (uint64_t)class << 56 ^ pointer;
    uint64_t id = (uint64_t)(m->now + 1) << 32 | qemu_thread_now(m)->ordinal++;

    if (g_hash_table_size(m->pointers) < POINTERS_MAX) {
        g_hash_table_replace(m->pointers, g_memdup2(&key, sizeof(key)),
                             g_memdup2(&id, sizeof(id)));
    }
    return id;
}

/* The object behind a pointer, which comes into being by @kind if it must. */
uint64_t qemu_object_of(QemuModel *m, PointerClass class, uint64_t pointer,
                          ProbeKind kind, uint64_t a)
{
    uint64_t *known = pointer ? qemu_find_pointer(m, class, pointer) : NULL;
    char name[32];
    uint64_t id;

    if (known || !pointer) {
        return known ? *known : 0;
    }
    id = qemu_new_object(m, class, pointer);
    if (kind != PROBE_KIND_MAX) {
        snprintf(name, sizeof(name), "0x%" PRIx64, pointer);
        qemu_emit(m, kind, id, a, 0, 0, name);
    }
    return id;
}

uint64_t qemu_context_of(QemuModel *m, uint64_t pointer)
{
    return qemu_object_of(m, OF_CONTEXT, pointer, PROBE_CTX_NEW, 0);
}

/* ---- Loops ---- */

static void poll_event(QemuModel *m, const QemuEvent *e)
{
    uint64_t ctx = qemu_context_of(m, qemu_event_arg(e, "ctx"));

    switch (e->id) {
    case QEMU_BUSY_BEGIN:
        qemu_emit(m, PROBE_BUSY_BEGIN, ctx, qemu_event_arg(e, "max_ns"), 0, 0,
                  NULL);
        break;
    case QEMU_BUSY_END:
        qemu_emit(m, PROBE_BUSY_END, ctx, qemu_event_arg(e, "progress"), 0, 0,
                  NULL);
        break;
    case QEMU_POLL_NS:
        qemu_emit(m, PROBE_POLL_NS, ctx, qemu_event_arg(e, "new"),
             qemu_event_arg(e, "old"), 0, NULL);
        break;
    default:
        qemu_object_of(m, OF_HANDLER, qemu_event_arg(e, "node"), PROBE_FD_ADD,
                       ctx);
        break;
    }
}

static void job_state(QemuModel *m, const QemuEvent *e)
{
    uint64_t job = qemu_object_of(m, OF_JOB, qemu_event_arg(e, "job"),
                             PROBE_KIND_MAX, 0);

    emit_text(m, PROBE_JOB_STATE, job, 0, qemu_event_string(e, "s1"));
}

/* ---- All of them ---- */

/* Which thread the event is of. */
static void set_thread(QemuModel *m, const QemuEvent *e)
{
    QemuCoroutine *co = NULL;
    uint64_t from;

    if (e->tid >= 0) {
        m->now = find_thread(m, m->by_tid, GINT_TO_POINTER(e->tid), e->tid);
        return;
    }
    switch (e->id) {
    case QEMU_CO_ENTER:
        from = qemu_event_arg(e, "from");
        co = qemu_coroutine_at(m, from);
        if (!co) {
            m->now = find_thread(m, m->leaders, GSIZE_TO_POINTER(from), -1);
        }
        break;
    case QEMU_CO_YIELD:
        co = qemu_coroutine_at(m, qemu_event_arg(e, "from"));
        break;
    case QEMU_CO_END:
    case QEMU_CO_LOCK ... QEMU_CO_UNLOCKED:
        co = qemu_coroutine_at(m, qemu_event_arg(e, "self"));
        break;
    default:
        break;
    }
    if (co) {
        m->now = co->thread;
    } else if (!m->threads->len) {
        add_thread(m, -1);
    }
}

void qemu_model_add(QemuModel *m, const QemuEvent *e)
{
    if (e->id == QEMU_OTHER) {
        return;
    }
    m->event = e;
    set_thread(m, e);
    switch (e->id) {
    case QEMU_CO_ENTER:
        qemu_enter(m, e);
        break;
    case QEMU_CO_YIELD:
        qemu_yield(m, e);
        break;
    case QEMU_CO_END:
        qemu_terminate(m, e);
        break;
    case QEMU_CO_SCHEDULE:
        qemu_schedule(m, e);
        break;
    case QEMU_CO_LOCK ... QEMU_CO_UNLOCKED:
        qemu_take_lock(m, e);
        break;
    case QEMU_BUSY_BEGIN ... QEMU_POLL_ADD:
        poll_event(m, e);
        break;
    case QEMU_POOL_SUBMIT ... QEMU_POOL_CANCEL:
        qemu_pool_request(m, e);
        break;
    case QEMU_URING_SUBMIT ... QEMU_URING_DONE:
        qemu_uring_request(m, e);
        break;
    case QEMU_BLK_READ ... QEMU_BLK_WRITE:
        qemu_begin_request(m, e);
        break;
    case QEMU_BDRV_READ ... QEMU_BDRV_ZEROES:
        qemu_node_io(m, e);
        break;
    case QEMU_VIRTIO_READ ... QEMU_VIRTIO_DONE:
        qemu_guest_request(m, e);
        break;
    case QEMU_JOB_STATE:
        job_state(m, e);
        break;
    default:
        break;
    }
}
