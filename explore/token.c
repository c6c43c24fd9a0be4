/* SPDX-License-Identifier: MIT */
/*
 * Schedules in a line, to be copied from a report into a command or a mail.
 *
 *   aio1-nested-laio.buggy-5f3c-0a1f2p
 *
 * Behind the name stand four hexadecimal digits of what the schedule belongs
 * to: the version, the scenario, its parameters.  The last part is the
 * schedule in base 32: sixteen bits of what the run was asked, what the machine
 * may do beyond the ordinary (SIM_...), and then each deviation as three
 * variable-length numbers.  So a token of another version is
 * refused, and one that leads elsewhere is noticed.
 */
#include "schedule.h"

#include "qapi/error.h"

enum { KIND_BITS = 3 };

QEMU_BUILD_BUG_ON(CHOICE_KIND_MAX > 1 << KIND_BITS);

/* Crockford's digits: none looks like another one. */
static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

static void put_number(GByteArray *bytes, uint64_t n)
{
    do {
        uint8_t byte = n & 127;

        n >>= 7;
        byte |= n ? 128 : 0;
        g_byte_array_append(bytes, &byte, 1);
    } while (n);
}

static bool take_number(const GByteArray *bytes, unsigned *at, uint64_t *n)
{
    unsigned shift = 0;

    for (*n = 0; *at < bytes->len && shift < 64; shift += 7) {
        uint8_t byte = bytes->data[(*at)++];

        *n |= (uint64_t)(byte & 127) << shift;
        if (!(byte & 128)) {
            return true;
        }
    }
    return false;
}

static void append_base32(GString *text, const GByteArray *bytes)
{
    unsigned bits = 0;
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes->len; i++) {
        value = value << 8 | bytes->data[i];
        for (bits += 8; bits >= 5; bits -= 5) {
            g_string_append_c(text, digits[value >> (bits - 5) & 31]);
        }
    }
    if (bits) {
        g_string_append_c(text, digits[value << (5 - bits) & 31]);
    }
}

static GByteArray *from_base32(const char *text)
{
    GByteArray *bytes = g_byte_array_new();
    unsigned bits = 0;
    uint32_t value = 0;

    for (; *text; text++) {
        const char *digit = strchr(digits, g_ascii_tolower(*text));

        if (!digit) {
            g_byte_array_unref(bytes);
            return NULL;
        }
        value = value << 5 | (digit - digits);
        bits += 5;
        if (bits >= 8) {
            uint8_t byte = value >> (bits - 8);

            bits -= 8;
            g_byte_array_append(bytes, &byte, 1);
        }
    }
    return bytes;
}

uint16_t schedule_short_digest(uint64_t digest)
{
    return digest ^ digest >> 16 ^ digest >> 32 ^ digest >> 48;
}

/* An object's name has its creator in the upper half; most are small there. */
static uint64_t fold_name(uint64_t id)
{
    return (id & UINT32_MAX) << 8 | (id >> 32 & 255) | id >> 40 << 40;
}

static uint64_t unfold_name(uint64_t folded)
{
    return folded >> 40 << 40 | (folded & 255) << 32 |
           (folded >> 8 & UINT32_MAX);
}

static bool names_an_object(ChoiceKind kind)
{
    return kind == CHOICE_BATCH || kind == CHOICE_REQUEST ||
           kind == CHOICE_FAULT;
}

char *schedule_token(const Schedule *schedule, const ScheduleOwner *owner,
                     uint64_t trace)
{
    GByteArray *bytes = g_byte_array_new();
    GString *text = g_string_new("aio1-");
    uint16_t check = schedule_short_digest(trace);

    for (const char *p = owner->scenario; *p; p++) {
        g_string_append_c(text, *p == '/' ? '.' : *p);
    }
    g_byte_array_append(bytes, (uint8_t[]){check >> 8, check}, 2);
    put_number(bytes, owner->extras);
    for (unsigned i = 0; i < schedule_length(schedule); i++) {
        const Deviation *d = schedule_at(schedule, i);
        bool object = names_an_object(d->kind);

        put_number(bytes, (uint64_t)d->ordinal << KIND_BITS | d->kind);
        put_number(bytes, object ? fold_name(d->object) : d->object);
        put_number(bytes, d->kind == CHOICE_REQUEST ? fold_name(d->value)
                                                    : d->value);
    }
    g_string_append_printf(text, "-%04x-",
                           schedule_short_digest(owner->identity));
    append_base32(text, bytes);
    g_byte_array_unref(bytes);
    return g_string_free(text, false);
}

