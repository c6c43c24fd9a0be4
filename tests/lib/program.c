/* SPDX-License-Identifier: MIT */
/*
 * Calls of the built program; see program.h.
 *
 * When it is built with AddressSanitizer, leaks are looked for in commands
 * that read logs, not in those that take a scenario's options: these keep the
 * options until the process ends.
 */
#include "program.h"

#include "testlib.h"

static ChildResult spawn(unsigned seconds, const char *arg, va_list ap)
{
    GPtrArray *argv = g_ptr_array_new();
    const char *exe = g_getenv("AIOLAB");
    ChildResult result;

    if (!exe) {
        fail_msg("AIOLAB must be the path of the program under test");
    }
    g_ptr_array_add(argv, (char *)exe);
    for (; arg; arg = va_arg(ap, const char *)) {
        g_ptr_array_add(argv, (char *)arg);
    }
    g_ptr_array_add(argv, NULL);
    if (g_str_equal(argv->pdata[1], "record")) {
        g_setenv("ASAN_OPTIONS", "detect_leaks=0", true);
    } else {
        g_unsetenv("ASAN_OPTIONS");
    }
    result = child_spawn((const char *const *)argv->pdata, seconds);
    g_ptr_array_free(argv, true);
    return result;
}

ChildResult aiolab(const char *arg, ...)
{
    ChildResult result;
    va_list ap;

    va_start(ap, arg);
    result = spawn(0, arg, ap);
    va_end(ap);
    return result;
}

ChildResult aiolab_limited(unsigned seconds, const char *arg, ...)
{
    ChildResult result;
    va_list ap;

    va_start(ap, arg);
    result = spawn(seconds, arg, ap);
    va_end(ap);
    return result;
}

char *new_image(const char *dir, size_t size)
{
    char *path = g_build_filename(dir, "disk.img", NULL);
    g_autofree char *data = g_malloc(size);

    for (size_t i = 0; i < size; i++) {
        data[i] = i / 512 * 7 + i;
    }
    if (!g_file_set_contents(path, data, size, NULL)) {
        fail_msg("cannot write %s", path);
    }
    return path;
}

void expect_identical(const char *log, const char *what)
{
    ChildResult result = aiolab("replay", log, NULL);

    child_expect_ok(&result, what);
    if (!g_str_has_prefix(result.out, "identical: ") || *result.err) {
        fail_msg("%s: the replay says %s%s", what, result.out, result.err);
    }
    child_finish(&result);
}
