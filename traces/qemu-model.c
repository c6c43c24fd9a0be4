/* SPDX-License-Identifier: MIT */
/* QEMU's trace events as probe events. */
#include "qemu-model.h"

#include "log-events.h"

/* What a pointer is of; the same one may be of several classes. */
typedef enum PointerClass {
    OF_CONTEXT, OF_COROUTINE, OF_MUTEX, OF_NODE, OF_HANDLER, OF_POOL_REQUEST,
    OF_URING_REQUEST, OF_BLK, OF_GUEST_REQUEST, OF_JOB,
} PointerClass;

enum { POINTERS_MAX = 1 << 20 }; /* beyond that, none is told from another */

typedef struct QemuThread {
    int64_t tid;
    uint64_t running;  /* the innermost coroutine, or 0 */
    unsigned ordinal;  /* of its next object */
} QemuThread;

typedef struct QemuCoroutine {
    uint64_t id, caller; /* who entered it, or 0 */
    unsigned thread;     /* where it runs, or ran last */
    GArray *requests;    /* ids of BlockBackends' requests and their owners */
    int64_t entered_ns;
} QemuCoroutine;

typedef struct OpenRequest {
    uint64_t id, blk;
} OpenRequest;

struct QemuModel {
    TraceImport *import;
    EventWriter *writer; /* or NULL */
    GHashTable *pointers;   /* class and pointer -> id */
    GHashTable *coroutines; /* id -> QemuCoroutine */
    GHashTable *leaders;    /* pointer -> 1 + index of a thread */
    GHashTable *by_tid;     /* tid -> 1 + index */
    GArray *threads;        /* of QemuThread */
    unsigned now;           /* the thread of the event */
    const char *file;
    const QemuEvent *event;
};

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

static void emit(QemuModel *m, ProbeKind kind, uint64_t obj, uint64_t a,
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

    emit(m, kind, obj, a, 0, 0, copy);
}

/* ---- Threads ---- */

static QemuThread *thread_now(QemuModel *m)
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
    emit(m, PROBE_THREAD_START, 0, 0, 0, 0, name);
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

static uint64_t *find_pointer(QemuModel *m, PointerClass class,
                              uint64_t pointer)
{
    uint64_t key = (uint64_t)class << 56 ^ pointer;

    return g_hash_table_lookup(m->pointers, &key);
}

static void forget(QemuModel *m, PointerClass class, uint64_t pointer)
{
    uint64_t key = (uint64_t)class << 56 ^ pointer;

    g_hash_table_remove(m->pointers, &key);
}

static uint64_t new_object(QemuModel *m, PointerClass class, uint64_t pointer)
{
    uint64_t key = (uint64_t)class << 56 ^ pointer;
    uint64_t id = (uint64_t)(m->now + 1) << 32 | thread_now(m)->ordinal++;

    if (g_hash_table_size(m->pointers) < POINTERS_MAX) {
        g_hash_table_replace(m->pointers, g_memdup2(&key, sizeof(key)),
                             g_memdup2(&id, sizeof(id)));
    }
    return id;
}

/* The object behind a pointer, which comes into being by @kind if it must. */
static uint64_t object_of(QemuModel *m, PointerClass class, uint64_t pointer,
                          ProbeKind kind, uint64_t a)
{
    uint64_t *known = pointer ? find_pointer(m, class, pointer) : NULL;
    char name[32];
    uint64_t id;

    if (known || !pointer) {
        return known ? *known : 0;
    }
    id = new_object(m, class, pointer);
    if (kind != PROBE_KIND_MAX) {
        snprintf(name, sizeof(name), "0x%" PRIx64, pointer);
        emit(m, kind, id, a, 0, 0, name);
    }
    return id;
}

static uint64_t context_of(QemuModel *m, uint64_t pointer)
{
    return object_of(m, OF_CONTEXT, pointer, PROBE_CTX_NEW, 0);
}

/* ---- Coroutines ---- */

static QemuCoroutine *coroutine_by_id(const QemuModel *m, uint64_t id)
{
    return g_hash_table_lookup(m->coroutines, &id);
}

