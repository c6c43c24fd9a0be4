/* SPDX-License-Identifier: MIT */
/* Logs and traces, as logs. */
#include "open-trace.h"

#include "blktrace-set.h"
#include "import-report.h"

#include <glib/gstdio.h>

static Log *open_log(const char *path, Error **errp)
{
    Log *log = log_open(path, errp);

    if (log && !trace_log_is(log)) {
        error_setg(errp, "%s: is a recording of a run, not a captured trace; "
                   "'aiolab inspect' and 'aiolab tui' show it", path);
        log_close(log, NULL);
        return NULL;
    }
    return log;
}

static void say_notes(const Loaded *loaded)
{
    uint64_t rejected = trace_account_total(&loaded->account,
                                            ACCOUNT_REJECTED);

    for (unsigned i = 0; i < loaded->notes->len; i++) {
        cli_error("%s", (char *)g_ptr_array_index(loaded->notes, i));
    }
    if (rejected) {
        cli_error("%" PRIu64 " of %" PRIu64 " lines or records are not of the "
                  "format; 'aiolab import' says which", rejected,
                  loaded->account.in);
    }
}

static bool load(Log *log, const char *path, const LoadOptions *given,
                 Error **errp)
{
    g_auto(GStrv) paths = blktrace_set_files(path);
    LoadOptions options = given ? *given : (LoadOptions){.format = NULL};
    Loaded loaded;
    bool ok;

    options.n_set = g_strv_length(paths);
    ok = trace_load(log, paths, options.n_set, &options, &loaded, errp);
    if (ok && !loaded_records(&loaded)) {
        error_setg(errp, "%s: holds nothing that can be used", path);
        ok = false;
    } else if (ok) {
        say_notes(&loaded);
    }
    loaded_clear(&loaded);
    return ok;
}

/* The file has no name any more when this returns; the log stays open. */
static Log *import(const char *path, const LoadOptions *given, Error **errp)
{
    g_autofree char *dir = g_dir_make_tmp("aiolab-XXXXXX", NULL);
    g_autofree char *file = dir ? g_build_filename(dir, "trace.aiolog", NULL)
                                : NULL;
    Log *log = NULL;

    if (!dir) {
        error_setg_errno(errp, errno, "no temporary directory can be made");
        return NULL;
    }
    log = log_create(file, false, errp);
    if (log && !load(log, path, given, errp)) {
        log_close(log, NULL);
        log = NULL;
    } else if (log) {
        log = log_close(log, errp) ? log_open(file, errp) : NULL;
    }
    log_remove(file);
    g_rmdir(dir);
    return log;
}

Log *open_trace_by_name(const char *name, const LoadOptions *options,
                        const CommonOptions *common, int *status)
{
    LoadOptions watched = options ? *options : (LoadOptions){.format = NULL};
    Error *err = NULL;
    Log *log;

    if (log_has_header(name)) {
        log = open_log(name, &err);
    } else {
        import_progress_start(common, &watched);
        log = import(name, &watched, &err);
        import_progress_stop();
    }
    if (!log) {
        *status = cli_fail(err, STATUS_BAD_INPUT);
    }
    return log;
}
