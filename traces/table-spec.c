/* SPDX-License-Identifier: MIT */
/* Reading the description of a table's columns. */
#include "table-spec.h"

typedef enum UnitGroup { UNIT_NONE, UNIT_TIME, UNIT_SIZE, UNIT_OP } UnitGroup;

static const struct {
    const char *name;
    UnitGroup group;
} fields[TABLE_FIELD_MAX] = {
#define X(ID, name, group, help) {name, UNIT_##group},
    TABLE_FIELDS(X)
#undef X
};

static const struct {
    UnitGroup group;
    TableUnit unit;
} units[] = {
#define X(group, name, scale, least, most, fraction, help) \
    {UNIT_##group, {name, scale, least, most, fraction}},
    TABLE_UNITS(X)
#undef X
};

static bool find_field(const char *name, TableField *field)
{
    for (unsigned i = 0; i < TABLE_FIELD_MAX; i++) {
        if (g_str_equal(fields[i].name, name)) {
            *field = i;
            return true;
        }
    }
    return false;
}

/* The group's unit called @name, or its first if that is NULL. */
static const TableUnit *find_unit(UnitGroup group, const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(units); i++) {
        if (units[i].group == group &&
            (!name || g_str_equal(units[i].unit.name, name))) {
            return &units[i].unit;
        }
    }
    return NULL;
}

static bool parse_column(TableSpec *spec, const char *text, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 2);
    unsigned n = spec->n++;
    TableField field;

    /* Nothing is split into nothing. */
    if (!parts[0] || !find_field(g_strstrip(parts[0]), &field)) {
        error_setg(errp, "columns: '%s' is none of -, time, queue, complete, "
                   "latency, op, offset, bytes, device, pid, comm, cpu", text);
        return false;
    }
    spec->columns[n].field = field;
    spec->columns[n].unit = find_unit(fields[field].group, parts[1]);
    if (!spec->columns[n].unit) {
        error_setg(errp, "columns: %s has no unit '%s'; docs/traces.md lists "
                   "them", parts[0], parts[1]);
        return false;
    }
    return true;
}

static bool has_field(const TableSpec *spec, TableField field)
{
    for (unsigned i = 0; i < spec->n; i++) {
        if (spec->columns[i].field == field) {
            return true;
        }
    }
    return false;
}

bool table_spec_parse(TableSpec *spec, const char *text, Error **errp)
{
    g_auto(GStrv) columns = g_strsplit(text, ",", 0);

    spec->n = 0;
    for (char **column = columns; *column; column++) {
        if (spec->n == TABLE_COLUMNS_MAX) {
            error_setg(errp, "columns: more than %d", TABLE_COLUMNS_MAX);
            return false;
        }
        if (!parse_column(spec, *column, errp)) {
            return false;
        }
    }
    if (!has_field(spec, TABLE_OP) || !has_field(spec, TABLE_OFFSET) ||
        !has_field(spec, TABLE_BYTES)) {
        error_setg(errp, "columns: op, offset and bytes must be among them");
        return false;
    }
    return true;
}
