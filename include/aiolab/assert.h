/* SPDX-License-Identifier: MIT */
/*
 * Recorded assertions: a value that must be the same in every replay.
 *
 * A recording stores it, a replay compares it, and a difference ends the
 * replay there, with this place in the report.  So it narrows down where a
 * replay that diverges went another way.  Elsewhere it does nothing.
 */
#ifndef AIOLAB_ASSERT_H
#define AIOLAB_ASSERT_H

#include "aiolab/probe.h"

#define AIO_REC_ASSERT(x)                                              \
    do {                                                               \
        static const ProbeSite site_ = {__FILE__, __LINE__, __func__}; \
        aio_rec_assert((uint64_t)(x), &site_);                         \
    } while (0)

/* @site is static.  Any thread. */
void aio_rec_assert(uint64_t value, const ProbeSite *site);

#endif
