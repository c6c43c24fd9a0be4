/* SPDX-License-Identifier: MIT */
/* Units of work as text and as arguments; see unit.h. */
#include "unit.h"

#include "qapi/error.h"

Unit *unit_new(const char *scenario)
{
    Unit *unit = g_new0(Unit, 1);

    unit->scenario = g_strdup(scenario);
    unit->seed = 1;
    unit->max = UNIT_MAX;
    unit->max_steps = UNIT_MAX_STEPS;
    unit->shards = 1;
    unit->params = g_ptr_array_new_with_free_func(g_free);
    return unit;
}

void unit_free(Unit *unit)
{
    if (unit) {
        g_free(unit->scenario);
        g_free(unit->start);
        g_ptr_array_free(unit->params, true);
        g_free(unit);
    }
}

/* ---- Text ---- */

typedef struct NumberWord {
    const char *name;
    size_t offset;
} NumberWord;

static const NumberWord number_words[] = {
    {"seed", offsetof(Unit, seed)}, {"from", offsetof(Unit, from)},
    {"max", offsetof(Unit, max)}, {"max-steps", offsetof(Unit, max_steps)},
};

static uint64_t *number_field(const Unit *unit, unsigned i)
{
    return (uint64_t *)((char *)unit + number_words[i].offset);
}

static bool parse_number(Unit *unit, const char *name, const char *value)
{
    for (unsigned i = 0; i < ARRAY_SIZE(number_words); i++) {
        guint64 number;

        if (g_str_equal(name, number_words[i].name)) {
            if (!g_ascii_string_to_unsigned(value, 10, 0, UINT64_MAX, &number,
                                            NULL)) {
                return false;
            }
            *number_field(unit, i) = number;
            return true;
        }
    }
    return false;
}

static bool parse_shard(Unit *unit, const char *value)
{
    char end;

    return sscanf(value, "%u/%u%c", &unit->shard, &unit->shards, &end) == 2 &&
           unit->shard < unit->shards;
}

static bool parse_word(Unit *unit, const char *word, Error **errp)
{
    const char *equals = strchr(word, '=');
    g_autofree char *name = equals ? g_strndup(word, equals - word) : NULL;
    const char *value = equals ? equals + 1 : "";

    if (g_str_equal(word, "all")) {
        return unit->all = true;
    } else if (g_str_equal(word, "plain")) {
        return unit->plain = true;
    } else if (g_str_equal(word, "spurious")) {
        return unit->extras |= SIM_SPURIOUS;
    } else if (name && g_str_equal(name, "strategy")) {
        return strategy_parse(value, &unit->strategy, errp);
    } else if (name && g_str_equal(name, "memory")) {
        return extras_set_memory(&unit->extras, value, errp);
    } else if (name && g_str_equal(name, "faults")) {
        return extras_set_faults(&unit->extras, value, errp);
    } else if (name && g_str_equal(name, "shard")) {
        return parse_shard(unit, value);
    } else if (name && g_str_equal(name, "start")) {
        unit->start = g_strdup(value);
        return true;
    } else if (name && g_str_has_prefix(name, "p.")) {
        g_ptr_array_add(unit->params, g_strdup(word + 2));
        return true;
    }
    return name && parse_number(unit, name, value);
}

Unit *unit_parse(const char *line, Error **errp)
{
    g_auto(GStrv) words = NULL;
    GError *gerr = NULL;
    Error *err = NULL;
    Unit *unit;

    if (!g_shell_parse_argv(line, NULL, &words, &gerr)) {
        error_setg(errp, "unit '%s': %s", line, gerr->message);
        g_error_free(gerr);
        return NULL;
    }
    unit = unit_new(words[0]);
    for (char **word = words + 1; *word; word++) {
        if (!parse_word(unit, *word, &err)) {
            if (!err) {
                error_setg(&err, "unit '%s': '%s' is no part of one; 'aiolab "
                           "plan' prints units", line, *word);
            }
            error_propagate(errp, err);
            unit_free(unit);
            return NULL;
        }
    }
    return unit;
}

