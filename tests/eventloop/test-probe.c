/* SPDX-License-Identifier: MIT */
/*
 * The digest of probe events: it tells kinds, objects, arguments and order
 * apart, and not the places in the source, of which compilers have views.
 */
#include "harness.h"

#include "host.h"

static const ProbeSite here = {"a.c", 1, "f"}, there = {"b.c", 99, "g"};

static void emit(const ProbeSite *site, const ProbeEvent *e)
{
    probe_emit(e->kind, site, e->obj, e->a, e->b, e->c, NULL);
}

/* The digest after @e, and @next if there is one, from a given beginning. */
static uint64_t digest_of(const ProbeSite *site, ProbeEvent e, ProbeEvent *next)
{
    HostThread *self = host_self();
    uint64_t before = self->digest, after;

    self->digest = 42;
    emit(site, &e);
    if (next) {
        emit(site, next);
    }
    after = self->digest;
    self->digest = before;
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
    {"/probe/table", test_table},
    {NULL},
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, tests, NULL);
}
