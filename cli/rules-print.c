/* SPDX-License-Identifier: MIT */
/* Broken rules as text and as JSON. */
#include "rules-print.h"

#include "rules.h"

static void put_place(JsonBuilder *b, const char *name, const ProbeSite *site,
                      uint64_t event)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_object(b);
    cli_json_string(b, "function", site->func);
    cli_json_string(b, "file", site->file);
    cli_json_int(b, "line", site->line);
    cli_json_int(b, "event", event);
    json_builder_end_object(b);
}

static void put_rules(JsonBuilder *b, const Rules *rules)
{
    json_builder_set_member_name(b, "rules");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < rules_count(rules); i++) {
        const RuleFinding *finding = rules_finding(rules, i);
        const RuleInfo *info = &rule_table[finding->rule];

        json_builder_begin_object(b);
        cli_json_string(b, "rule", info->name);
        cli_json_string(b, "qemu", info->bug);
        cli_json_string(b, "what", finding->what);
        cli_json_string(b, "why", info->why);
        put_place(b, "first", &finding->first, finding->first_event);
        put_place(b, "then", &finding->second, finding->second_event);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

int rules_print(const Session *session, const CommonOptions *common,
                JsonBuilder *b, int status)
{
    Rules *rules = rules_of_session(session);
    bool any = rules_count(rules) > 0;
    g_autofree char *report = rules_report(rules);

    if (b) {
        put_rules(b, rules);
    } else if (any) {
        cli_print(common, "%s", report);
    }
    rules_free(rules);
    return any && status == STATUS_OK ? STATUS_FINDING : status;
}
