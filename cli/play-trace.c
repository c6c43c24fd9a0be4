/* SPDX-License-Identifier: MIT */
/* The log that a play takes its trace from. */
#include "play-trace.h"

#include "blktrace-set.h"
#include "import-report.h"
#include "store.h"

#include <unistd.h>

static int import(const char *path, const char *into, const char *format_name,
                  const CommonOptions *common)
{
    g_auto(GStrv) paths = blktrace_set_files(path);
    LoadOptions load = {.n_set = g_strv_length(paths)};
    Error *err = NULL;
    Loaded loaded;
    Log *log;
    bool ok;

    if (format_name && !(load.format = trace_format_find(format_name))) {
        cli_error("--format %s: no such format; 'aiolab import --list-formats' "
                  "names them", format_name);
        return STATUS_USAGE;
    }
    log = log_create(into, true, &err);
    if (!log) {
        return cli_fail(err, STATUS_MACHINE);
    }
    import_progress_start(common, &load);
    ok = trace_load(log, paths, g_strv_length(paths), &load, &loaded, &err);
    import_progress_stop();
    if (ok && !loaded_records(&loaded)) {
        error_setg(&err, "%s: holds nothing that can be played; 'aiolab "
                   "import' says why", path);
        ok = false;
    } else if (ok && !common->json) {
        cli_print(common, "%s: %s, %" PRIu64 " requests; 'aiolab import' "
                  "accounts for each line\n", path,
                  g_array_index(loaded.files, LoadedFile, 0).format->title,
                  loaded_records(&loaded));
    }
    loaded_clear(&loaded);
    if (!log_close(log, ok ? &err : NULL)) {
        ok = false;
    }
    return ok ? STATUS_OK : cli_fail(err, STATUS_BAD_INPUT);
}

/* The log that holds the trace: the argument, or what is made of it. */
const char *play_trace_log(const char *path, const char *format,
                           const CommonOptions *common, char **temporary,
                           int *status)
{
    GError *gerr = NULL;
    int fd;

    if (log_has_header(path)) {
        return path;
    }
    fd = g_file_open_tmp("aiolab-trace-XXXXXX", temporary, &gerr);
    if (fd < 0) {
        cli_error("%s; set TMPDIR", gerr->message);
        g_error_free(gerr);
        *status = STATUS_MACHINE;
        return NULL;
    }
    close(fd);
    *status = import(path, *temporary, format, common);
    return *status == STATUS_OK ? *temporary : NULL;
}