static Schedule *take_deviations(const GByteArray *bytes, TokenParts *parts)
{
    Schedule *schedule = schedule_new();
    unsigned at = 2;
    uint64_t head, object, value, extras;

    if (bytes->len < 2 || !take_number(bytes, &at, &extras) ||
        extras >= SIM_EXTRAS_END) {
        schedule_free(schedule);
        return NULL;
    }
    parts->trace = bytes->data[0] << 8 | bytes->data[1];
    parts->extras = extras;
    while (at < bytes->len) {
        Deviation d;

        if (!take_number(bytes, &at, &head) ||
            !take_number(bytes, &at, &object) ||
            !take_number(bytes, &at, &value)) {
            schedule_free(schedule);
            return NULL;
        }
        d = (Deviation){head & ((1 << KIND_BITS) - 1), object,
                        head >> KIND_BITS, value};
        if (d.kind >= CHOICE_KIND_MAX) {
            schedule_free(schedule);
            return NULL;
        }
        d.object = names_an_object(d.kind) ? unfold_name(object) : object;
        d.value = d.kind == CHOICE_REQUEST ? unfold_name(value) : value;
        schedule_add(schedule, &d);
    }
    return schedule;
}

Schedule *schedule_from_token(const char *token, TokenParts *parts,
                              Error **errp)
{
    const char *last = strrchr(token, '-');
    const char *hash = last ? g_strrstr_len(token, last - token, "-") : NULL;
    GByteArray *bytes = NULL;
    Schedule *schedule = NULL;
    char *end;

    *parts = (TokenParts){.name = NULL};
    if (g_str_has_prefix(token, "aio1-") && hash && hash > token + 5 &&
        last - hash == 5) {
        parts->identity = strtoul(hash + 1, &end, 16);
        bytes = end == last ? from_base32(last + 1) : NULL;
    }
    schedule = bytes ? take_deviations(bytes, parts) : NULL;
    if (bytes) {
        g_byte_array_unref(bytes);
    }
    if (!schedule) {
        error_setg(errp, "'%s' is no schedule; it looks like "
                   "aio1-SCENARIO-1a2b-3c4d, and 'aiolab explore' prints them",
                   token);
        return NULL;
    }
    parts->name = g_strndup(token + 5, hash - token - 5);
    return schedule;
}

/* Of a context's ring, of a linux-aio queue, or of a thread's own. */
static char *fault_text(const Deviation *d)
{
    const char *fault = d->value && d->value <= SIM_FAULTS
                            ? sim_fault_names[d->value - 1] : "none";

    return d->object >> 32
               ? g_strdup_printf("a request of %" PRIu64 ".%" PRIu64 " fails "
                                 "(%s), at choice %u of its faults",
                                 d->object >> 32, d->object & UINT32_MAX,
                                 fault, d->ordinal)
               : g_strdup_printf("a request of thread %" PRIu64 " fails (%s), "
                                 "at choice %u of its faults", d->object,
                                 fault, d->ordinal);
}

char *deviation_text(const Deviation *d)
{
    switch (d->kind) {
    case CHOICE_THREAD:
        return d->value ? g_strdup_printf(
                   "thread %" PRIu64 " lets thread %" PRIu64 " go first, at "
                   "its choice %u", d->object, d->value, d->ordinal)
             : g_strdup_printf(
                   "time passes while thread %" PRIu64 " could run, at its "
                   "choice %u", d->object, d->ordinal);
    case CHOICE_BATCH:
        return g_strdup_printf("the wait of context %" PRIu64 ".%" PRIu64
                               " takes %" PRIu64 " of what is complete, at "
                               "its choice %u", d->object >> 32,
                               d->object & UINT32_MAX, d->value, d->ordinal);
    case CHOICE_REQUEST:
        return g_strdup_printf("request %" PRIu64 ".%" PRIu64 " is done "
                               "first, at choice %u of its context",
                               d->value >> 32, d->value & UINT32_MAX,
                               d->ordinal);
    case CHOICE_WAKE:
        return g_strdup_printf("thread %" PRIu64 " wakes by itself, at its "
                               "choice %u", d->object, d->ordinal);
    case CHOICE_FAULT:
        return fault_text(d);
    default:
        return g_strdup_printf("%" PRIu64 " stores of thread %" PRIu64
                               " become visible, at its choice %u", d->value,
                               d->object, d->ordinal);
    }
}
