/* SPDX-License-Identifier: MIT */
/*
 * b52-dma-to-itself: a device writes to its own registers, by DMA.
 *
 * QEMU a2e1753b80, "memory: prevent dma-reentracy issues" (2023), and
 * 9c86c97f12 for bottom halves.  A guest gives a device the address of the
 * device's own registers as a buffer.  The device's bottom half writes there,
 * which is a write to a register, which starts the transfer again, inside
 * itself.  (CVE-2023-0330 and others.)
 *
 *   buggy  a register can be written while the device is in the middle of I/O
 *   fixed  the device is marked engaged_in_io, and such a write is refused
 */
#include "aiolab/scenario.h"

enum { STACK_ENDS = 8 };

typedef struct DMADevice {
    MemReentrancyGuard mem_reentrancy_guard;
    bool guarded;
    unsigned depth;
    bool done;
} DMADevice;

static void memory_region_write(DMADevice *s);

/* The guest has chosen the address: that of our registers. */
static void write_by_dma(DMADevice *s)
{
    memory_region_write(s);
}

static void lsi_execute_script(DMADevice *s)
{
    s->depth++;
    SCENARIO_CHECK(s->depth < STACK_ENDS, "the device is inside itself %u "
                   "times: the stack ends", s->depth);
    if (s->depth < STACK_ENDS) {
        write_by_dma(s);
    }
    s->depth--;
}

/* access_with_adjusted_size(), and the device's write callback */
static void memory_region_write(DMADevice *s)
{
    if (s->guarded && s->mem_reentrancy_guard.engaged_in_io) {
        return; /* "Blocked re-entrant IO" */
    }
    lsi_execute_script(s);
}

static void lsi_bh(void *opaque)
{
    DMADevice *s = opaque;

    lsi_execute_script(s);
    s->done = true;
}

static void run(const ScenarioArgs *args)
{
    DMADevice s = {.guarded = scenario_is_variant(args, "fixed")};
    QEMUBH *bh = qemu_bh_new_guarded(lsi_bh, &s, &s.mem_reentrancy_guard);

    qemu_bh_schedule(bh);
    AIO_WAIT_WHILE(qemu_get_aio_context(), !s.done);
    qemu_bh_delete(bh);
    aio_poll(qemu_get_aio_context(), false);
}

SCENARIO(b52_dma_to_itself) = {
    .name = "b52-dma-to-itself",
    .summary = "a device's DMA goes to its own registers and starts it again, "
               "inside itself (QEMU a2e1753b80)",
    .shows = "bottom half, DMA, register, DMA, and so on, none of which "
             "returns; the fix refuses a register's write while the device is "
             "engaged_in_io",
    .variants = (const ScenarioVariant[]){
        {"buggy", "no guard for registers"},
        {"fixed", "mem_reentrancy_guard is looked at"},
        {NULL}},
    .run = run,
};
