/* SPDX-License-Identifier: MIT */
/* The inputs of each thread; see input-chain.h. */
#include "input-chain.h"

bool input_chains_init(InputChains *chains, const Input *inputs, size_t n)
{
    chains->following = g_new(uint32_t, n + 1);
    chains->cursors = g_new(uint32_t, THREAD_NUMBERS);
    for (unsigned i = 0; i < THREAD_NUMBERS; i++) {
        chains->cursors[i] = n;
    }
    for (size_t i = n; i-- > 0;) {
        const Input *in = &inputs[i];

        if (in->thread >= THREAD_NUMBERS) {
            return false;
        }
        chains->following[i] = chains->cursors[in->thread];
        if (!input_is_skipped(in->kind) && in->kind != INPUT_STUCK) {
            chains->cursors[in->thread] = i;
        }
    }
    return true;
}

void input_chains_finish(InputChains *chains)
{
    g_free(chains->following);
    g_free(chains->cursors);
}
