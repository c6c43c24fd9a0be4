/* SPDX-License-Identifier: MIT */
/*
 * The digest of probe events: it tells kinds, objects, arguments and order
 * apart, and not the places in the source, of which compilers have views.
 */
#include "harness.h"

#include "host.h"

#define DIGEST_OF_THREE 0xffe1e6d6b78e12e9ULL

static const ProbeSite here = {"a.c", 1, "f"}, there = {"b.c", 99, "g"};

static void emit(const ProbeSite *site, const ProbeEvent *e)
{
    probe_emit(e->kind, site, e->obj, e->a, e->b, e->c, NULL);
}

/* The digest after @e, and @next if there is one, from a given beginning. */
static uint64_t digest_of(const ProbeSite *site, ProbeEvent e, ProbeEvent *next)
{
    uint64_t before = probe_digest_, after;

    probe_digest_ = 42;
    emit(site, &e);
    if (next) {
        emit(site, next);
    }
    after = probe_digest_;
    probe_digest_ = before;
    return after;
}

static void test_digest(const ScenarioArgs *args)
{
    ProbeEvent e = {.kind = PROBE_NOTE, .obj = 1ULL << 32 | 7, .a = 1, .b = 2,
                    .c = 3};
    ProbeEvent others[] = {e, e, e, e, e, e};
    uint64_t digest = digest_of(&here, e, NULL);

    CHECK(digest_of(&here, e, NULL) == digest);
    CHECK(digest_of(&there, e, NULL) == digest);
    others[0].kind = PROBE_CHECK;
    others[1].obj++;
    others[2].obj += 1ULL << 32;
    others[3].a = 2;
    others[3].b = 1;
    others[4].b = UINT64_MAX;
    others[5].c = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        CHECK(digest_of(&here, others[i], NULL) != digest);
        CHECK(digest_of(&here, others[i], &e) !=
              digest_of(&here, e, &others[i]));
    }
}

/* In place and out of line, by every compiler: logs go from one to another. */
static void test_same_everywhere(const ScenarioArgs *args)
{
    uint64_t before = probe_digest_, in_place, out_of_line;

    probe_digest_ = 42;
    for (unsigned i = 0; i < 3; i++) {
        probe_mix(probe_event_digest(7, 3ULL << 32 | i, -(uint64_t)i,
                                     1ULL << 63, 4096));
    }
    in_place = probe_digest();
    probe_digest_ = 42;
    for (unsigned i = 0; i < 3; i++) {
        probe_mix_slowly(probe_event_digest(7, 3ULL << 32 | i, -(uint64_t)i,
                                            1ULL << 63, 4096));
    }
    out_of_line = probe_digest();
    probe_digest_ = before;
    CHECK(in_place == out_of_line);
    CHECK(in_place == DIGEST_OF_THREE);
}

static uint64_t digest_of_sequence(uint64_t n, uint64_t i, uint64_t j)
{
    uint64_t before = probe_digest_, after;

    probe_digest_ = 1;
    for (uint64_t at = 0; at < n; at++) {
        uint64_t object = at == i ? j : at == j ? i : at;

        /* Objects of many threads: the numbers differ in few, high bits. */
        probe_mix(probe_event_digest(PROBE_BH_BEGIN, object << 32 | 1, 1ULL << 32,
                                     0, 0));
    }
    after = probe_digest();
    probe_digest_ = before;
    return after;
}

/* Two events that change places, at distances that are powers of two, too. */
static void test_order(const ScenarioArgs *args)
{
    uint64_t in_order = digest_of_sequence(5000, 0, 0);

    for (uint64_t distance = 1; distance <= 4096; distance *= 2) {
        CHECK(digest_of_sequence(5000, 0, distance) != in_order);
        CHECK(digest_of_sequence(5000, 7, distance + 7) != in_order);
    }
}

static void test_table(const ScenarioArgs *args)
{
    for (unsigned kind = 0; kind < PROBE_KIND_MAX; kind++) {
        CHECK(probe_table[kind].name && probe_table[kind].help);
        for (unsigned other = 0; other < kind; other++) {
            CHECK(!g_str_equal(probe_table[kind].name,
                               probe_table[other].name));
        }
    }
}

static const LoopTest tests[] = {
    {"/probe/digest", test_digest},
    {"/probe/digest-same-everywhere", test_same_everywhere},
    {"/probe/digest-order", test_order},
    {"/probe/table", test_table},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
