/* SPDX-License-Identifier: MIT */
/* From a name, or from a log, to something that can be run. */
#include "run.h"

#include "aiolab-paths.h"

#include "thread-locals.h"

#include <dlfcn.h>
#include <glib/gstdio.h>
#include <unistd.h>

ScenarioLookup *run_lookup;
const char *const *run_compiler_flags;

/* ---- A user's own file ---- */

static void add_words(GPtrArray *argv, const char *const *words)
{
    for (; words && *words; words++) {
        g_ptr_array_add(argv, (char *)*words);
    }
}

/* @quiet: the compiler's warnings have been seen before. */
static bool run_compiler(const char *source, GPtrArray *argv, bool quiet,
                         Error **errp)
{
    g_autofree char *messages = NULL;
    GError *gerr = NULL;
    int status = 0;

    g_ptr_array_add(argv, NULL);
    if (!g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_SEARCH_PATH,
                      NULL, NULL, NULL, &messages, &status, &gerr)) {
        error_setg(errp, "%s: cannot run the compiler (%s); install one, or "
                   "set CC", source, gerr->message);
        g_error_free(gerr);
        return false;
    }
    if (messages && *messages && (status || !quiet)) {
        fputs(messages, stderr);
    }
    if (status) {
        error_setg(errp, "%s: does not compile; see the messages above",
                   source);
        return false;
    }
    return true;
}

/* In two steps, because flags of the compiler may mean more to the linker. */
static bool compile(const char *source, const char *output, bool quiet,
                    Error **errp)
{
    g_autofree char *include = g_strdup(g_getenv("AIOLAB_INCLUDE")
                                        ? g_getenv("AIOLAB_INCLUDE")
                                        : AIOLAB_INCLUDE_DIR);
    g_autofree char *object = g_strconcat(output, ".o", NULL);
    g_autofree char *cflags = NULL;
    g_auto(GStrv) glib_flags = NULL;
    g_autoptr(GPtrArray) compile_argv = g_ptr_array_new();
    g_autoptr(GPtrArray) link_argv = g_ptr_array_new();
    const char *cc = g_getenv("CC") ? g_getenv("CC") : "cc";
    bool ok;

    if (!g_spawn_command_line_sync("pkg-config --cflags glib-2.0", &cflags,
                                   NULL, NULL, NULL) ||
        !g_shell_parse_argv(cflags, NULL, &glib_flags, NULL)) {
        glib_flags = g_new0(char *, 1);
    }
    add_words(compile_argv, (const char *const[]){
        cc, "-c", "-fPIC", "-g", "-O1", "-Wall", "-std=gnu11",
        "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls", "-I",
        include, "-o", object, source, NULL});
    add_words(compile_argv, (const char *const *)glib_flags);
    add_words(compile_argv, run_compiler_flags);
    add_words(link_argv, (const char *const[]){
        cc, "-shared", "-o", output, object, NULL});
    ok = run_compiler(source, compile_argv, quiet, errp) &&
         run_compiler(source, link_argv, quiet, errp);
    g_unlink(object);
    return ok;
}

/* The object stays loaded as long as the program runs. */
static const Scenario *load_object(const char *path, const char *shown,
                                   Error **errp)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    void *object = dlopen(absolute, RTLD_NOW | RTLD_LOCAL);
    const Scenario *const *scenario;

    if (!object) {
        error_setg(errp, "%s: cannot be loaded: %s", shown, dlerror());
        return NULL;
    }
    scenario = dlsym(object, "aiolab_user_scenario");
    if (!scenario || !*scenario || !(*scenario)->run || !(*scenario)->name) {
        error_setg(errp, "%s: defines no scenario; end it with SCENARIO(name) "
                   "= {.name = ..., .run = ...}", shown);
        return NULL;
    }
    thread_locals_add((const void *)(*scenario)->run);
    return *scenario;
}

static GPtrArray *objects; /* compiled, of char * */
static pid_t objects_owner;

static void remove_objects(void)
{
    for (unsigned i = 0; objects_owner == getpid() && i < objects->len; i++) {
        const char *object = g_ptr_array_index(objects, i);
        g_autofree char *dir = g_path_get_dirname(object);

        g_unlink(object);
        g_rmdir(dir);
    }
}

/* Until we exit: a backtrace reads its functions' names from the file. */
static void remove_at_exit(char *object)
{
    if (!objects) {
        objects = g_ptr_array_new_with_free_func(g_free);
        objects_owner = getpid();
        atexit(remove_objects);
    }
    g_ptr_array_add(objects, object);
}

static const Scenario *load_source(const char *source, bool quiet,
                                   Error **errp)
{
    g_autofree char *dir = g_dir_make_tmp("aiolab-XXXXXX", NULL);
    g_autofree char *object = dir ? g_build_filename(dir, "scenario.so", NULL)
                                  : NULL;
    const Scenario *scenario = NULL;

    if (!dir) {
        error_setg(errp, "cannot make a temporary directory; set TMPDIR");
        return NULL;
    }
    if (compile(source, object, quiet, errp)) {
        scenario = load_object(object, source, errp);
    }
    remove_at_exit(g_steal_pointer(&object));
    return scenario;
}

