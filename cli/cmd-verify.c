/* SPDX-License-Identifier: MIT */
/* aiolab verify: is a log whole? */
#include "cli.h"

#include "log.h"

/* Each content that inputs refer to must be there and be itself. */
static bool check_payload(Log *log, const Input *inputs, size_t n, Error **errp)
{
    bool full = g_strcmp0(log_meta(log, "data"), "hash") != 0;

    for (size_t i = 0; i < n; i++) {
        bool needed = inputs[i].kind == INPUT_FILE_OPEN ||
                      inputs[i].kind == INPUT_PREIMAGE ||
                      (inputs[i].kind == INPUT_CQE_DATA && full);
        size_t len;

        if (needed) {
            void *data = log_payload(log, inputs[i].b, &len);

            if (!data) {
                error_setg(errp, "%s: damaged log (the data of input %zu is "
                           "missing or changed); restore it from a copy, or "
                           "record again", log_path(log), i + 1);
                return false;
            }
            g_free(data);
        }
    }
    return true;
}

int cmd_verify(int argc, char **argv)
{
    static CommonOptions common;
    int status = cli_parse(&argc, &argv, "LOG",
                           "Checks a log's structure, checksums and data.\n"
                           "'aiolab replay' checks that it still runs.", NULL,
                           &common);
    g_autofree Input *inputs = NULL;
    Error *err = NULL;
    size_t n;
    Log *log;

    if (status >= 0) {
        return status;
    }
    if (argc != 2) {
        cli_error("verify needs one log; see --help");
        return STATUS_USAGE;
    }
    if (!cli_open_output(&common, argv[1])) {
        return STATUS_BAD_INPUT;
    }
    log = log_open(argv[1], &err);
    if (!log || !log_check_structure(log, &err) ||
        !(inputs = log_inputs(log, &n, &err)) ||
        !check_payload(log, inputs, n, &err)) {
        log_close(log, NULL);
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    if (common.json) {
        JsonBuilder *b = json_builder_new();

        json_builder_begin_object(b);
        cli_json_string(b, "log", argv[1]);
        cli_json_bool(b, "ok", true);
        cli_json_string(b, "state", log_meta(log, "state"));
        cli_json_int(b, "inputs", n);
        cli_json_int(b, "bytes", log_size(log));
        json_builder_end_object(b);
        cli_print_json(b);
    } else {
        cli_print(&common, "%s: whole, %zu inputs, %s\n", argv[1], n,
                  g_strcmp0(log_meta(log, "state"), "complete") == 0
                      ? "complete" : "its recorder did not end");
    }
    log_close(log, NULL);
    return STATUS_OK;
}
