/* SPDX-License-Identifier: MIT */
/* The side that starts a search and reads what it finds. */
#include "explorer-messages.h"

#include "qapi/error.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct Explorer {
    pid_t pid;
    FILE *in;
};

/* Beside this program where it is installed, and below it in a build folder. */
static char *find_program(const char *name, Error **errp)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *dir = self ? g_path_get_dirname(self) : g_strdup(".");
    const char *wanted = g_str_equal(name, "aiolab-explorer")
                             ? g_getenv("AIOLAB_EXPLORER") : NULL;
    char *paths[] = {
        wanted ? g_strdup(wanted) : g_build_filename(dir, name, NULL),
        g_build_filename(dir, "explorer", name, NULL),
    };
    unsigned found = !g_file_test(paths[0], G_FILE_TEST_IS_EXECUTABLE);

    if (!g_file_test(paths[found], G_FILE_TEST_IS_EXECUTABLE)) {
        error_setg(errp, "%s: cannot be run; it belongs beside the program "
                   "aiolab, build or install it again", paths[0]);
        g_free(paths[0]);
        g_free(paths[1]);
        return NULL;
    }
    g_free(paths[!found]);
    return paths[found];
}

static void become_explorer(const char *path, char **argv, int out)
{
    g_auto(GStrv) env = g_get_environ();

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* GLib's own caches would outlive what schedules put into them. */
    env = g_environ_setenv(env, "G_SLICE", "always-malloc", true);
    /* Or what a schedule has found out of symbols would be forgotten, too. */
    env = g_environ_setenv(env, "LD_BIND_NOW", "1", true);
    if (out != EXPLORER_FD) {
        dup2(out, EXPLORER_FD);
        close(out);
    }
    execve(path, argv, env);
    _exit(127);
}

Explorer *explorer_start(char **argv, Error **errp)
{
    g_autofree char *path = find_program(argv[0], errp);
    Explorer *explorer;
    int fds[2];

    if (!path) {
        return NULL;
    }
    fflush(NULL);
    if (pipe(fds) < 0) {
        error_setg_errno(errp, errno, "cannot make a pipe");
        return NULL;
    }
    explorer = g_new0(Explorer, 1);
    explorer->pid = fork();
    if (explorer->pid == 0) {
        close(fds[0]);
        become_explorer(path, argv, fds[1]);
    }
    close(fds[1]);
    explorer->in = fdopen(fds[0], "r");
    return explorer;
}

int explorer_fd(const Explorer *explorer)
{
    return fileno(explorer->in);
}

static bool flag(JsonObject *object, const char *name)
{
    return json_object_get_int_member_with_default(object, name, 0) != 0;
}

static void read_stats(JsonObject *o, SearchStats *stats)
{
    const char *stopped = json_object_get_string_member_with_default(
        o, "stopped", NULL);

    *stats = (SearchStats){
        .schedules = json_object_get_int_member(o, "schedules"),
        .steps = json_object_get_int_member(o, "steps"),
        .failing = json_object_get_int_member(o, "failing"),
        .endless = json_object_get_int_member(o, "endless"),
        .blocked = json_object_get_int_member(o, "blocked"),
        .classes = json_object_get_int_member(o, "classes"),
        .expected_trace = json_object_get_int_member(o, "trace"),
        .complete = flag(o, "complete"), .watched = flag(o, "watched"),
        .stopped = stopped ? g_intern_string(stopped) : NULL,
    };
}

/* True at the last message. */
static bool handle(JsonObject *o, const SearchListener *listener,
                   SearchStats *stats, Error **errp)
{
    if (json_object_has_member(o, "finding")) {
        Finding *finding = finding_from_json(
            json_object_get_object_member(o, "finding"));

        if (finding) {
            listener->finding(finding, listener->opaque);
        }
        finding_free(finding);
        return false;
    }
    if (json_object_has_member(o, "progress")) {
        read_stats(json_object_get_object_member(o, "progress"), stats);
        if (listener->progress) {
            listener->progress(stats, listener->opaque);
        }
        return false;
    }
    if (json_object_has_member(o, "error")) {
        error_setg(errp, "%s", json_object_get_string_member(o, "error"));
        return true;
    }
    read_stats(json_object_get_object_member(o, "end"), stats);
    return true;
}

bool explorer_read(Explorer *explorer, const SearchListener *listener,
                   SearchStats *stats, Error **errp)
{
    JsonParser *parser = json_parser_new();
    Error *err = NULL;
    char *line = NULL;
    size_t size = 0;
    bool ended = false;
    ssize_t n;

    while (!ended && (n = getline(&line, &size, explorer->in)) > 0) {
        if (json_parser_load_from_data(parser, line, n, NULL)) {
            JsonNode *root = json_parser_get_root(parser);

            ended = handle(json_node_get_object(root), listener, stats, &err);
        }
    }
    free(line);
    g_object_unref(parser);
    if (!ended) {
        int status = 0;

        waitpid(explorer->pid, &status, 0);
        explorer->pid = 0;
        error_setg(&err, "the search died (%s %d); --seed and --from repeat it",
                   WIFSIGNALED(status) ? "signal" : "status",
                   WIFSIGNALED(status) ? WTERMSIG(status)
                                       : WEXITSTATUS(status));
    }
    error_propagate(errp, err);
    return !err;
}

void explorer_free(Explorer *explorer)
{
    if (explorer) {
        fclose(explorer->in);
        if (explorer->pid) {
            kill(explorer->pid, SIGKILL);
            waitpid(explorer->pid, NULL, 0);
        }
        g_free(explorer);
    }
}
