/* SPDX-License-Identifier: MIT */
/* Rules for programs: what was found, and saying it.  rules-check.c looks. */
#include "rules-internal.h"

const RuleInfo rule_table[RULE_MAX] = {
#define RULE(ID, name, bug, why) {name, bug, why},
#include "rules.def"
#undef RULE
};

static void free_finding(gpointer data)
{
    RuleFinding *finding = data;

    g_free(finding->what);
    g_free(finding);
}

Rules *rules_new(void)
{
    Rules *rules = g_new0(Rules, 1);

    rules->findings = g_ptr_array_new_with_free_func(free_finding);
    rules->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    rules->changes = g_array_new(false, true, sizeof(RuleChange));
    rules->drained = g_array_new(false, true, sizeof(RuleDrained));
    return rules;
}

void rules_free(Rules *rules)
{
    if (rules) {
        g_ptr_array_free(rules->findings, true);
        g_hash_table_destroy(rules->seen);
        g_array_free(rules->changes, true);
        g_array_free(rules->drained, true);
        g_free(rules);
    }
}

char *rules_signature(const RuleFinding *finding)
{
    return g_strdup_printf("%s: %s > %s", rule_table[finding->rule].name,
                           finding->first.func, finding->second.func);
}

void rules_add(Rules *rules, RuleId rule, char *what, const ProbeSite *first,
               uint64_t first_event, const ProbeSite *second,
               uint64_t second_event)
{
    RuleFinding finding = {
        .rule = rule, .what = what, .first = *first, .second = *second,
        .first_event = first_event, .second_event = second_event,
    };

    if (!g_hash_table_add(rules->seen, rules_signature(&finding))) {
        g_free(what);
        return;
    }
    g_ptr_array_add(rules->findings, g_memdup2(&finding, sizeof(finding)));
}

unsigned rules_count(const Rules *rules)
{
    return rules->findings->len;
}

const RuleFinding *rules_finding(const Rules *rules, unsigned index)
{
    return g_ptr_array_index(rules->findings, index);
}

static void append_place(GString *text, const char *which,
                         const ProbeSite *site, uint64_t event)
{
    g_string_append_printf(text, "  %-7s %s, %s:%d   event %" PRIu64 "\n",
                           which, site->func, site->file, site->line, event);
}

char *rules_report(const Rules *rules)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < rules->findings->len; i++) {
        const RuleFinding *finding = rules_finding(rules, i);
        const RuleInfo *info = &rule_table[finding->rule];

        g_string_append_printf(text, "RULE BROKEN  %s   (QEMU %s)\n  %s: %s\n",
                               info->name, info->bug, finding->what, info->why);
        append_place(text, "first", &finding->first, finding->first_event);
        append_place(text, "then", &finding->second, finding->second_event);
    }
    return g_string_free(text, false);
}

Rules *rules_of_session(const Session *session)
{
    Rules *rules = rules_new();
    Model *model = model_new();

    for (uint64_t n = 1; n <= session_count(session); n++) {
        ProbeEvent event = event_store_get(session->events, n);

        rules_apply(rules, &event, model);
        model_apply(model, &event);
    }
    if (session->end == SESSION_DONE) {
        rules_apply_end(rules, model);
    }
    model_free(model);
    return rules;
}