static QemuCoroutine *coroutine_at(QemuModel *m, uint64_t pointer)
{
    uint64_t *id = find_pointer(m, OF_COROUTINE, pointer);

    return id ? coroutine_by_id(m, *id) : NULL;
}

static QemuCoroutine *coroutine_of(QemuModel *m, uint64_t pointer)
{
    QemuCoroutine *co = coroutine_at(m, pointer);
    uint64_t id;

    if (co) {
        return co;
    }
    id = object_of(m, OF_COROUTINE, pointer, PROBE_CO_CREATE, 0);
    co = coroutine_by_id(m, id);
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
    QemuCoroutine *co = coroutine_at(m, pointer);

    return co ? co->id : 0;
}

int64_t qemu_model_entered_ns(const QemuModel *m, uint64_t coroutine)
{
    return coroutine_by_id(m, coroutine)->entered_ns;
}

static void end_request(QemuModel *m, QemuCoroutine *co, unsigned i)
{
    OpenRequest request = g_array_index(co->requests, OpenRequest, i);

    emit(m, PROBE_REQ_END, request.id, request.blk, 0, 0, NULL);
    g_array_remove_index(co->requests, i);
}

static void enter(QemuModel *m, const QemuEvent *e)
{
    uint64_t ctx = context_of(m, qemu_event_arg(e, "ctx"));
    QemuCoroutine *co = coroutine_of(m, qemu_event_arg(e, "to"));
    QemuThread *thread = thread_now(m);

    co->caller = thread->running;
    co->thread = m->now;
    co->entered_ns = e->time_ns;
    emit(m, PROBE_CO_ENTER, co->id, ctx, co->caller, 0, NULL);
    thread->running = co->id;
}

/* It is not the innermost any more; nor is what it had entered. */
static void leave(QemuModel *m, QemuCoroutine *co)
{
    thread_now(m)->running = co->caller;
}

static void yield(QemuModel *m, const QemuEvent *e)
{
    QemuCoroutine *co = coroutine_of(m, qemu_event_arg(e, "from"));

    leave(m, co);
    emit(m, PROBE_CO_YIELD, co->id, co->caller, 0, 0, NULL);
}

static void terminate(QemuModel *m, const QemuEvent *e)
{
    uint64_t pointer = qemu_event_arg(e, "self");
    QemuCoroutine *co = coroutine_of(m, pointer);
    uint64_t id = co->id;

    while (co->requests->len) {
        end_request(m, co, co->requests->len - 1);
    }
    leave(m, co);
    emit(m, PROBE_CO_END, id, 0, 0, 0, NULL);
    g_hash_table_remove(m->coroutines, &id);
    forget(m, OF_COROUTINE, pointer);
}

/* ---- Locks ---- */

static void take_lock(QemuModel *m, const QemuEvent *e)
{
    uint64_t pointer = qemu_event_arg(e, "mutex");
    uint64_t mutex = object_of(m, OF_MUTEX, pointer, PROBE_KIND_MAX, 0);
    uint64_t co = coroutine_of(m, qemu_event_arg(e, "self"))->id;
    char name[48];

    snprintf(name, sizeof(name), "CoMutex 0x%" PRIx64, pointer);
    switch (e->id) {
    case QEMU_CO_LOCK_WAIT:
        emit(m, PROBE_CO_WAIT, co, mutex, 0, 0, name);
        break;
    case QEMU_CO_LOCK_DONE:
        emit(m, PROBE_CO_WOKEN, co, 0, 0, 0, NULL);
        /* fall through */
    case QEMU_CO_LOCK:
        emit(m, PROBE_CO_LOCK, mutex, co, 0, 0, name);
        break;
    case QEMU_CO_UNLOCK:
        emit(m, PROBE_CO_UNLOCK, mutex, co, 0, 0, name);
        break;
    default: /* what an unlock does afterwards is told by what it enters */
        break;
    }
}

/* ---- Requests ---- */

static const char *kind_of_flags(bool write, uint64_t flags)
{
    enum { ZERO_WRITE = 2 };

    return !write ? "read" : flags & ZERO_WRITE ? "write-zeroes" : "write";
}

