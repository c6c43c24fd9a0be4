/* SPDX-License-Identifier: MIT */
/*
 * Messages for people, on standard error, after QEMU's qemu/error-report.h:
 *
 *   PROGRAM: [WORDS OF THE COMMAND LINE: ][warning: |info: ]MESSAGE
 *   PROGRAM:FILE:LINE: [warning: |info: ]MESSAGE
 *
 * A message is one line, without the line end.  PROGRAM is GLib's name of the
 * program (g_set_prgname(), g_test_init(), error_init()), and is left out if
 * there is none.
 */
#ifndef QEMU_ERROR_REPORT_H
#define QEMU_ERROR_REPORT_H

#include "qemu/osdep.h"

/* ---- What a message is about; main thread ---- */

/* Lives in the frame of who pushed it. */
typedef struct Location {
    enum { LOC_NONE, LOC_CMDLINE, LOC_FILE } kind;
    int num;
    const void *ptr;
    struct Location *prev;
} Location;

/* Makes @loc the current one, as it is or empty; returns it. */
Location *loc_push_restore(Location *loc);
Location *loc_push_none(Location *loc);
/* Ends the current one, which must be @loc; returns it. */
Location *loc_pop(Location *loc);
/* Copies the current one into @loc, or back. */
Location *loc_save(Location *loc);
void loc_restore(Location *loc);
/* Changes the current one.  Strings are not copied. */
void loc_set_none(void);
void loc_set_cmdline(char **argv, int idx, int cnt);
void loc_set_file(const char *fname, int lno);

/* ---- Messages; any thread ---- */

/* As it is, with nothing in front and no line end.  As vprintf(). */
int error_vprintf(const char *fmt, va_list ap) G_GNUC_PRINTF_(1, 0);
int error_printf(const char *fmt, ...) G_GNUC_PRINTF_(1, 2);
/* There is no monitor protocol here whose output they would disturb. */
int error_vprintf_unless_qmp(const char *fmt, va_list ap)
    G_GNUC_PRINTF_(1, 0);
int error_printf_unless_qmp(const char *fmt, ...) G_GNUC_PRINTF_(1, 2);

void error_vreport(const char *fmt, va_list ap) G_GNUC_PRINTF_(1, 0);
void warn_vreport(const char *fmt, va_list ap) G_GNUC_PRINTF_(1, 0);
void info_vreport(const char *fmt, va_list ap) G_GNUC_PRINTF_(1, 0);
void error_report(const char *fmt, ...) G_GNUC_PRINTF_(1, 2);
void warn_report(const char *fmt, ...) G_GNUC_PRINTF_(1, 2);
void info_report(const char *fmt, ...) G_GNUC_PRINTF_(1, 2);

/* Prints only if *@printed is false, which it is not any more then. */
bool error_report_once_cond(bool *printed, const char *fmt, ...)
    G_GNUC_PRINTF_(2, 3);
bool warn_report_once_cond(bool *printed, const char *fmt, ...)
    G_GNUC_PRINTF_(2, 3);
/* Each place once; returns true when it prints. */
#define error_report_once(...)                                \
    ({                                                        \
        static bool error_printed_;                           \
        error_report_once_cond(&error_printed_, __VA_ARGS__); \
    })
#define warn_report_once(...)                               \
    ({                                                      \
        static bool warn_printed_;                          \
        warn_report_once_cond(&warn_printed_, __VA_ARGS__); \
    })

/*
 * Tells GLib the program's name, the last part of @argv0, and prints GLib's
 * own messages (g_message(), g_warning()) in this form from now on.
 */
void error_init(const char *argv0);

/* Off unless set: messages begin with the time (ISO 8601, UTC)... */
extern bool message_with_timestamp;
/* ... and with the machine's name, if there is one. */
extern bool error_with_guestname;
extern const char *error_guest_name;

#endif
