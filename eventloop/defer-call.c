/* SPDX-License-Identifier: MIT */
/*
 * Deferred calls, a list a thread (util/defer-call.c).
 *
 * A deferred function may open and close a section of its own.  QEMU's inner
 * end then runs the outer list again from its start; here the outermost end
 * takes the list away before it calls anything, so each call is made once.
 */
#include "host.h"

#include "qemu/defer-call.h"

typedef struct DeferredCall {
    void (*fn)(void *);
    void *opaque;
} DeferredCall;

void defer_call_begin(void)
{
    host_self()->defer_depth++;
}

static bool is_noted(const GArray *calls, const DeferredCall *call)
{
    for (unsigned i = 0; i < calls->len; i++) {
        const DeferredCall *other = &g_array_index(calls, DeferredCall, i);

        if (other->fn == call->fn && other->opaque == call->opaque) {
            return true;
        }
    }
    return false;
}

void defer_call(void (*fn)(void *), void *opaque)
{
    HostThread *self = host_self();
    DeferredCall call = {fn, opaque};

    if (!self->defer_depth) {
        fn(opaque);
        return;
    }
    if (!self->deferred) {
        self->deferred = g_array_new(false, false, sizeof(DeferredCall));
    }
    if (!is_noted(self->deferred, &call)) {
        g_array_append_val(self->deferred, call);
    }
}

void defer_call_end(void)
{
    HostThread *self = host_self();
    GArray *calls = self->deferred;

    assert(self->defer_depth > 0);
    if (--self->defer_depth || !calls || !calls->len) {
        return;
    }
    self->deferred = NULL;
    for (unsigned i = 0; i < calls->len; i++) {
        DeferredCall *call = &g_array_index(calls, DeferredCall, i);

        call->fn(call->opaque);
    }
    /* Kept for the next section, unless a call has made a list of its own. */
    self = host_self();
    if (self->deferred) {
        g_array_free(calls, true);
    } else {
        g_array_set_size(calls, 0);
        self->deferred = calls;
    }
}
