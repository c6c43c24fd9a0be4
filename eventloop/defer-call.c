/* SPDX-License-Identifier: MIT */
/*
 * Deferred calls, a list a thread (util/defer-call.c).
 *
 * A deferred function may open and close a section of its own.  QEMU's inner
 * end then runs the outer list again from its start; here each outermost end
 * takes the list away before it calls anything.  The lists that are being run
 * form a stack, so that a call which one of them will make anyway is not noted
 * a second time.
 *
 * Whether a call is noted already is asked of the list itself while it is
 * short, and of a hash table of its indices when it is not.  The table decides
 * no order, so the addresses in it make no two runs differ.
 */
#include "host.h"

#include "qemu/defer-call.h"

enum { SHORT = 8 };

typedef struct DeferredCall {
    void (*fn)(void *);
    void *opaque;
} DeferredCall;

struct HostDeferred {
    HostDeferred *outer;  /* the list that is run meanwhile, or NULL */
    unsigned next;        /* those before it have been called */
    unsigned n, allocated;
    DeferredCall *calls;
    uint32_t *table;      /* index + 1, or 0; NULL while the list is short */
    unsigned table_mask;
};

static uint32_t *slot(const HostDeferred *list, const DeferredCall *call)
{
    uint64_t hash = ((uintptr_t)call->fn ^ (uintptr_t)call->opaque << 7 ^
                     (uintptr_t)call->opaque >> 21) * 0x9e3779b97f4a7c15ULL;
    unsigned i = hash >> 32 & list->table_mask;

    while (list->table[i]) {
        const DeferredCall *other = &list->calls[list->table[i] - 1];

        if (other->fn == call->fn && other->opaque == call->opaque) {
            break;
        }
        i = (i + 1) & list->table_mask;
    }
    return &list->table[i];
}

/* Noted in @list, and not called yet. */
static bool is_pending(const HostDeferred *list, const DeferredCall *call)
{
    if (list->table) {
        uint32_t index = *slot(list, call);

        return index > list->next;
    }
    for (unsigned i = list->next; i < list->n; i++) {
        if (list->calls[i].fn == call->fn &&
            list->calls[i].opaque == call->opaque) {
            return true;
        }
    }
    return false;
}

/* Twice as many slots as the list has room for. */
static void make_table(HostDeferred *list)
{
    g_free(list->table);
    list->table_mask = 2 * list->allocated - 1;
    list->table = g_new0(uint32_t, 2 * list->allocated);
    for (unsigned i = 0; i < list->n; i++) {
        *slot(list, &list->calls[i]) = i + 1;
    }
}

static void append(HostDeferred *list, const DeferredCall *call)
{
    if (list->n == list->allocated) {
        list->allocated = MAX(SHORT, 2 * list->allocated);
        list->calls = g_renew(DeferredCall, list->calls, list->allocated);
        if (list->allocated > SHORT) {
            make_table(list);
        }
    }
    list->calls[list->n++] = *call;
    if (list->table) {
        *slot(list, call) = list->n;
    }
}

static HostDeferred *own_list(HostThread *self)
{
    if (!self->deferred) {
        self->deferred = g_new0(HostDeferred, 1);
    }
    return self->deferred;
}

static void free_list(HostDeferred *list)
{
    g_free(list->calls);
    g_free(list->table);
    g_free(list);
}

void defer_call_begin(void)
{
    host_self()->defer_depth++;
}

void defer_call(void (*fn)(void *), void *opaque)
{
    HostThread *self = host_self();
    DeferredCall call = {fn, opaque};

    if (!self->defer_depth) {
        fn(opaque);
        return;
    }
    if (is_pending(own_list(self), &call)) {
        return;
    }
    for (HostDeferred *l = self->deferred_running; l; l = l->outer) {
        if (is_pending(l, &call)) {
            return;
        }
    }
    append(self->deferred, &call);
}

/* The list, empty, for the next section; unless a call has made another. */
static void keep(HostThread *self, HostDeferred *list)
{
    if (self->deferred) {
        free_list(list);
        return;
    }
    list->n = list->next = 0;
    if (list->table) {
        memset(list->table, 0, (list->table_mask + 1) * sizeof(*list->table));
    }
    self->deferred = list;
}

static void run(HostThread *self, HostDeferred *list)
{
    list->outer = self->deferred_running;
    self->deferred_running = list;
    self->deferred = NULL;
    while (list->next < list->n) {
        DeferredCall call = list->calls[list->next++];

        call.fn(call.opaque);
        /* The lists are the thread's: nobody may move to another. */
        assert(host_self() == self);
    }
    self->deferred_running = list->outer;
    keep(self, list);
}

void defer_call_end(void)
{
    HostThread *self = host_self();

    if (!self->defer_depth) {
        fprintf(stderr, "defer_call_end() without defer_call_begin()\n");
        abort();
    }
    if (--self->defer_depth == 0 && self->deferred && self->deferred->n) {
        run(self, self->deferred);
    }
}

void defer_call_thread_finish(HostThread *self)
{
    if (self->deferred) {
        free_list(self->deferred);
        self->deferred = NULL;
    }
}
