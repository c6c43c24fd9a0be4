/* SPDX-License-Identifier: MIT */
/*
 * Values that a recording keeps: those of shared words (between the qatomic_*()
 * macros of qemu/atomic.h and the host), and of AIO_REC_ASSERT().
 */
#include "aiolab/assert.h"
#include "host.h"

int qatomic_seen;

void qatomic_begin_(const volatile void *word, unsigned how)
{
    host->word_begin(word, how);
}

void qatomic_end_(const volatile void *word, uint64_t value)
{
    host->word_end(word, value);
}

void qatomic_fence_(void)
{
    if (host->fence) {
        host->fence();
    }
}

void aio_rec_assert(uint64_t value, const ProbeSite *site)
{
    if (host->rec_assert) {
        host->rec_assert(value, site);
    }
}
