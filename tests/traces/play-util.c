/* SPDX-License-Identifier: MIT */
/* What the tests of plays share; see play-util.h. */
#include "play-util.h"

#include "log.h"
#include "testlib.h"

char *play_dir;
static GPtrArray *names;

void play_begin(void)
{
    play_dir = test_dir_new();
    names = g_ptr_array_new_with_free_func(g_free);
}

void play_end(void)
{
    g_ptr_array_free(names, true);
    test_dir_free(play_dir);
}

const char *play_file(const char *name)
{
    char *path = g_build_filename(play_dir, name, NULL);

    g_ptr_array_add(names, path);
    return path;
}

static const char *import(const char *name, const char *text,
                          const char *columns)
{
    g_autofree char *source = g_strconcat(play_file(name), ".txt", NULL);
    const char *log = play_file(name);
    ChildResult result;

    assert_true(g_file_set_contents(source, text, -1, NULL));
    result = columns ? aiolab("import", "--columns", columns, source, "-o",
                              log, "-f", "-q", NULL)
                     : aiolab("import", source, "-o", log, "-f", "-q", NULL);
    child_expect_status(&result, 0, "import");
    child_finish(&result);
    return log;
}

const char *play_trace(const char *name, unsigned n, unsigned gap_us,
                       unsigned took_us, unsigned mib)
{
    g_autoptr(GString) text = g_string_new(NULL);
    uint32_t random = 12345;

    for (unsigned i = 0; i < n; i++) {
        random = random * 1664525 + 1013904223;
        g_string_append_printf(text, "%u,%u,%c,%u,4096,disk%u,%u\n", i * gap_us,
                               took_us, random >> 20 & 1 ? 'R' : 'W',
                               random % (mib << 8) * 4096, 0, 1 + i % 4);
    }
    return import(name, text->str,
                  "time:us,latency:us,op,offset,bytes,device,pid");
}

const char *play_trace_of(const char *name, const char *lines)
{
    g_autofree char *text = g_strconcat("fio version 3 iolog\n0 file add\n"
                                        "0 file open\n", lines, NULL);

    return import(name, text, NULL);
}

static ChildResult spawn(const char *arg, va_list ap)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();

    g_ptr_array_add(argv, (char *)g_getenv("AIOLAB"));
    g_ptr_array_add(argv, (char *)"play");
    for (; arg; arg = va_arg(ap, const char *)) {
        g_ptr_array_add(argv, (char *)arg);
    }
    g_ptr_array_add(argv, NULL);
    return child_spawn((const char *const *)argv->pdata, 0);
}

char *play(int status, const char *arg, ...)
{
    ChildResult result;
    va_list ap;
    char *out;

    va_start(ap, arg);
    result = spawn(arg, ap);
    va_end(ap);
    child_expect_status(&result, status, arg);
    out = g_strdup(result.out);
    child_finish(&result);
    return out;
}

char *play_error(int status, const char *arg, ...)
{
    ChildResult result;
    va_list ap;
    char *err;

    va_start(ap, arg);
    result = spawn(arg, ap);
    va_end(ap);
    child_expect_status(&result, status, arg);
    err = g_strdup(result.err);
    assert_true(g_str_has_prefix(err, "aiolab: "));
    assert_ptr_equal(strchr(err, '\n'), err + strlen(err) - 1);
    child_finish(&result);
    return err;
}

int64_t play_sql(const char *path, const char *sql)
{
    Error *err = NULL;
    Log *log = log_open(path, &err);
    g_autofree char *value = NULL;
    int64_t number;

    assert_non_null(log);
    value = log_query(log, sql, &err);
    if (err) {
        fail_msg("%s", error_get_pretty(err));
    }
    assert_non_null(value);
    number = g_ascii_strtoll(value, NULL, 10);
    log_close(log, NULL);
    return number;
}

const char *play_hash_line(const char *out)
{
    const char *line = strstr(out, "  hash ");

    assert_non_null(line);
    return line;
}
