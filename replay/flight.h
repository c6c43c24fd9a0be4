/* SPDX-License-Identifier: MIT */
/*
 * The flight recorder: a log that keeps only the end of a long run.
 *
 * The writer thread tells it what it puts into the log, and lets it remove
 * what is too old before each commit: whole chunks, and contents that only
 * removed inputs refer to.  SQLite uses their space again, so the file stays
 * as it is however long the run.
 */
#ifndef REPLAY_FLIGHT_H
#define REPLAY_FLIGHT_H

#include "log.h"

typedef struct Flight Flight;

/* Keeps the last @n inputs and few more. */
Flight *flight_new(uint64_t n, unsigned n_rings);
void flight_free(Flight *flight);
/* A content of the next input of that ring. */
void flight_content(Flight *flight, unsigned ring, uint64_t hash);
void flight_input(Flight *flight, unsigned ring, uint64_t ticket);
/* A chunk with that id was put into the log. */
void flight_chunk(Flight *flight, int64_t id, uint64_t last_ticket);
/* Removes what is too old, now that there is an input @newest. */
void flight_trim(Flight *flight, Log *log, uint64_t newest);
/* From this ticket on all inputs are there. */
uint64_t flight_first(const Flight *flight);

#endif