/* Its end is the coroutine's: nothing else tells it. */
static void begin_request(QemuModel *m, const QemuEvent *e)
{
    uint64_t blk = object_of(m, OF_BLK, qemu_event_arg(e, "blk"),
                             PROBE_BLK_NEW, 0);
    QemuCoroutine *co = coroutine_by_id(m, thread_now(m)->running);
    OpenRequest request = {
        (uint64_t)(m->now + 1) << 32 | thread_now(m)->ordinal++, blk,
    };

    for (unsigned i = 0; co && i < co->requests->len; i++) {
        if (g_array_index(co->requests, OpenRequest, i).blk == blk) {
            end_request(m, co, i--); /* it makes one after the other */
        }
    }
    emit(m, PROBE_REQ_BEGIN, request.id, blk, qemu_event_arg(e, "offset"),
         qemu_event_arg(e, "bytes"),
         kind_of_flags(e->id == QEMU_BLK_WRITE, qemu_event_arg(e, "flags")));
    if (co) {
        g_array_append_val(co->requests, request);
    } else {
        emit(m, PROBE_REQ_END, request.id, blk, 0, 0, NULL);
    }
}

static void node_io(QemuModel *m, const QemuEvent *e)
{
    uint64_t node = object_of(m, OF_NODE, qemu_event_arg(e, "bs"),
                              PROBE_KIND_MAX, 0);
    QemuCoroutine *co = coroutine_by_id(m, thread_now(m)->running);
    uint64_t request = co && co->requests->len
        ? g_array_index(co->requests, OpenRequest, co->requests->len - 1).id
        : 0;

    emit(m, PROBE_NODE_IO, node, qemu_event_arg(e, "offset"),
         qemu_event_arg(e, "bytes"), request,
         e->id == QEMU_BDRV_ZEROES ? "write-zeroes"
         : kind_of_flags(e->id == QEMU_BDRV_WRITE,
                         qemu_event_arg(e, "flags")));
}

/* QEMU_AIO_READ and its like. */
static const char *kind_of_type(uint64_t type)
{
    switch (type & 0xff) {
    case 1:
        return "read";
    case 2:
        return "write";
    case 8:
        return "flush";
    case 0x10:
        return "discard";
    case 0x20:
        return "write-zeroes";
    default:
        return "request";
    }
}

/* Newer and older QEMUs call a request of io_uring differently. */
static uint64_t uring_pointer(const QemuEvent *e)
{
    uint64_t req = qemu_event_arg(e, "req");

    return req ? req : qemu_event_arg(e, "luringcb");
}

static void uring_request(QemuModel *m, const QemuEvent *e)
{
    uint64_t pointer = uring_pointer(e), id;
    uint64_t *known;

    if (e->id == QEMU_URING_SUBMIT) {
        id = new_object(m, OF_URING_REQUEST, pointer);
        emit(m, PROBE_SQE, id, 0, 0, 0,
             kind_of_type(qemu_event_arg(e, "type")));
        return;
    }
    known = find_pointer(m, OF_URING_REQUEST, pointer);
    if (known) {
        id = *known;
        emit(m, PROBE_CQE, id, 0, qemu_event_arg(e, "ret"), 0, NULL);
        emit(m, PROBE_CQE_END, id, 0, 0, 0, NULL);
        forget(m, OF_URING_REQUEST, pointer);
    }
}

static void pool_request(QemuModel *m, const QemuEvent *e)
{
    uint64_t pointer = qemu_event_arg(e, "req"), id;
    uint64_t *known;

    if (e->id == QEMU_POOL_SUBMIT) {
        id = new_object(m, OF_POOL_REQUEST, pointer);
        emit(m, PROBE_POOL_SUBMIT, id, 0, 0, 0, "thread pool");
        return;
    }
    known = find_pointer(m, OF_POOL_REQUEST, pointer);
    if (known) {
        id = *known;
        emit(m, e->id == QEMU_POOL_CANCEL ? PROBE_POOL_CANCEL : PROBE_POOL_END,
             id, 0, qemu_event_arg(e, "ret"), 0, NULL);
        if (e->id == QEMU_POOL_DONE) {
            forget(m, OF_POOL_REQUEST, pointer);
        }
    }
}

