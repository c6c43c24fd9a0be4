/* SPDX-License-Identifier: MIT */
/*
 * A scenario's own thread-local variables.
 *
 * To the C library all virtual threads are one thread, which has one set of
 * them.  So each virtual thread keeps its values while another one runs.  Only
 * objects that were loaded for a scenario take part: what is thread-local in
 * the program itself is the host's business.  A pointer to such a variable is
 * good in its own thread only.
 */
#ifndef SIM_THREAD_LOCALS_H
#define SIM_THREAD_LOCALS_H

/* The object that @code is in takes part; before there are virtual threads. */
void thread_locals_add(const void *code);
/* A new thread's values, or NULL if nothing is thread-local; for g_free. */
void *thread_locals_new(void);
/* Either may be NULL. */
void thread_locals_switch(void *save, const void *load);

#endif
