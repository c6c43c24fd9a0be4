/* SPDX-License-Identifier: MIT */
/* Words for what a machine may do; see extras.h. */
#include "extras.h"

bool extras_set_memory(unsigned *extras, const char *model, Error **errp)
{
    if (!model || g_str_equal(model, "sc")) {
        *extras &= ~SIM_STORE_BUFFERS;
    } else if (g_str_equal(model, "tso")) {
        *extras |= SIM_STORE_BUFFERS;
    } else {
        error_setg(errp, "--memory: '%s' is neither sc nor tso", model);
        return false;
    }
    return true;
}

static unsigned fault_by_name(const char *name)
{
    for (unsigned i = 0; i < SIM_FAULTS; i++) {
        if (g_str_equal(sim_fault_names[i], name)) {
            return SIM_FAULT(i);
        }
    }
    return 0;
}

bool extras_set_faults(unsigned *extras, const char *list, Error **errp)
{
    g_auto(GStrv) names = g_strsplit(list ? list : "", ",", 0);

    for (char **name = names; *name; name++) {
        unsigned fault = fault_by_name(*name);

        if (!fault) {
            error_setg(errp, "--faults: '%s' is none of short, again, eio",
                       *name);
            return false;
        }
        *extras |= fault;
    }
    return true;
}

bool extras_parse(const ExtrasOptions *o, unsigned *extras, Error **errp)
{
    *extras = o->spurious ? SIM_SPURIOUS : 0;
    return extras_set_memory(extras, o->memory, errp) &&
           extras_set_faults(extras, o->faults, errp);
}

char *extras_faults(unsigned extras)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < SIM_FAULTS; i++) {
        if (extras & SIM_FAULT(i)) {
            g_string_append_printf(text, "%s%s", text->len ? "," : "",
                                   sim_fault_names[i]);
        }
    }
    return g_string_free(text, text->len == 0);
}
