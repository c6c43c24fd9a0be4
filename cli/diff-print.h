/* SPDX-License-Identifier: MIT */
/* What aiolab diff prints: two files that say the same in two ways. */
#ifndef CLI_DIFF_PRINT_H
#define CLI_DIFF_PRINT_H

#include "diff-side.h"

/* For people; @events of each run from where they part. */
void diff_print_text(const Diff *diff, DiffSide *sides, unsigned events);
/* For programs; @identical: they end alike, too. */
void diff_print_json(const Diff *diff, DiffSide *sides, unsigned events,
                     bool identical);

#endif
