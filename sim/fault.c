/* SPDX-License-Identifier: MIT */
/*
 * Faults of the simulated device, if SimConfig.extras asks for them: each is a
 * choice when a request is done.
 *
 *   short  half of it was transferred
 *   again  -EAGAIN: nothing was, and whoever asked may ask again
 *   eio    -EIO: nothing was
 *
 * Behind a fault the next request of the same context is done well, so whoever
 * tries again comes through.
 */
#include "sim-internal.h"

#include "qemu/iov.h"

const char *const sim_fault_names[SIM_FAULTS] = {"short", "again", "eio"};

static bool transfers(const struct io_uring_sqe *sqe)
{
    return sqe->opcode == IORING_OP_READ || sqe->opcode == IORING_OP_READV ||
           sqe->opcode == IORING_OP_WRITE || sqe->opcode == IORING_OP_WRITEV;
}

static bool is_possible(const struct io_uring_sqe *sqe, unsigned fault)
{
    return sim.config.extras & SIM_FAULT(fault) &&
           (fault != SIM_FAULT_SHORT || transfers(sqe));
}

static unsigned choose_fault(uint64_t object, const struct io_uring_sqe *sqe)
{
    uint64_t options[1 + SIM_FAULTS] = {0};
    unsigned n = 1;

    for (unsigned i = 0; i < SIM_FAULTS; i++) {
        if (is_possible(sqe, i)) {
            options[n++] = i + 1;
        }
    }
    return n > 1 ? options[sim_choose(CHOICE_FAULT, object, options, n)] : 0;
}

static int32_t perform_half(const struct io_uring_sqe *sqe)
{
    struct iovec one = {(void *)(uintptr_t)sqe->addr, sqe->len};
    bool many = sqe->opcode == IORING_OP_READV ||
                sqe->opcode == IORING_OP_WRITEV;
    const struct iovec *iov = many ? (void *)(uintptr_t)sqe->addr : &one;
    unsigned niov = many ? sqe->len : 1;
    g_autofree struct iovec *half = g_new(struct iovec, niov);
    struct io_uring_sqe part = *sqe;

    part.opcode = sqe->opcode == IORING_OP_READ ||
                  sqe->opcode == IORING_OP_READV ? IORING_OP_READV
                                                 : IORING_OP_WRITEV;
    part.addr = (uintptr_t)half;
    part.len = iov_copy(half, niov, iov, niov, 0, iov_size(iov, niov) / 2);
    return sim_file_perform(&part);
}

int32_t sim_perform(uint64_t object, bool *fault, const struct io_uring_sqe *sqe)
{
    unsigned taken = 0;

    if (unlikely(sim.config.extras & SIM_ANY_FAULT) && !*fault &&
        sqe->opcode != IORING_OP_NOP) {
        taken = choose_fault(object, sqe);
    }
    *fault = taken;
    switch (taken) {
    case 1 + SIM_FAULT_SHORT:
        return perform_half(sqe);
    case 1 + SIM_FAULT_AGAIN:
        return -EAGAIN;
    case 1 + SIM_FAULT_EIO:
        return -EIO;
    default:
        return sim_file_perform(sqe);
    }
}