static void append_quoted(GString *text, const char *word)
{
    g_autofree char *quoted = strpbrk(word, " \t'\"\\$") ? g_shell_quote(word)
                                                         : g_strdup(word);

    g_string_append(text, quoted);
}

static void append_extras(GString *text, unsigned extras)
{
    g_autofree char *faults = extras_faults(extras);

    g_string_append(text, extras & SIM_STORE_BUFFERS ? " memory=tso" : "");
    g_string_append(text, extras & SIM_SPURIOUS ? " spurious" : "");
    if (faults) {
        g_string_append_printf(text, " faults=%s", faults);
    }
}

char *unit_text(const Unit *unit)
{
    static const Unit defaults = {
        .seed = 1, .max = UNIT_MAX, .max_steps = UNIT_MAX_STEPS,
    };
    g_autofree char *strategy = strategy_text(unit->strategy);
    GString *text = g_string_new(NULL);

    append_quoted(text, unit->scenario);
    g_string_append_printf(text, " strategy=%s", strategy);
    for (unsigned i = 0; i < ARRAY_SIZE(number_words); i++) {
        if (*number_field(unit, i) != *number_field(&defaults, i)) {
            g_string_append_printf(text, " %s=%" PRIu64, number_words[i].name,
                                   *number_field(unit, i));
        }
    }
    if (unit->shards > 1) {
        g_string_append_printf(text, " shard=%u/%u", unit->shard, unit->shards);
    }
    append_extras(text, unit->extras);
    g_string_append(text, unit->all ? " all" : "");
    g_string_append(text, unit->plain ? " plain" : "");
    if (unit->start) {
        g_string_append_printf(text, " start=%s", unit->start);
    }
    for (unsigned i = 0; i < unit->params->len; i++) {
        g_autofree char *word = g_strconcat(
            "p.", (char *)g_ptr_array_index(unit->params, i), NULL);

        g_string_append_c(text, ' ');
        append_quoted(text, word);
    }
    return g_string_free(text, false);
}

/* ---- Arguments ---- */

static void add_argument(GPtrArray *argv, const char *fmt, ...)
    G_GNUC_PRINTF_(2, 3);

static void add_argument(GPtrArray *argv, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_ptr_array_add(argv, g_strdup_vprintf(fmt, ap));
    va_end(ap);
}

char **unit_arguments(const Unit *unit)
{
    GPtrArray *argv = g_ptr_array_new();
    g_autofree char *strategy = strategy_text(unit->strategy);
    g_autofree char *faults = extras_faults(unit->extras);

    add_argument(argv, "aiolab-explorer");
    add_argument(argv, "--strategy=%s", strategy);
    for (unsigned i = 0; i < ARRAY_SIZE(number_words); i++) {
        add_argument(argv, "--%s=%" PRIu64, number_words[i].name,
                     *number_field(unit, i));
    }
    add_argument(argv, "--shard=%u/%u", unit->shard, unit->shards);
    if (unit->extras & SIM_STORE_BUFFERS) {
        add_argument(argv, "--memory=tso");
    }
    if (unit->extras & SIM_SPURIOUS) {
        add_argument(argv, "--spurious");
    }
    if (faults) {
        add_argument(argv, "--faults=%s", faults);
    }
    if (unit->all) {
        add_argument(argv, "--all");
    }
    if (unit->plain) {
        add_argument(argv, "--plain");
    }
    if (unit->start) {
        add_argument(argv, "--start=%s", unit->start);
    }
    for (unsigned i = 0; i < unit->params->len; i++) {
        add_argument(argv, "--param=%s",
                     (char *)g_ptr_array_index(unit->params, i));
    }
    add_argument(argv, "--");
    add_argument(argv, "%s", unit->scenario);
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, false);
}
