/* SPDX-License-Identifier: MIT */
/*
 * Error objects: a message for the person whose input caused the failure.
 * QEMU: util/error.c.
 */
#include "qapi/error.h"
#include "qemu/error-report.h"

struct Error {
    char *message;
    char *hint; /* lines that are printed below it, or NULL */
    ErrorClass err_class;
    const char *file, *func; /* where it was made; static strings */
    int line;
};

Error *error_abort;
Error *error_fatal;

/* ---- Setting ---- */

static void print(const Error *err,
                  void (*report)(const char *fmt, ...) G_GNUC_PRINTF_(1, 2))
{
    report("%s", err->message);
    if (err->hint) {
        error_printf("%s", err->hint);
    }
}

static void abort_with(const Error *err)
{
    fprintf(stderr, "Unexpected error in %s() at %s:%d:\n", err->func,
            err->file, err->line);
    print(err, error_report);
    abort();
}

/* Gives @err away. */
static void deliver(Error **errp, Error *err)
{
    if (errp == &error_abort) {
        abort_with(err);
    }
    if (errp == &error_fatal) {
        print(err, error_report);
        exit(1);
    }
    if (errp && !*errp) {
        *errp = err;
    } else {
        error_free(err);
    }
}

typedef struct Site {
    const char *file;
    int line;
    const char *func;
    ErrorClass err_class;
} Site;

/* @os_error 0: only the message. */
static void set(Error **errp, const Site *site, int os_error, const char *fmt,
                va_list ap)
{
    int saved_errno = errno;
    Error *err;

    if (errp) {
        assert(!*errp); /* the first error would be lost */
        err = g_new0(Error, 1);
        *err = (Error){
            .message = g_strdup_vprintf(fmt, ap), .file = site->file,
            .line = site->line, .func = site->func,
            .err_class = site->err_class,
        };
        if (os_error) {
            char *text = err->message;

            err->message = g_strconcat(text, ": ", g_strerror(abs(os_error)),
                                       NULL);
            g_free(text);
        }
        deliver(errp, err);
    }
    errno = saved_errno;
}

void error_setg_internal(Error **errp, const char *file, int line,
                         const char *func, const char *fmt, ...)
{
    Site site = {file, line, func, ERROR_CLASS_GENERIC_ERROR};
    va_list ap;

    va_start(ap, fmt);
    set(errp, &site, 0, fmt, ap);
    va_end(ap);
}

void error_setg_errno_internal(Error **errp, const char *file, int line,
                               const char *func, int os_error, const char *fmt,
                               ...)
{
    Site site = {file, line, func, ERROR_CLASS_GENERIC_ERROR};
    va_list ap;

    va_start(ap, fmt);
    set(errp, &site, os_error, fmt, ap);
    va_end(ap);
}

void error_setg_file_open_internal(Error **errp, const char *file, int line,
                                   const char *func, int os_error,
                                   const char *filename)
{
    error_setg_errno_internal(errp, file, line, func, os_error,
                              "Could not open '%s'", filename);
}

void error_set_internal(Error **errp, const char *file, int line,
                        const char *func, ErrorClass err_class,
                        const char *fmt, ...)
{
    Site site = {file, line, func, err_class};
    va_list ap;

    va_start(ap, fmt);
    set(errp, &site, 0, fmt, ap);
    va_end(ap);
}

/* ---- Handing on ---- */

void error_propagate(Error **dst_errp, Error *local_err)
{
    if (local_err) {
        deliver(dst_errp, local_err);
    }
}

void error_propagate_prepend(Error **dst_errp, Error *local_err,
                             const char *fmt, ...)
{
    va_list ap;

    if (local_err && dst_errp) {
        va_start(ap, fmt);
        error_vprepend(&local_err, fmt, ap);
        va_end(ap);
    }
    error_propagate(dst_errp, local_err);
}

void error_vprepend(Error *const *errp, const char *fmt, va_list ap)
{
    g_autofree char *prefix = NULL;
    char *message;

    if (!errp || !*errp) {
        return;
    }
    prefix = g_strdup_vprintf(fmt, ap);
    message = g_strconcat(prefix, (*errp)->message, NULL);
    g_free((*errp)->message);
    (*errp)->message = message;
}

void error_prepend(Error *const *errp, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_vprepend(errp, fmt, ap);
    va_end(ap);
}

void error_append_hint(Error *const *errp, const char *fmt, ...)
{
    int saved_errno = errno;
    g_autofree char *text = NULL;
    char *hint;
    va_list ap;

    if (!errp) {
        return;
    }
    assert(*errp && errp != &error_abort && errp != &error_fatal);
    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    hint = g_strconcat((*errp)->hint ? (*errp)->hint : "", text, NULL);
    g_free((*errp)->hint);
    (*errp)->hint = hint;
    errno = saved_errno;
}

/* ---- Looking ---- */

const char *error_get_pretty(const Error *err)
{
    return err->message;
}

ErrorClass error_get_class(const Error *err)
{
    return err->err_class;
}

Error *error_copy(const Error *err)
{
    Error *copy = g_new(Error, 1);

    *copy = *err;
    copy->message = g_strdup(err->message);
    copy->hint = g_strdup(err->hint);
    return copy;
}

/* ---- Ending ---- */

void error_free(Error *err)
{
    if (err) {
        g_free(err->message);
        g_free(err->hint);
        g_free(err);
    }
}

void error_free_or_abort(Error **errp)
{
    assert(errp && *errp);
    error_free(*errp);
    *errp = NULL;
}

void error_report_err(Error *err)
{
    print(err, error_report);
    error_free(err);
}

void warn_report_err(Error *err)
{
    print(err, warn_report);
    error_free(err);
}

void error_reportf_err(Error *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_vprepend(&err, fmt, ap);
    va_end(ap);
    error_report_err(err);
}

void warn_reportf_err(Error *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_vprepend(&err, fmt, ap);
    va_end(ap);
    warn_report_err(err);
}

bool warn_report_err_once_cond(bool *printed, Error *err)
{
    if (*printed) {
        error_free(err);
        return false;
    }
    *printed = true;
    warn_report_err(err);
    return true;
}
