/* SPDX-License-Identifier: MIT */
/*
 * What an SQE points to must live until it is submitted, which is later than
 * it is added (QEMU c31a445749).
 *
 * While somebody listens to probes, it is noted in whose frame of the stack a
 * request's data stands.  When the request is submitted, that frame must still
 * be there: the same place on the stack, and called from the same place.  Frames
 * are found by their pointers, as for backtraces; code without them is not
 * judged.
 */
#include "aio-internal.h"

/* A function that has not returned. */
typedef struct StackFrame {
    uintptr_t pointer; /* where its caller's frame pointer is saved */
    uintptr_t pc;      /* and behind it, where it returns to */
} StackFrame;

typedef struct Payload {
    uint64_t request, ctx;
    Coroutine *co;     /* whose stack it is; a thread's own is its leader's */
    uint64_t co_id;    /* 0: the leader's */
    StackFrame frame;
} Payload;

typedef struct Noting {
    HostPrepSqe *prep;
    void *opaque;
    uintptr_t address;
} Noting;

/* Of the run that is on; all its threads are on one. */
static GArray *payloads(void)
{
    static GArray *array;
    static unsigned run;

    if (!array) {
        array = g_array_new(false, false, sizeof(Payload));
    }
    if (run != host_run) {
        g_array_set_size(array, 0);
        run = host_run;
    }
    return array;
}

static void prep_and_note(struct io_uring_sqe *sqe, void *opaque)
{
    Noting *noting = opaque;

    noting->prep(sqe, noting->opaque);
    noting->address = sqe->addr;
}

/* The caller's frame, or false if the next one cannot be its. */
static bool go_outwards(StackFrame *frame)
{
    uintptr_t next = *(uintptr_t *)frame->pointer;

    if (next <= frame->pointer || next - frame->pointer > STACK_SIZE ||
        next % sizeof(uintptr_t)) {
        return false;
    }
    *frame = (StackFrame){next, *(uintptr_t *)(next + sizeof(uintptr_t))};
    return true;
}

/* From @frame outwards, the first that is at or above @address; or false. */
static bool find_frame(StackFrame *frame, uintptr_t address)
{
    while (frame->pointer < address) {
        if (!go_outwards(frame)) {
            return false;
        }
    }
    return true;
}

/* In whose frame of the running stack @address is, if it is in one. */
static __attribute__((noinline)) bool frame_of(uintptr_t address,
                                               StackFrame *frame)
{
    uintptr_t own = (uintptr_t)__builtin_frame_address(0);

    frame->pointer = own;
    return address > own && address - own < STACK_SIZE &&
           find_frame(frame, address);
}

void sqe_payload_add(AioContext *ctx, HostPrepSqe *prep, void *opaque,
                     CqeHandler *handler)
{
    Noting noting = {prep, opaque, 0};
    Coroutine *self = qemu_coroutine_self();
    Payload payload = {
        .request = handler->cqe.user_data, .ctx = ctx->id, .co = self,
        .co_id = qemu_in_coroutine() ? self->id : 0,
    };

    host->add_sqe(ctx->monitor, prep_and_note, &noting, handler);
    if (frame_of(noting.address, &payload.frame)) {
        g_array_append_val(payloads(), payload);
    }
}

/* Where the walk begins: in us, or where a coroutine has yielded. */
static __attribute__((noinline)) bool first_frame(const Payload *payload,
                                                  StackFrame *frame)
{
    uintptr_t pc;

    *frame = (StackFrame){0};
    if (payload->co == qemu_coroutine_self()) {
        frame->pointer = (uintptr_t)__builtin_frame_address(0);
        return true;
    }
    /* A thread's own stack is looked at when it is the one that runs. */
    return payload->co_id &&
           stack_frame(coroutine_stack(payload->co), &pc, &frame->pointer);
}

static bool is_dead(const Payload *payload)
{
    StackFrame frame;

    if (payload->co_id && payload->co->id != payload->co_id) {
        return true; /* the coroutine has ended */
    }
    return first_frame(payload, &frame) &&
           find_frame(&frame, payload->frame.pointer) &&
           (frame.pointer != payload->frame.pointer ||
            frame.pc != payload->frame.pc);
}

void sqe_payload_submit(AioContext *ctx)
{
    GArray *array = payloads();

    for (unsigned i = array->len; i > 0; i--) {
        const Payload *payload = &g_array_index(array, Payload, i - 1);

        if (payload->ctx != ctx->id) {
            continue;
        }
        if (is_dead(payload)) {
            PROBE_SHOW(SQE_DEAD, payload->request, 0, 0, 0);
        }
        g_array_remove_index(array, i - 1);
    }
}
