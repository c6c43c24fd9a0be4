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
 *
 * What the caller gets it owns: it frees, reports or propagates it.  An error
 * is set once: setting another one over it is a bug and aborts.
 *
 * A function that looks at *errp, or adds to the message, begins with
 * ERRP_GUARD(), because its caller may have passed NULL or &error_fatal.
 */
#ifndef QAPI_ERROR_H
#define QAPI_ERROR_H

#include "qemu/osdep.h"

/* QEMU's classes of errors; its monitor protocol tells them apart. */
typedef enum ErrorClass {
    ERROR_CLASS_GENERIC_ERROR,
    ERROR_CLASS_COMMAND_NOT_FOUND,
    ERROR_CLASS_DEVICE_NOT_ACTIVE,
    ERROR_CLASS_DEVICE_NOT_FOUND,
    ERROR_CLASS_KVM_MISSING_CAP,
    ERROR_CLASS__MAX,
} ErrorClass;

extern Error *error_abort;
extern Error *error_fatal;

/* ---- Setting ---- */

/* One sentence without a full stop or a line end; errno stays as it is. */
#define error_setg(errp, ...) \
    error_setg_internal((errp), __FILE__, __LINE__, __func__, __VA_ARGS__)
/* Adds ": " and the text of @os_error, if that is not 0. */
#define error_setg_errno(errp, os_error, ...)                       \
    error_setg_errno_internal((errp), __FILE__, __LINE__, __func__, \
                              (os_error), __VA_ARGS__)
#define error_setg_file_open(errp, os_error, filename)                  \
    error_setg_file_open_internal((errp), __FILE__, __LINE__, __func__, \
                                  (os_error), (filename))
#define error_set(errp, err_class, ...)                       \
    error_set_internal((errp), __FILE__, __LINE__, __func__,  \
                       (err_class), __VA_ARGS__)

void error_setg_internal(Error **errp, const char *file, int line,
                         const char *func, const char *fmt, ...)
    G_GNUC_PRINTF_(5, 6);
void error_setg_errno_internal(Error **errp, const char *file, int line,
                               const char *func, int os_error,
                               const char *fmt, ...) G_GNUC_PRINTF_(6, 7);
void error_setg_file_open_internal(Error **errp, const char *file, int line,
                                   const char *func, int os_error,
                                   const char *filename);
void error_set_internal(Error **errp, const char *file, int line,
                        const char *func, ErrorClass err_class,
                        const char *fmt, ...) G_GNUC_PRINTF_(6, 7);

/* ---- Handing on ---- */

/* Hands @local_err (which may be NULL) to the caller's @dst_errp. */
void error_propagate(Error **dst_errp, Error *local_err);
/* The same, with "text" in front of the message. */
void error_propagate_prepend(Error **dst_errp, Error *local_err,
                             const char *fmt, ...) G_GNUC_PRINTF_(3, 4);
/* Puts "text" in front of the message, if *errp is set. */
void error_vprepend(Error *const *errp, const char *fmt, va_list ap)
    G_GNUC_PRINTF_(2, 0);
void error_prepend(Error *const *errp, const char *fmt, ...)
    G_GNUC_PRINTF_(2, 3);
/*
 * Adds an explanation for people, whole lines, which is printed below the
 * message.  @errp may be NULL; else *errp is set.
 */
void error_append_hint(Error *const *errp, const char *fmt, ...)
    G_GNUC_PRINTF_(2, 3);

/* ---- Looking ---- */

/* The message; valid until the error is freed. */
const char *error_get_pretty(const Error *err);
ErrorClass error_get_class(const Error *err);
Error *error_copy(const Error *err);

/* ---- Ending: all of these free @err ---- */

/* @err may be NULL. */
void error_free(Error *err);
/* For tests: *@errp must be set, and is NULL afterwards. */
void error_free_or_abort(Error **errp);
/* See qemu/error-report.h for the form. */
void error_report_err(Error *err);
void warn_report_err(Error *err);
void error_reportf_err(Error *err, const char *fmt, ...)
    G_GNUC_PRINTF_(2, 3);
void warn_reportf_err(Error *err, const char *fmt, ...) G_GNUC_PRINTF_(2, 3);
/* Prints only if *@printed is false, which it is not any more then. */
bool warn_report_err_once_cond(bool *printed, Error *err);
#define warn_report_err_once(err)                         \
    ({                                                    \
        static bool warn_printed_;                        \
        warn_report_err_once_cond(&warn_printed_, (err)); \
    })

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Error, error_free)

/* ---- A caller's errp that can be looked at ---- */

typedef struct ErrorPropagator {
    Error *local_err;
    Error **errp;
} ErrorPropagator;

static inline void error_propagator_cleanup(ErrorPropagator *prop)
{
    error_propagate(prop->errp, prop->local_err);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ErrorPropagator, error_propagator_cleanup)

/*
 * First in a function whose parameter is named errp: from then on errp is not
 * NULL, and *errp says whether something failed.  The caller gets the error
 * when the function returns.  (&error_abort stays: it is to abort where the
 * error is made.)
 */
#define ERRP_GUARD()                                               \
    g_auto(ErrorPropagator) errp_guard_ = {.errp = errp};          \
    do {                                                           \
        if (!errp || errp == &error_fatal) {                       \
            errp = &errp_guard_.local_err;                         \
        }                                                          \
    } while (0)

#endif
