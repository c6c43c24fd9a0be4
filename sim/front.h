/* SPDX-License-Identifier: MIT */
/*
 * Functions in front of another library's: files here define some of GLib's
 * and of the C library's under their own names, and call the other one.
 */
#ifndef SIM_FRONT_H
#define SIM_FRONT_H

/* The next function of that name behind ours. */
void *front_find(void **found, const char *name);
#define FRONT_REAL(name) \
    ({ static void *found_; (__typeof__(&(name)))front_find(&found_, #name); })

/* Ends the process though a virtual thread runs, which has not asked for it. */
void front_exit(int status) __attribute__((noreturn));

#endif