/* A request of the guest, which has a device in place of a BlockBackend. */
static void guest_request(QemuModel *m, const QemuEvent *e)
{
    uint64_t device = object_of(m, OF_BLK, qemu_event_arg(e, "vdev"),
                                PROBE_BLK_NEW, 0);
    uint64_t pointer = qemu_event_arg(e, "req"), id;
    uint64_t *known;

    if (e->id != QEMU_VIRTIO_DONE) {
        id = new_object(m, OF_GUEST_REQUEST, pointer);
        emit(m, PROBE_REQ_BEGIN, id, device, qemu_event_arg(e, "sector") * 512,
             qemu_event_arg(e, "nsectors") * 512,
             e->id == QEMU_VIRTIO_READ ? "guest read" : "guest write");
        return;
    }
    known = find_pointer(m, OF_GUEST_REQUEST, pointer);
    if (known) {
        id = *known;
        emit(m, PROBE_REQ_END, id, device, qemu_event_arg(e, "status"), 0,
             NULL);
        forget(m, OF_GUEST_REQUEST, pointer);
    }
}

/* ---- Loops ---- */

static void poll_event(QemuModel *m, const QemuEvent *e)
{
    uint64_t ctx = context_of(m, qemu_event_arg(e, "ctx"));

    switch (e->id) {
    case QEMU_BUSY_BEGIN:
        emit(m, PROBE_BUSY_BEGIN, ctx, qemu_event_arg(e, "max_ns"), 0, 0, NULL);
        break;
    case QEMU_BUSY_END:
        emit(m, PROBE_BUSY_END, ctx, qemu_event_arg(e, "progress"), 0, 0, NULL);
        break;
    case QEMU_POLL_NS:
        emit(m, PROBE_POLL_NS, ctx, qemu_event_arg(e, "new"),
             qemu_event_arg(e, "old"), 0, NULL);
        break;
    default:
        object_of(m, OF_HANDLER, qemu_event_arg(e, "node"), PROBE_FD_ADD, ctx);
        break;
    }
}

static void schedule(QemuModel *m, const QemuEvent *e)
{
    uint64_t ctx = context_of(m, qemu_event_arg(e, "ctx"));

    emit(m, PROBE_CO_SCHEDULE,
         coroutine_of(m, qemu_event_arg(e, "co"))->id, ctx, 0, 0, NULL);
}

static void job_state(QemuModel *m, const QemuEvent *e)
{
    uint64_t job = object_of(m, OF_JOB, qemu_event_arg(e, "job"),
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
        co = coroutine_at(m, from);
        if (!co) {
            m->now = find_thread(m, m->leaders, GSIZE_TO_POINTER(from), -1);
        }
        break;
    case QEMU_CO_YIELD:
        co = coroutine_at(m, qemu_event_arg(e, "from"));
        break;
    case QEMU_CO_END:
    case QEMU_CO_LOCK ... QEMU_CO_UNLOCKED:
        co = coroutine_at(m, qemu_event_arg(e, "self"));
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
        enter(m, e);
        break;
    case QEMU_CO_YIELD:
        yield(m, e);
        break;
    case QEMU_CO_END:
        terminate(m, e);
        break;
    case QEMU_CO_SCHEDULE:
        schedule(m, e);
        break;
    case QEMU_CO_LOCK ... QEMU_CO_UNLOCKED:
        take_lock(m, e);
        break;
    case QEMU_BUSY_BEGIN ... QEMU_POLL_ADD:
        poll_event(m, e);
        break;
    case QEMU_POOL_SUBMIT ... QEMU_POOL_CANCEL:
        pool_request(m, e);
        break;
    case QEMU_URING_SUBMIT ... QEMU_URING_DONE:
        uring_request(m, e);
        break;
    case QEMU_BLK_READ ... QEMU_BLK_WRITE:
        begin_request(m, e);
        break;
    case QEMU_BDRV_READ ... QEMU_BDRV_ZEROES:
        node_io(m, e);
        break;
    case QEMU_VIRTIO_READ ... QEMU_VIRTIO_DONE:
        guest_request(m, e);
        break;
    case QEMU_JOB_STATE:
        job_state(m, e);
        break;
    default:
        break;
    }
}
