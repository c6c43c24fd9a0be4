/* SPDX-License-Identifier: MIT */
/* Messages for people, on standard error; QEMU: util/error-report.c. */
#include "qemu/error-report.h"

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

/* "text: ", or nothing; the caller frees it. */
static char *location_prefix(void)
{
    const char *file = location->ptr;
    g_autofree char *text = NULL;

    switch (location->kind) {
    case LOC_CMDLINE:
        text = cmdline_text();
        return g_strconcat(text, ": ", NULL);
    case LOC_FILE:
        return location->num ? g_strdup_printf("%s:%d: ", file, location->num)
                             : g_strconcat(file, ": ", NULL);
    default:
        return g_strdup("");
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

/* In one piece, because other threads print too. */
static void vreport(const char *kind, const char *fmt, va_list ap)
{
    const char *program = g_get_prgname();
    g_autofree char *where = location_prefix();
    g_autofree char *message = g_strdup_vprintf(fmt, ap);

    fprintf(stderr, "%s%s%s%s%s\n", program ? program : "",
            program ? ": " : "", where, kind, message);
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

/* True the first time. */
static bool first_time(bool *printed)
{
    bool first = !*printed;

    *printed = true;
    return first;
}

bool error_report_once_cond(bool *printed, const char *fmt, ...)
{
    bool first = first_time(printed);
    va_list ap;

    if (first) {
        va_start(ap, fmt);
        error_vreport(fmt, ap);
        va_end(ap);
    }
    return first;
}

bool warn_report_once_cond(bool *printed, const char *fmt, ...)
{
    bool first = first_time(printed);
    va_list ap;

    if (first) {
        va_start(ap, fmt);
        warn_vreport(fmt, ap);
        va_end(ap);
    }
    return first;
}

void error_init(const char *argv0)
{
    const char *slash = strrchr(argv0, '/');

    g_set_prgname(slash ? slash + 1 : argv0);
}
