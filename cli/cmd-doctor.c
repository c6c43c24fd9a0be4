/* SPDX-License-Identifier: MIT */
/* aiolab doctor: what works on this machine, and why not. */
#include "cli.h"

#include "live/live.h"

#include <langinfo.h>
#include <sqlite3.h>
#include <sys/utsname.h>
#include <unistd.h>

typedef struct Finding {
    const char *name;
    bool ok;
    char *text;
} Finding;

static void add(GArray *findings, const char *name, bool ok, char *text)
{
    Finding finding = {name, ok, text};

    g_array_append_val(findings, finding);
}

static void look(GArray *findings)
{
    struct utsname system;
    char *reason;
    int ret = live_probe_io_uring(&reason);
    g_autofree char *cc = g_find_program_in_path("cc");
    const char *term = g_getenv("TERM");

    uname(&system);
    add(findings, "kernel", true, g_strdup_printf("%s %s %s", system.sysname,
                                                  system.release,
                                                  system.machine));
    add(findings, "io_uring", ret == 0, ret == 0 ? reason :
        g_strdup_printf("%s; poll(), epoll and threads are used instead", reason));
    add(findings, "coroutines", true, g_strdup(
#ifdef STACK_UCONTEXT
        "ucontext"
#else
        "hand-written switch"
#endif
        ));
    add(findings, "compiler", cc != NULL, cc ? g_strdup(cc) :
        g_strdup("no cc: your own .c scenarios and exercises cannot be built"));
    add(findings, "terminal", isatty(STDOUT_FILENO), g_strdup_printf(
            "TERM=%s, %s%s", term ? term : "(unset)", nl_langinfo(CODESET),
            isatty(STDOUT_FILENO) ? "" : ", and this is not a terminal"));
    add(findings, "sqlite", true, g_strdup(sqlite3_libversion()));
}

int cmd_doctor(int argc, char **argv)
{
    static CommonOptions common;
    GArray *findings = g_array_new(false, false, sizeof(Finding));
    int status = cli_parse(&argc, &argv, "", "Says what works on this machine.",
                           NULL, &common);
    JsonBuilder *b;

    if (status >= 0) {
        return status;
    }
    if (!cli_open_output(&common, NULL)) {
        return STATUS_BAD_INPUT;
    }
    look(findings);
    b = json_builder_new();
    json_builder_begin_object(b);
    cli_json_string(b, "version", AIOLAB_VERSION);
    for (unsigned i = 0; i < findings->len; i++) {
        Finding *f = &g_array_index(findings, Finding, i);

        if (!common.json) {
            cli_print(&common, "%-11s %-4s %s\n", f->name, f->ok ? "ok" : "no",
                      f->text);
        }
        cli_json_string(b, f->name, f->text);
        g_free(f->text);
    }
    json_builder_end_object(b);
    if (common.json) {
        cli_print_json(b);
    }
    g_array_free(findings, true);
    return STATUS_OK;
}
