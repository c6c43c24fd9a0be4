/* SPDX-License-Identifier: MIT */
/* Who answers the machine's choices. */
#include "sim-internal.h"

const char *const choice_kind_names[CHOICE_KIND_MAX] = {
    "thread", "batch", "request", "stores", "wake", "fault",
};

static unsigned choose_default(Oracle *oracle, const Choice *choice)
{
    return 0;
}

Oracle oracle_default = {.choose = choose_default};

uint64_t sim_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

/* Keeps to the default policy half of the time, or nothing would get far. */
static unsigned choose_random(Oracle *oracle, const Choice *choice)
{
    RandomOracle *random = container_of(oracle, RandomOracle, base);
    uint64_t value = sim_random(&random->state);

    return value & 1 ? 0 : (value >> 1) % choice->n;
}

void oracle_random_init(RandomOracle *oracle, uint64_t seed)
{
    *oracle = (RandomOracle){.base.choose = choose_random, .state = seed};
}

static unsigned choose_scripted(Oracle *oracle, const Choice *choice)
{
    ScriptOracle *script = container_of(oracle, ScriptOracle, base);
    ScriptAnswer answer = {.kind = choice->kind, .n = choice->n};
    unsigned at = script->asked->len;

    if (at < script->n_picks && script->picks[at] < choice->n) {
        answer.taken = script->picks[at];
    }
    g_array_append_val(script->asked, answer);
    return answer.taken;
}

void oracle_script_init(ScriptOracle *oracle, const unsigned *picks,
                        unsigned n_picks)
{
    *oracle = (ScriptOracle){
        .base.choose = choose_scripted, .picks = picks, .n_picks = n_picks,
        .asked = g_array_new(false, false, sizeof(ScriptAnswer)),
    };
}

void oracle_script_finish(ScriptOracle *oracle)
{
    g_array_free(oracle->asked, true);
}

const SimObserver *sim_observer;

uint64_t choice_detail(const Choice *choice)
{
    uint64_t threads = 0;

    if (choice->kind == CHOICE_FAULT) {
        uint64_t faults = 0;

        for (unsigned i = 1; i < choice->n; i++) {
            faults |= SIM_FAULT(choice->options[i] - 1);
        }
        return faults;
    }
    if (choice->kind != CHOICE_THREAD) {
        return choice->options[0];
    }
    for (unsigned i = 0; i < choice->n; i++) {
        threads |= choice->options[i] < 64 ? 1ULL << choice->options[i] : 0;
    }
    return threads;
}

/* In the order in which pick() has them: whoever ran, the others, time. */
static unsigned thread_options(uint64_t object, uint64_t mask,
                               uint64_t *options)
{
    unsigned n = 0;

    if (object && object < 64 && mask >> object & 1) {
        options[n++] = object;
    }
    for (uint64_t id = 1; id < 64; id++) {
        if (mask >> id & 1 && id != object) {
            options[n++] = id;
        }
    }
    if (mask & 1) {
        options[n++] = 0;
    }
    return n;
}

static unsigned fault_options(uint64_t extras, uint64_t *options)
{
    unsigned n = 0;

    options[n++] = 0;
    for (unsigned i = 0; i < SIM_FAULTS; i++) {
        if (extras & SIM_FAULT(i)) {
            options[n++] = i + 1;
        }
    }
    return n;
}

bool choice_options(ChoiceKind kind, uint64_t object, unsigned n,
                    uint64_t detail, uint64_t options[CHOICE_OPTIONS_MAX])
{
    if (n > CHOICE_OPTIONS_MAX) {
        return false;
    }
    switch (kind) {
    case CHOICE_THREAD:
        return thread_options(object, detail, options) == n;
    case CHOICE_BATCH:
        for (unsigned i = 0; i < n; i++) {
            options[i] = i < detail ? i : 0;
        }
        options[0] = detail;
        return true;
    case CHOICE_STORES:
        for (unsigned i = 0; i < n; i++) {
            options[i] = detail - i;
        }
        return true;
    case CHOICE_WAKE:
        options[0] = 0;
        options[1] = 1;
        return true;
    case CHOICE_FAULT:
        return fault_options(detail, options) == n;
    default:
        return false;
    }
}

void sim_emit_choice(ChoiceKind kind, uint64_t object, unsigned n,
                     unsigned taken, uint64_t detail)
{
    PROBE_TEXT(CHOICE, object, n, taken, detail, choice_kind_names[kind]);
}

unsigned sim_choose(ChoiceKind kind, uint64_t object, const uint64_t *options,
                    unsigned n)
{
    Oracle *oracle = sim.config.oracle;
    Choice choice = {
        .kind = kind, .n = n, .object = object, .options = options,
    };
    unsigned taken = oracle->choose(oracle, &choice);

    assert(taken < n);
    sim_emit_choice(kind, object, n, taken, choice_detail(&choice));
    if (sim_observer) {
        sim_observer->chosen(&choice, taken);
    }
    return taken;
}

enum { MAX_BATCH_OPTIONS = 16, MAX_FINE_OPTIONS = 64 };

unsigned sim_choose_batch(uint64_t object, unsigned n, bool or_none)
{
    uint64_t sizes[MAX_FINE_OPTIONS + 1];
    unsigned options = MIN(n, sim.config.fine ? MAX_FINE_OPTIONS
                                              : MAX_BATCH_OPTIONS);

    sizes[0] = n;
    for (unsigned i = 1; i < options; i++) {
        sizes[i] = i;
    }
    if (or_none && n) {
        sizes[options++] = 0;
    }
    if (options < 2) {
        return n;
    }
    return sizes[sim_choose(CHOICE_BATCH, object, sizes, options)];
}
