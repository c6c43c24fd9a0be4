/* SPDX-License-Identifier: MIT */
/*
 * Record/replay hooks under QEMU's names (system/replay.h).
 *
 * In QEMU these calls are what makes a bottom half replayable.  Here every
 * bottom half is; the calls additionally write a row of their own into the
 * log, which a person can select (view replay_event), and a replay verifies
 * that the same call was made with the same arguments.
 */
#ifndef SYSTEM_REPLAY_H
#define SYSTEM_REPLAY_H

#include "qemu/aio.h"

void replay_bh_schedule_event(QEMUBH *bh);
/* Unlike QEMU under record/replay, @cb runs in @ctx. */
void replay_bh_schedule_oneshot_event(AioContext *ctx, QEMUBHFunc *cb,
                                      void *opaque);

#endif
