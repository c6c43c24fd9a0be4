/* SPDX-License-Identifier: MIT */
/* Reading lessons: front matter by hand, the rest by md4c. */
#include "lesson.h"

#include "aiolab-paths.h"

#include <md4c.h>

static const struct {
    const char *word;
    ItemKind kind;
    const char *required[6];
} blocks[] = {
    {"scenario", ITEM_SCENARIO, {"run"}},
    {"step", ITEM_STEP, {"until", "say"}},
    {"predict", ITEM_PREDICT, {"ask", "choose", "answer", "from", "why"}},
    {"break", ITEM_BREAK, {"run", "goal", "ask", "solution"}},
    {"fix", ITEM_FIX, {"file", "solution", "task"}},
};

static const char *const optional_fields[] = {"wrong", "hint", "params"};

/* ---- Items ---- */

static void item_free(gpointer data)
{
    LessonItem *item = data;

    g_free(item->text);
    g_hash_table_destroy(item->fields);
    g_ptr_array_free(item->hints, true);
    g_strfreev(item->choices);
    g_free(item);
}

static LessonItem *item_new(ItemKind kind, const char *text)
{
    LessonItem *item = g_new0(LessonItem, 1);

    item->kind = kind;
    item->text = g_strdup(text);
    item->fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                         g_free);
    item->hints = g_ptr_array_new_with_free_func(g_free);
    return item;
}

const char *item_field(const LessonItem *item, const char *name)
{
    return g_hash_table_lookup(item->fields, name);
}

/* ---- Blocks ---- */

static bool is_known_field(unsigned block, const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(blocks[block].required); i++) {
        if (g_strcmp0(blocks[block].required[i], name) == 0) {
            return true;
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(optional_fields); i++) {
        if (g_str_has_prefix(name, optional_fields[i])) {
            return true;
        }
    }
    return false;
}

static bool parse_field(unsigned block, LessonItem *item, const char *line,
                        const char *path, Error **errp)
{
    const char *colon = strstr(line, ": ");
    g_autofree char *name = colon ? g_strndup(line, colon - line) : NULL;

    if (!colon || !is_known_field(block, name)) {
        error_setg(errp, "%s: in a block '%s': '%s' is no field of it", path,
                   blocks[block].word, line);
        return false;
    }
    if (g_str_equal(name, "hint")) {
        g_ptr_array_add(item->hints, g_strdup(colon + 2));
    } else {
        g_hash_table_insert(item->fields, g_steal_pointer(&name),
                            g_strdup(colon + 2));
    }
    return true;
}

static void split_choices(LessonItem *item)
{
    const char *text = item_field(item, "choose");

    item->choices = g_strsplit(text, "|", 0);
    for (char **choice = item->choices; *choice; choice++) {
        g_strstrip(*choice);
    }
}

static LessonItem *parse_block(unsigned block, const char *text,
                               const char *path, Error **errp)
{
    LessonItem *item = item_new(blocks[block].kind, text);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);

    for (char **line = lines; *line; line++) {
        if (**line && !parse_field(block, item, *line, path, errp)) {
            item_free(item);
            return NULL;
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(blocks[block].required) &&
                         blocks[block].required[i]; i++) {
        if (!item_field(item, blocks[block].required[i])) {
            error_setg(errp, "%s: a block '%s' has no field '%s'", path,
                       blocks[block].word, blocks[block].required[i]);
            item_free(item);
            return NULL;
        }
    }
    if (item->kind == ITEM_PREDICT) {
        split_choices(item);
    }
    return item;
}

/* ---- md4c's callbacks ---- */

typedef struct Parser {
    Lesson *lesson;
    const char *path;
    GString *text;   /* of the paragraph or block that is open */
    char *info;      /* of a code block */
    bool failed;
    Error **errp;
} Parser;

static int find_block(const char *word)
{
    for (unsigned i = 0; i < ARRAY_SIZE(blocks); i++) {
        if (g_strcmp0(blocks[i].word, word) == 0) {
            return i;
        }
    }
    return -1;
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *opaque)
{
    Parser *parser = opaque;

    g_string_truncate(parser->text, 0);
    if (type == MD_BLOCK_CODE) {
        MD_BLOCK_CODE_DETAIL *code = detail;

        g_free(parser->info);
        parser->info = g_strndup(code->info.text ? code->info.text : "",
                                 code->info.size);
    }
    return 0;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *opaque)
{
    Parser *parser = opaque;
    LessonItem *item = NULL;
    int block;

    if (parser->failed) {
        return 1; /* the first error is the one to tell */
    }
    if (type == MD_BLOCK_P || type == MD_BLOCK_H) {
        item = item_new(ITEM_TEXT, parser->text->str);
    } else if (type == MD_BLOCK_CODE) {
        block = find_block(parser->info);
        item = block < 0 ? item_new(ITEM_TEXT, parser->text->str)
                         : parse_block(block, parser->text->str, parser->path,
                                       parser->errp);
        if (!item) {
            parser->failed = true; /* md4c would go on: see the caller */
            return 1;
        }
    }
    if (item) {
        g_ptr_array_add(parser->lesson->items, item);
        g_string_truncate(parser->text, 0);
    }
    return 0;
}

