/* SPDX-License-Identifier: MIT */
/* Messages for people, on standard error; QEMU: util/error-report.c. */
#include "host.h"
#include "qemu/error-report.h"

bool message_with_timestamp;
bool error_with_guestname;
const char *error_guest_name;

/* ---- Locations: a stack, whose last element is ours ---- */

static Location no_location;
static Location *location = &no_location;

Location *loc_push_restore(Location *loc)
{
    assert(!loc->prev);
    loc->prev = location;
    location = loc;
    return loc;
}

Location *loc_push_none(Location *loc)
{
    *loc = (Location){.kind = LOC_NONE};
    return loc_push_restore(loc);
}

Location *loc_pop(Location *loc)
{
    assert(location == loc && loc->prev);
    location = loc->prev;
    loc->prev = NULL;
    return loc;
}

Location *loc_save(Location *loc)
{
    *loc = *location;
    loc->prev = NULL;
    return loc;
}

void loc_restore(Location *loc)
{
    Location *prev = location->prev;

    assert(!loc->prev);
    *location = *loc;
    location->prev = prev;
}

void loc_set_none(void)
{
    location->kind = LOC_NONE;
}

void loc_set_cmdline(char **argv, int idx, int cnt)
{
    location->kind = LOC_CMDLINE;
    location->num = cnt;
    location->ptr = argv + idx;
}

/* @fname NULL: only the line changes. */
void loc_set_file(const char *fname, int lno)
{
    assert(fname || location->kind == LOC_FILE);
    location->kind = LOC_FILE;
    location->num = lno;
    if (fname) {
        location->ptr = fname;
    }
}

/* The words of the command line, with spaces between them. */
static char *cmdline_text(void)
{
    char *const *argv = (char *const *)location->ptr;
    char *text = g_strdup(location->num ? argv[0] : "");

    for (int i = 1; i < location->num; i++) {
        char *longer = g_strconcat(text, " ", argv[i], NULL);

        g_free(text);
        text = longer;
    }
    return text;
}

/*
 * "PROGRAM: WORDS: ", "PROGRAM:FILE:LINE: " or "PROGRAM: ": QEMU puts no space
 * in front of a file's name.  The caller frees it.
 */
static char *location_prefix(void)
{
    const char *program = g_get_prgname(), *file = location->ptr;
    const char *colon = program ? ":" : "", *space = program ? " " : "";
    g_autofree char *text = NULL;

    program = program ? program : "";
    switch (location->kind) {
    case LOC_CMDLINE:
        text = cmdline_text();
        return g_strconcat(program, colon, space, text, ": ", NULL);
    case LOC_FILE:
        text = location->num ? g_strdup_printf("%d:", location->num)
                             : g_strdup("");
        return g_strconcat(program, colon, file, ":", text, " ", NULL);
    default:
        return g_strconcat(program, colon, space, NULL);
    }
}

/* ---- Messages ---- */

int error_vprintf(const char *fmt, va_list ap)
{
    return vfprintf(stderr, fmt, ap);
}

int error_printf(const char *fmt, ...)
{
    va_list ap;
    int ret;

    va_start(ap, fmt);
    ret = error_vprintf(fmt, ap);
    va_end(ap);
    return ret;
}

int error_vprintf_unless_qmp(const char *fmt, va_list ap)
{
    return error_vprintf(fmt, ap);
}

int error_printf_unless_qmp(const char *fmt, ...)
{
    va_list ap;
    int ret;

    va_start(ap, fmt);
    ret = error_vprintf(fmt, ap);
    va_end(ap);
    return ret;
}

/* "2026-11-22T08:00:00.000001Z "; the caller frees it. */
static char *timestamp(void)
{
    int64_t now = host_clock_ns(QEMU_CLOCK_HOST);
    GDateTime *second, *moment;
    char *iso, *text;

    second = g_date_time_new_from_unix_utc(now / NANOSECONDS_PER_SECOND);
    moment = g_date_time_add(second, now % NANOSECONDS_PER_SECOND / SCALE_US);
    iso = g_date_time_format_iso8601(moment);
    text = g_strconcat(iso, " ", NULL);
    g_free(iso);
    g_date_time_unref(moment);
    g_date_time_unref(second);
    return text;
}

/* What stands before the program's name: when, and on which machine. */
static char *origin(void)
{
    g_autofree char *when = message_with_timestamp ? timestamp() : g_strdup("");

    return error_with_guestname && error_guest_name
               ? g_strconcat(when, error_guest_name, " ", NULL)
               : g_strdup(when);
}

/* In one piece, because other threads print too. */
static void vreport(const char *kind, const char *fmt, va_list ap)
{
    g_autofree char *from = origin();
    g_autofree char *where = location_prefix();
    g_autofree char *message = g_strdup_vprintf(fmt, ap);

    fprintf(stderr, "%s%s%s%s\n", from, where, kind, message);
}

void error_vreport(const char *fmt, va_list ap)
{
    vreport("", fmt, ap);
}

void warn_vreport(const char *fmt, va_list ap)
{
    vreport("warning: ", fmt, ap);
}

void info_vreport(const char *fmt, va_list ap)
{
    vreport("info: ", fmt, ap);
}

void error_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_vreport(fmt, ap);
    va_end(ap);
}

void warn_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    warn_vreport(fmt, ap);
    va_end(ap);
}

void info_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    info_vreport(fmt, ap);
    va_end(ap);
}

/* Only the first time, and then returns true. */
static bool report_once(bool *printed, void (*vreport)(const char *, va_list),
                        const char *fmt, va_list ap)
{
    bool first = !*printed;

    *printed = true;
    if (first) {
        vreport(fmt, ap);
    }
    return first;
}

bool error_report_once_cond(bool *printed, const char *fmt, ...)
{
    va_list ap;
    bool first;

    va_start(ap, fmt);
    first = report_once(printed, error_vreport, fmt, ap);
    va_end(ap);
    return first;
}

bool warn_report_once_cond(bool *printed, const char *fmt, ...)
{
    va_list ap;
    bool first;

    va_start(ap, fmt);
    first = report_once(printed, warn_vreport, fmt, ap);
    va_end(ap);
    return first;
}
