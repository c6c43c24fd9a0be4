/* SPDX-License-Identifier: MIT */
/* The inputs of each thread: a replay has a place in all of them at once. */
#ifndef REPLAY_INPUT_CHAIN_H
#define REPLAY_INPUT_CHAIN_H

#include "input.h"

typedef struct InputChains {
    uint32_t *following; /* of each input: the next of its thread, or n */
    uint32_t *cursors;   /* of each thread: its next input, or n */
} InputChains;

/*
 * Chains the operations among @n inputs; the cursors are at the first ones.
 * False if a thread's number is impossible.  Finish it in either case.
 */
bool input_chains_init(InputChains *chains, const Input *inputs, size_t n);
void input_chains_finish(InputChains *chains);

#endif