/* Code keeps its marks, emphasis loses them: a terminal shows it as text. */
static int enter_span(MD_SPANTYPE type, void *detail, void *opaque)
{
    Parser *parser = opaque;

    if (type == MD_SPAN_CODE) {
        g_string_append_c(parser->text, '`');
    }
    return 0;
}

static int text(MD_TEXTTYPE type, const MD_CHAR *chars, MD_SIZE size,
                void *opaque)
{
    Parser *parser = opaque;

    if (type == MD_TEXT_SOFTBR || type == MD_TEXT_BR) {
        g_string_append_c(parser->text, ' ');
    } else {
        g_string_append_len(parser->text, chars, size);
    }
    return 0;
}

/* ---- Front matter ---- */

/* Takes the lines between the two "---"; returns what follows, or NULL. */
static const char *parse_front(Lesson *lesson, const char *path,
                               const char *text, Error **errp)
{
    const char *end = g_str_has_prefix(text, "---\n")
                          ? strstr(text + 4, "\n---\n") : NULL;
    g_autofree char *front = end ? g_strndup(text + 4, end - text - 4) : NULL;
    g_auto(GStrv) lines = front ? g_strsplit(front, "\n", 0) : NULL;

    for (char **line = lines; line && *line; line++) {
        char *colon = strstr(*line, ": ");
        const char *value = colon ? colon + 2 : "";

        if (g_str_has_prefix(*line, "id: ")) {
            lesson->id = g_strdup(value);
        } else if (g_str_has_prefix(*line, "title: ")) {
            lesson->title = g_strdup(value);
        } else if (g_str_has_prefix(*line, "qemu: ")) {
            lesson->qemu = g_strdup(value);
        } else if (g_str_has_prefix(*line, "minutes: ")) {
            lesson->minutes = atoi(value);
        } else {
            error_setg(errp, "%s: '%s' is not known in the front matter", path,
                       *line);
            return NULL;
        }
    }
    if (!lesson->id || !lesson->title) {
        error_setg(errp, "%s: begins with no front matter that gives id and "
                   "title", path);
        return NULL;
    }
    return end + 5;
}

Lesson *lesson_parse(const char *path, const char *source, Error **errp)
{
    Lesson *lesson = g_new0(Lesson, 1);
    Parser parser = {
        .lesson = lesson, .path = path, .text = g_string_new(NULL),
        .errp = errp,
    };
    MD_PARSER md = {
        .enter_block = enter_block, .leave_block = leave_block,
        .enter_span = enter_span, .leave_span = enter_span, .text = text,
    };
    const char *body;

    lesson->items = g_ptr_array_new_with_free_func(item_free);
    lesson->dir = g_path_get_dirname(path);
    body = parse_front(lesson, path, source, errp);
    if (!body || md_parse(body, strlen(body), &md, &parser) || parser.failed) {
        lesson_free(lesson);
        lesson = NULL;
    }
    g_string_free(parser.text, true);
    g_free(parser.info);
    return lesson;
}

/* ---- Files ---- */

const char *lessons_dir(void)
{
    const char *dir = g_getenv("AIOLAB_LESSONS");

    return dir ? dir : AIOLAB_SOURCE_DIR "/lessons";
}

GPtrArray *lesson_ids(Error **errp)
{
    g_autofree char *path = g_build_filename(lessons_dir(), "index", NULL);
    g_autofree char *list = NULL;
    g_auto(GStrv) lines = NULL;
    GPtrArray *ids;

    if (!g_file_get_contents(path, &list, NULL, NULL)) {
        error_setg(errp, "%s: cannot be read; set AIOLAB_LESSONS to the folder "
                   "of the lessons", path);
        return NULL;
    }
    ids = g_ptr_array_new_with_free_func(g_free);
    lines = g_strsplit(list, "\n", 0);
    for (char **line = lines; *line; line++) {
        if (**line) {
            g_ptr_array_add(ids, g_strdup(*line));
        }
    }
    return ids;
}

Lesson *lesson_load(const char *id, Error **errp)
{
    g_autofree char *path = g_build_filename(lessons_dir(), id, "lesson.md",
                                             NULL);
    g_autofree char *source = NULL;

    if (strchr(id, '/') || !g_file_get_contents(path, &source, NULL, NULL)) {
        error_setg(errp, "no lesson '%s'; 'aiolab lessons' lists them", id);
        return NULL;
    }
    return lesson_parse(path, source, errp);
}

void lesson_free(Lesson *lesson)
{
    if (lesson) {
        g_ptr_array_free(lesson->items, true);
        g_free(lesson->id);
        g_free(lesson->title);
        g_free(lesson->dir);
        g_free(lesson->qemu);
        g_free(lesson);
    }
}
