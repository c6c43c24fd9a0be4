/* SPDX-License-Identifier: MIT */
/* Error objects: a message for the person whose input caused the failure. */
#include "qapi/error.h"

struct Error {
    char *message;
};

Error *error_abort;
Error *error_fatal;

static void error_deliver(Error **errp, const char *file, int line,
                          const char *func, char *message)
{
    if (errp == &error_abort) {
        fprintf(stderr, "Unexpected error in %s() at %s:%d:\n%s\n", func, file,
                line, message);
        abort();
    }
    if (errp == &error_fatal) {
        fprintf(stderr, "aiolab: %s\n", message);
        exit(1);
    }
    if (errp && !*errp) {
        *errp = g_new(Error, 1);
        (*errp)->message = message;
    } else {
        g_free(message);
    }
}

void error_setg_internal(Error **errp, const char *file, int line,
                         const char *func, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_deliver(errp, file, line, func, g_strdup_vprintf(fmt, ap));
    va_end(ap);
}

void error_setg_errno_internal(Error **errp, const char *file, int line,
                               const char *func, int os_error, const char *fmt,
                               ...)
{
    va_list ap;
    g_autofree char *text = NULL;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    error_deliver(errp, file, line, func,
                  g_strdup_printf("%s: %s", text, g_strerror(abs(os_error))));
}

const char *error_get_pretty(const Error *err)
{
    return err->message;
}

void error_propagate(Error **dst_errp, Error *local_err)
{
    if (!local_err) {
        return;
    }
    if (dst_errp == &error_abort || dst_errp == &error_fatal) {
        error_deliver(dst_errp, "", 0, "error_propagate",
                      g_strdup(local_err->message));
    }
    if (dst_errp && !*dst_errp) {
        *dst_errp = local_err;
    } else {
        error_free(local_err);
    }
}

void error_prepend(Error **errp, const char *fmt, ...)
{
    va_list ap;
    g_autofree char *prefix = NULL;
    char *message;

    if (!errp || !*errp) {
        return;
    }
    va_start(ap, fmt);
    prefix = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    message = g_strconcat(prefix, (*errp)->message, NULL);
    g_free((*errp)->message);
    (*errp)->message = message;
}

void error_free(Error *err)
{
    if (err) {
        g_free(err->message);
        g_free(err);
    }
}

void error_report_err(Error *err)
{
    fprintf(stderr, "aiolab: %s\n", err->message);
    error_free(err);
}
