/* SPDX-License-Identifier: MIT */
/* Small services of the system; see qemu/osdep.h.  QEMU: util/oslib-posix.c */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"

#include <sys/syscall.h>

int qemu_get_thread_id(void)
{
    return syscall(SYS_gettid);
}

int qemu_close(int fd)
{
    return close(fd);
}

void qemu_set_cloexec(int fd)
{
    int flags = fcntl(fd, F_GETFD);

    assert(flags != -1);
    flags = fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    assert(flags != -1);
}

bool qemu_set_blocking(int fd, bool block, Error **errp)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags != -1) {
        flags = block ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
        flags = fcntl(fd, F_SETFL, flags);
    }
    if (flags == -1) {
        error_setg_errno(errp, errno, "Can't set file descriptor %d %s", fd,
                         block ? "blocking" : "non-blocking");
        return false;
    }
    return true;
}

ssize_t qemu_write_full(int fd, const void *buf, size_t count)
{
    size_t done = 0;

    while (done < count) {
        ssize_t ret = RETRY_ON_EINTR(write(fd, (const char *)buf + done,
                                           count - done));

        if (ret < 0) {
            break;
        }
        done += ret;
    }
    return done;
}

/* ---- GLib's messages ---- */

/* As GLib's own handler: debugging output is for who asked for its domain. */
static bool wants_debug(const char *domain)
{
    const char *domains = g_getenv("G_MESSAGES_DEBUG");

    return domains && (g_str_equal(domains, "all") ||
                       (domain && strstr(domains, domain)));
}

static void report_glib_message(const char *domain, GLogLevelFlags level,
                                const char *message, void *opaque)
{
    const char *where = domain ? domain : "", *colon = domain ? ": " : "";

    switch (level & G_LOG_LEVEL_MASK) {
    case G_LOG_LEVEL_ERROR:
    case G_LOG_LEVEL_CRITICAL:
        error_report("%s%s%s", where, colon, message);
        break;
    case G_LOG_LEVEL_WARNING:
        warn_report("%s%s%s", where, colon, message);
        break;
    case G_LOG_LEVEL_MESSAGE:
        info_report("%s%s%s", where, colon, message);
        break;
    default:
        if (wants_debug(domain)) {
            info_report("%s%s%s", where, colon, message);
        }
        break;
    }
}

void error_init(const char *argv0)
{
    const char *slash = strrchr(argv0, '/');

    g_set_prgname(slash ? slash + 1 : argv0);
    g_log_set_default_handler(report_glib_message, NULL);
}
