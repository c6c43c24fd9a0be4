/* SPDX-License-Identifier: MIT */
/* aiolab report: what a captured trace was like. */
#include "open-trace.h"
#include "trace-report.h"

#include "log-events.h"

static bool make_report(TraceReport *report, Error **errp)
{
    Session *session;

    report->summary = trace_summary_new(report->log, errp);
    if (!report->summary) {
        return false;
    }
    report->names = trace_names_load(report->log);
    report->timed = g_strcmp0(log_meta(report->log, "trace.clock"),
                              trace_clock_names[TRACE_CLOCK_NONE]) != 0;
    if (!log_has_events(report->log)) {
        return true;
    }
    session = session_open_events(report->log, errp);
    if (session) {
        report->findings = qemu_findings_new(session);
        report->session = session;
    }
    return session != NULL;
}

static void free_report(TraceReport *report)
{
    trace_summary_free(report->summary);
    trace_names_free(report->names);
    qemu_findings_free(report->findings);
    session_free(report->session); /* what findings point to lives there */
    log_close(report->log, NULL);
}

int cmd_report(int argc, char **argv)
{
    static CommonOptions common;
    gboolean html = false;
    const GOptionEntry entries[] = {
        {"html", 0, 0, G_OPTION_ARG_NONE, &html, "one page of HTML", NULL},
        {NULL}};
    int status = cli_parse(&argc, &argv, "LOG|TRACE",
                           "Says what a captured trace was like: latencies, "
                           "queue depth, patterns, the slowest requests.",
                           entries, &common);
    TraceReport report = {0};
    Error *err = NULL;

    if (status >= 0) {
        return status;
    }
    if (argc != 2 || (html && common.json)) {
        cli_error("report needs one log or trace, and one of --html and "
                  "--json; see --help");
        return STATUS_USAGE;
    }
    report.title = argv[1];
    report.log = open_trace_by_name(argv[1], NULL, &common, &status);
    if (!report.log) {
        return status;
    }
    if (!make_report(&report, &err)) {
        status = cli_fail(err, STATUS_BAD_INPUT);
    } else if (!cli_open_output(&common, argv[1])) {
        status = STATUS_BAD_INPUT;
    } else {
        status = STATUS_OK;
        (html ? trace_report_html : common.json ? trace_report_json
                                                : trace_report_text)(&report);
    }
    free_report(&report);
    return status;
}
