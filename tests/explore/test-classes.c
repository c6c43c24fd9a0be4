/* SPDX-License-Identifier: MIT */
/*
 * How many classes of schedules tiny programs have, counted twice: by "aiolab
 * explore", and by a brute-force enumerator that shares nothing with it.
 *
 * The enumerator walks through all interleavings of a program whose threads
 * read and write words, notes for each step which earlier ones of other threads
 * it conflicts with, and counts the different notes.
 */
#include "program.h"
#include "testlib.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

enum { THREADS = 3, STEPS = 16 }; /* the main thread is 0 */

/* "wx ry": a thread writes x, and then reads y. */
static const char *const programs[][THREADS - 1] = {
    {"wx", "wx"},       {"wx", "rx"},       {"rx", "rx"},
    {"wx ry", "wy rx"}, {"wx wx", "wx"},    {"wx wy", "wy wx"},
    {"rx wx", "rx wx"}, {"wx ry", "ry wx"}, {"wx wy rx", "ry wx"},
};

/* ---- The enumerator ---- */

typedef struct Step {
    unsigned thread, number;
    char object; /* a word; '1', '2': the end of that thread */
    bool writes, ends; /* its thread, which the main thread joins */
} Step;

typedef struct Walk {
    const char *const *program;
    Step steps[STEPS * THREADS];
    unsigned n;
    unsigned at[THREADS]; /* the next operation of each */
    bool blocked, created[THREADS], ended[THREADS];
    GHashTable *classes;
} Walk;

static unsigned operations(const char *program)
{
    return (strlen(program) + 1) / 3;
}

static bool conflict(const Step *a, const Step *b)
{
    bool same_word = a->object && a->object == b->object &&
                     (a->writes || b->writes);

    return same_word || (a->ends && b->object == (char)('0' + a->thread)) ||
           (b->ends && a->object == (char)('0' + b->thread));
}

static int compare_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each step with those before it that it depends on, in a fixed order. */
static void note_class(Walk *w)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < w->n; i++) {
        GString *line = g_string_new(NULL);
        GPtrArray *before = g_ptr_array_new_with_free_func(g_free);

        for (unsigned j = 0; j < i; j++) {
            if (w->steps[j].thread != w->steps[i].thread &&
                conflict(&w->steps[j], &w->steps[i])) {
                g_ptr_array_add(before, g_strdup_printf(
                    " %u.%u", w->steps[j].thread, w->steps[j].number));
            }
        }
        g_ptr_array_sort(before, compare_text);
        g_string_append_printf(line, "%u.%u:", w->steps[i].thread,
                               w->steps[i].number);
        for (unsigned j = 0; j < before->len; j++) {
            g_string_append(line, g_ptr_array_index(before, j));
        }
        g_ptr_array_free(before, true);
        g_ptr_array_add(lines, g_string_free(line, false));
    }
    g_ptr_array_sort(lines, compare_text);
    for (unsigned i = 0; i < lines->len; i++) {
        g_string_append_printf(text, "%s\n",
                               (char *)g_ptr_array_index(lines, i));
    }
    g_ptr_array_free(lines, true);
    g_hash_table_add(w->classes, g_string_free(text, false));
}

/* The main thread creates the others, and then joins them in turn. */
static bool main_step(Walk *w, Step *step)
{
    unsigned at = w->at[0], joined = at - THREADS + 2;

    if (at < THREADS - 1) {
        w->created[at + 1] = true;
        w->at[0]++;
        return true;
    }
    if (joined == THREADS || (w->blocked && !w->ended[joined])) {
        return false;
    }
    step->object = '0' + joined;
    w->blocked = !w->ended[joined];
    w->at[0] += !w->blocked; /* when it is woken, it makes another step */
    return true;
}

/* First a step that does nothing but begin; the last operation also ends. */
static bool other_step(Walk *w, unsigned thread, Step *step)
{
    const char *program = w->program[thread - 1];
    unsigned at = w->at[thread];

    if (!w->created[thread] || w->ended[thread]) {
        return false;
    }
    if (at > 0) {
        step->writes = program[3 * (at - 1)] == 'w';
        step->object = program[3 * (at - 1) + 1];
    }
    w->at[thread]++;
    w->ended[thread] = step->ends = at == operations(program);
    return true;
}