/* Splits "file.c/variant" behind the suffix; NULL if there is no suffix. */
static char *split_file(const char *name, const char *suffix, char **variant)
{
    const char *at = g_strrstr(name, suffix);
    const char *end = at ? at + strlen(suffix) : NULL;

    if (!at || (*end && *end != '/')) {
        return NULL;
    }
    *variant = *end ? g_strdup(end + 1) : NULL;
    return g_strndup(name, end - name);
}

static ScenarioSpec *spec_from_file(const char *file, const char *variant,
                                    bool source, bool quiet, Error **errp)
{
    const Scenario *scenario;
    ScenarioSpec *spec;

    if (!g_file_test(file, G_FILE_TEST_EXISTS)) {
        error_setg(errp, "%s: no such file", file);
        return NULL;
    }
    scenario = source ? load_source(file, quiet, errp)
                      : load_object(file, file, errp);
    spec = scenario ? scenario_spec_new(scenario, variant, errp) : NULL;
    if (spec) {
        spec->source = g_canonicalize_filename(file, NULL);
    }
    return spec;
}

ScenarioSpec *run_spec_from_name(const char *name, Error **errp)
{
    g_autofree char *variant = NULL;
    g_autofree char *file = split_file(name, ".c", &variant);
    g_auto(GStrv) parts = NULL;
    const Scenario *scenario;

    if (file) {
        return spec_from_file(file, variant, true, false, errp);
    }
    file = split_file(name, ".so", &variant);
    if (file) {
        return spec_from_file(file, variant, false, false, errp);
    }
    parts = g_strsplit(name, "/", 2);
    scenario = parts[0] && run_lookup ? run_lookup(parts[0]) : NULL;
    if (!scenario) {
        error_setg(errp, "no scenario '%s'; 'aiolab scenarios' lists them, and "
                   "a .c file of yours is one too", name);
        return NULL;
    }
    return scenario_spec_new(scenario, parts[1], errp);
}

/* ---- A log ---- */

static void set_param(const char *name, const char *value, void *opaque)
{
    ScenarioSpec *spec = opaque;
    g_autofree char *assignment = NULL;

    if (g_str_has_prefix(name, "param.")) {
        assignment = g_strconcat(name + strlen("param."), "=", value, NULL);
        scenario_spec_set(spec, assignment, NULL);
    }
}

char *run_source_digest(const char *path)
{
    g_autofree char *text = NULL;
    size_t len;

    if (!g_file_get_contents(path, &text, &len, NULL)) {
        return g_strdup("");
    }
    return g_strdup_printf("%016" PRIx64, content_hash(text, len));
}

/* A log does not run a file that is not the one that was recorded. */
static bool is_same_source(Log *log, const char *source, Error **errp)
{
    g_autofree char *digest = run_source_digest(source);

    if (!*digest) {
        error_setg(errp, "%s: its scenario %s cannot be read; put it back",
                   log_path(log), source);
        return false;
    }
    if (g_strcmp0(digest, log_meta(log, "source.digest")) != 0) {
        error_setg(errp, "%s: its scenario %s has changed since the recording; "
                   "put it back, or record again", log_path(log), source);
        return false;
    }
    return true;
}

/* What the scenario has read is in the recording, which may have moved. */
static void use_own_log(ScenarioSpec *spec, Log *log)
{
    if (spec->scenario->own_log && log_meta(log, "trace.records")) {
        g_autofree char *assignment = g_strconcat(
            spec->scenario->own_log, "=", log_path(log), NULL);

        scenario_spec_set(spec, assignment, NULL);
    }
}

ScenarioSpec *run_spec_from_log(Log *log, Error **errp)
{
    const char *name = log_meta(log, "scenario");
    const char *source = log_meta(log, "source");
    const char *slash = name ? strchr(name, '/') : NULL;
    ScenarioSpec *spec;

    if (log_inputs_let_go(log)) {
        error_setg(errp, "%s: holds only the last %" PRId64 " inputs of a run, "
                   "so it cannot be replayed; 'aiolab index' makes the table "
                   "input of them, for SQL", log_path(log),
                   log_meta_int(log, "inputs", 0));
        return NULL;
    }
    if (!name && log_meta(log, "trace.records")) {
        error_setg(errp, "%s: is a captured trace, so there is no program to "
                   "run again; 'aiolab report' says what it holds",
                   log_path(log));
        return NULL;
    }
    if (!name) {
        error_setg(errp, "%s: damaged log (it does not say which scenario it "
                   "is of)", log_path(log));
        return NULL;
    }
    if (source) {
        if (!is_same_source(log, source, errp)) {
            return NULL;
        }
        /* A variant stands behind the last slash of the scenario's name. */
        spec = spec_from_file(source, slash ? slash + 1 : NULL,
                              g_str_has_suffix(source, ".c"), true, errp);
    } else {
        spec = run_spec_from_name(name, errp);
    }
    if (spec) {
        log_foreach_meta(log, set_param, spec);
        use_own_log(spec, log);
    } else {
        error_prepend(errp, "%s: cannot run its scenario again: ",
                      log_path(log));
    }
    return spec;
}
