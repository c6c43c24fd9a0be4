/* SPDX-License-Identifier: MIT */
/* aiolab COMMAND: which function is called. */
#include "builtin.h"
#include "cli.h"
#include "play.h"
#include "run.h"

#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

typedef struct Command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} Command;

static const Command commands[] = {
    {"lessons", cmd_lessons, "list the lessons, with your progress"},
    {"learn", cmd_learn, "take a lesson"},
    {"check", cmd_check, "check your solution of a lesson's exercise"},
    {"scenarios", cmd_scenarios, "list the built-in scenarios"},
    {"new-scenario", cmd_new_scenario, "write a scenario to begin with"},
    {"run", cmd_run, "run a scenario once, live or simulated"},
    {"record", cmd_record, "run a scenario and record it"},
    {"replay", cmd_replay, "run a recording again, and compare everything"},
    {"bisect-divergence", cmd_bisect, "narrow down why a replay diverges"},
    {"explore", cmd_explore, "search schedules for failures, and explain them"},
    {"plan", cmd_plan, "cut a large search into units"},
    {"merge", cmd_merge, "merge what units have found"},
    {"tui", cmd_tui, "step through a recording or a scenario"},
    {"inspect", cmd_inspect, "show one state as text or JSON"},
    {"diff", cmd_diff, "say where two recordings part, and why"},
    {"import", cmd_import, "make a log of captured I/O traces"},
    {"report", cmd_report, "say what a captured trace was like"},
    {"export", cmd_export, "write a trace, or a state, for other tools"},
    {"play", cmd_play, "play a captured trace through the block layer"},
    {"compare", cmd_compare, "join two plays of a trace, request by request"},
    {"index", cmd_index, "make a recording's SQL tables"},
    {"verify", cmd_verify, "check a recording's integrity"},
    {"bench", cmd_bench, "measure the event loop"},
    {"doctor", cmd_doctor, "say what works on this machine"},
};

/* What a recorded play runs again is a scenario, too. */
static const Scenario *find_scenario(const char *name)
{
    return g_str_equal(name, scenario_play.name) ? &scenario_play
                                                 : builtin_scenario_find(name);
}

static void print_help(FILE *out)
{
    fputs("Usage: aiolab COMMAND [OPTION...]\n"
          "A laboratory for QEMU's event loop: record, replay, step, learn.\n\n",
          out);
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        fprintf(out, "  %-17s %s\n", commands[i].name, commands[i].summary);
    }
    fputs("\nExamples:\n"
          "  aiolab learn                     begin with the first lesson\n"
          "  aiolab run nested-laio/buggy     see a deadlock explained\n"
          "  aiolab tui nested-laio/buggy     walk through it, both ways\n"
          "\n'aiolab COMMAND --help' explains a command.\n", out);
}

static const Command *find_command(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        if (g_str_equal(commands[i].name, name)) {
            return &commands[i];
        }
    }
    return NULL;
}

/* What could not be printed was not said: that is a failure too. */
static int finish_output(int status)
{
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == STATUS_OK) {
        cli_error("the output cannot be written: %s", g_strerror(errno));
        return STATUS_MACHINE;
    }
    return status;
}

/* A file that we open must not become the standard output. */
static void open_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO) {
        close(fd);
    }
}

int main(int argc, char **argv)
{
    const Command *command;
    g_autofree char *program = NULL;

    open_standard_descriptors();
    setlocale(LC_ALL, "");
    run_lookup = find_scenario;
    if (argc < 2) {
        print_help(stderr);
        return STATUS_USAGE;
    }
    if (g_str_equal(argv[1], "--help") || g_str_equal(argv[1], "-h") ||
        g_str_equal(argv[1], "help")) {
        print_help(stdout);
        return finish_output(STATUS_OK);
    }
    if (g_str_equal(argv[1], "--version")) {
        puts("aiolab " AIOLAB_VERSION "\nMIT licence, see COPYING");
        return STATUS_OK;
    }
    command = find_command(argv[1]);
    if (!command) {
        cli_error("no command '%s'; 'aiolab --help' lists them", argv[1]);
        return STATUS_USAGE;
    }
    program = g_strconcat("aiolab ", command->name, NULL);
    g_set_prgname(program);
    return finish_output(command->run(argc - 1, argv + 1));
}
