/* SPDX-License-Identifier: MIT */
/* What the commands share: options, output, and the exit statuses. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "qapi/error.h"

#include <json-glib/json-glib.h>

enum {
    STATUS_OK = 0,
    STATUS_FINDING = 1,  /* deadlock, failed check, failed exercise */
    STATUS_USAGE = 2,
    STATUS_BAD_INPUT = 3,
    STATUS_DIVERGED = 4,
    STATUS_MACHINE = 5,  /* the machine lacks something */
};

/* The options that every command takes. */
typedef struct CommonOptions {
    gboolean json, quiet;
    char *output; /* -o */
} CommonOptions;

/*
 * Parses @argv with @entries (ends with {NULL}) and the common options.
 * @usage: what follows the command's name.  Returns -1 to go on, else a
 * status.  @output: whether -o is the text's file (else the command's own).
 */
int cli_parse(int *argc, char ***argv, const char *usage, const char *summary,
              const GOptionEntry *entries, CommonOptions *common);

/* One line on stderr: "aiolab: message". */
void cli_error(const char *fmt, ...) G_GNUC_PRINTF_(1, 2);
/* Prints and frees @err (which may be NULL), and returns @status. */
int cli_fail(Error *err, int status);

/* Standard output, or the file of -o; say nothing if quiet. */
void cli_print(const CommonOptions *common, const char *fmt, ...)
    G_GNUC_PRINTF_(2, 3);
/* False, and said, if -o would destroy @input (or NULL). */
bool cli_check_output(const CommonOptions *common, const char *input);
/* Opens -o; refuses @input (or NULL), which it would destroy. */
bool cli_open_output(const CommonOptions *common, const char *input);
/* Prints what @builder has built, with a newline; frees it. */
void cli_print_json(JsonBuilder *builder);
void cli_json_string(JsonBuilder *builder, const char *name, const char *value);
void cli_json_int(JsonBuilder *builder, const char *name, int64_t value);
void cli_json_bool(JsonBuilder *builder, const char *name, bool value);

/* On a terminal, long work says on stderr how far it is. */
void cli_progress_start(const CommonOptions *common);
void cli_progress_stop(void);

/* ---- The commands, one file each ---- */

int cmd_bench(int argc, char **argv);
int cmd_bisect(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_explore(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_index(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_learn(int argc, char **argv);
int cmd_lessons(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_new_scenario(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_play(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_scenarios(int argc, char **argv);
int cmd_tui(int argc, char **argv);
int cmd_verify(int argc, char **argv);

#endif