static void walk(const Walk *before)
{
    bool any = false;

    for (unsigned thread = 0; thread < THREADS; thread++) {
        Walk w = *before;
        Step step = {.thread = thread};

        for (unsigned i = 0; i < w.n; i++) {
            step.number += w.steps[i].thread == thread;
        }
        if (thread ? other_step(&w, thread, &step) : main_step(&w, &step)) {
            w.steps[w.n++] = step;
            walk(&w);
            any = true;
        }
    }
    if (!any) {
        Walk w = *before;

        note_class(&w);
    }
}

static unsigned count_classes(const char *const *program)
{
    GHashTable *classes = g_hash_table_new_full(g_str_hash, g_str_equal,
                                                g_free, NULL);
    Walk w = {.program = program, .classes = classes};
    unsigned n;

    walk(&w);
    n = g_hash_table_size(classes);
    g_hash_table_destroy(classes);
    return n;
}

/* ---- The same program as a scenario ---- */

static void append_thread(GString *text, unsigned thread, const char *program)
{
    g_string_append_printf(text, "static void *thread%u(void *opaque)\n{\n",
                           thread);
    for (unsigned i = 0; i < operations(program); i++) {
        g_string_append_printf(
            text, program[3 * i] == 'w' ? "    qatomic_set(&%c, 1);\n"
                                        : "    qatomic_read(&%c);\n",
            program[3 * i + 1]);
    }
    g_string_append(text, "    return NULL;\n}\n\n");
}

static void write_scenario(const char *path, const char *const *program)
{
    GString *text = g_string_new("#include \"aiolab/scenario.h\"\n\n"
                                 "static int x, y;\n\n");

    for (unsigned i = 1; i < THREADS; i++) {
        append_thread(text, i, program[i - 1]);
    }
    g_string_append(text, "static void run(const ScenarioArgs *args)\n{\n"
                    "    QemuThread a, b;\n\n"
                    "    qemu_thread_create(&a, \"a\", thread1, NULL, "
                    "QEMU_THREAD_JOINABLE);\n"
                    "    qemu_thread_create(&b, \"b\", thread2, NULL, "
                    "QEMU_THREAD_JOINABLE);\n"
                    "    qemu_thread_join(&a);\n    qemu_thread_join(&b);\n}\n\n"
                    "SCENARIO(tiny) = {.name = \"tiny\", .summary = \"tiny\", "
                    ".run = run};\n");
    assert_true(g_file_set_contents(path, text->str, -1, NULL));
    g_string_free(text, true);
}

static int64_t explored_classes(const char *path, const char *strategy,
                                const char *option)
{
    ChildResult result = aiolab("explore", path, "--json", "-n", "200000",
                                strategy, option, NULL);
    JsonNode *node;
    JsonObject *object;
    int64_t classes;

    child_expect_status(&result, 0, path);
    node = json_from_string(result.out, NULL);
    assert_non_null(node);
    object = json_node_get_object(node);
    assert_true(json_object_get_boolean_member(object, "complete"));
    classes = json_object_get_int_member(object, "classes");
    json_node_unref(node);
    child_finish(&result);
    return classes;
}

static void test_classes(void **state)
{
    char *dir = test_dir_new();
    g_autofree char *path = g_build_filename(dir, "tiny.c", NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(programs); i++) {
        unsigned expected = count_classes(programs[i]);

        print_message("%-10s %-10s %u classes\n", programs[i][0],
                      programs[i][1], expected);
        write_scenario(path, programs[i]);
        assert_int_equal(explored_classes(path, "--strategy=dpor", NULL),
                         expected);
        assert_int_equal(explored_classes(path, "--strategy=dfs", NULL),
                         expected);
        assert_int_equal(explored_classes(path, "--strategy=dfs", "--plain"),
                         expected);
    }
    test_dir_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
