/* SPDX-License-Identifier: MIT */
/* Inputs for people. */
#ifndef REPLAY_INPUT_TEXT_H
#define REPLAY_INPUT_TEXT_H

#include "input.h"

/* "3.17", an object's creator and ordinal; or a number.  Freed by the caller. */
char *object_text(uint64_t id);
/* "lock mutex 1.12"; freed by the caller. */
char *input_text(const Input *in);

#endif
