/* SPDX-License-Identifier: MIT */
/*
 * Error objects, after QEMU's qapi/error.h.
 *
 * A function that can fail because of what a user asked for takes an
 * "Error **errp" as its last argument.  The caller passes the address of an
 * Error pointer that is NULL, or NULL to ignore the reason, or one of:
 *
 *   &error_abort  a failure is a bug: print where it happened, and abort
 *   &error_fatal  a failure ends the program with status 1
 */
#ifndef QAPI_ERROR_H
#define QAPI_ERROR_H

#include "qemu/osdep.h"

extern Error *error_abort;
extern Error *error_fatal;

#define error_setg(errp, ...) \
    error_setg_internal(errp, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define error_setg_errno(errp, os_error, ...)                       \
    error_setg_errno_internal(errp, __FILE__, __LINE__, __func__,   \
                              os_error, __VA_ARGS__)

void error_setg_internal(Error **errp, const char *file, int line,
                         const char *func, const char *fmt, ...)
    G_GNUC_PRINTF_(5, 6);
void error_setg_errno_internal(Error **errp, const char *file, int line,
                               const char *func, int os_error,
                               const char *fmt, ...) G_GNUC_PRINTF_(6, 7);

/* The message; valid until the error is freed. */
const char *error_get_pretty(const Error *err);
/* Hands @local_err (which may be NULL) to the caller's @dst_errp. */
void error_propagate(Error **dst_errp, Error *local_err);
/* Puts "text" in front of the message, if *errp is set. */
void error_prepend(Error **errp, const char *fmt, ...) G_GNUC_PRINTF_(2, 3);
void error_free(Error *err);
/* Prints "aiolab: message" to stderr and frees. */
void error_report_err(Error *err);

#endif
