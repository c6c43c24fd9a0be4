/* SPDX-License-Identifier: MIT */
/* Drawing the neighbours of a schedule; see neighbour.h. */
#include "neighbour.h"
#include "sim-internal.h"

static unsigned draw(Neighbour *neighbour, unsigned n)
{
    return n ? sim_random(&neighbour->state) % n : 0;
}

static unsigned choose_nearby(Oracle *oracle, const Choice *choice)
{
    Neighbour *neighbour = container_of(oracle, Neighbour, base);
    ScheduleOracle *inner = neighbour->inner;
    unsigned taken = inner->base.choose(&inner->base, choice);

    for (unsigned i = 0; i < neighbour->added; i++) {
        if (neighbour->at[i] == neighbour->n) {
            taken = (taken + 1 + draw(neighbour, choice->n - 1)) % choice->n;
        }
    }
    neighbour->n++;
    return taken;
}

Neighbour *neighbour_new(void)
{
    Neighbour *neighbour = g_new0(Neighbour, 1);

    neighbour->base.choose = choose_nearby;
    neighbour->inner = schedule_oracle_new();
    return neighbour;
}

void neighbour_free(Neighbour *neighbour)
{
    schedule_oracle_free(neighbour->inner);
    schedule_free(neighbour->schedule);
    g_free(neighbour);
}

void neighbour_begin(Neighbour *neighbour, const Schedule *of, unsigned d,
                     uint64_t seed, unsigned length)
{
    unsigned changes, removed;

    schedule_free(neighbour->schedule);
    neighbour->schedule = schedule_copy(of);
    neighbour->state = seed;
    neighbour->n = 0;
    sim_random(&neighbour->state);
    changes = draw(neighbour, d + 1);
    removed = draw(neighbour, changes + 1);
    neighbour->added = MIN(changes - removed, ARRAY_SIZE(neighbour->at));
    while (removed-- && schedule_length(neighbour->schedule)) {
        Schedule *rest = schedule_without(
            neighbour->schedule,
            draw(neighbour, schedule_length(neighbour->schedule)), 1);

        schedule_free(neighbour->schedule);
        neighbour->schedule = rest;
    }
    for (unsigned i = 0; i < neighbour->added; i++) {
        neighbour->at[i] = draw(neighbour, length + 1);
    }
    schedule_oracle_begin(neighbour->inner, neighbour->schedule);
}
