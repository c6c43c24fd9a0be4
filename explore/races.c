/* SPDX-License-Identifier: MIT */
/*
 * Data races and freed memory, by vector clocks; see races.h.
 *
 * A variable is known by its first byte: neighbours in a word are not one.  A
 * copy of a structure touches all its bytes.  Freed memory is known by pieces
 * of the size of an allocation's alignment.
 */
#include "races.h"

enum {
    THREADS = 24,
    WORD = 8,                /* what is larger is a copy of many variables */
    PIECE = 16,
    CELLS = 1 << 16, CELLS_SHIFT = 64 - 16,
    SYNCS = 1 << 13, SYNCS_SHIFT = 64 - 13,
    READERS = 3,
    FREED_MAX = 4096, /* bytes of a block that are remembered */
};

typedef struct Access {
    uint32_t clock; /* of its thread then; 0: none */
    uint32_t thread;
    uintptr_t place;
} Access;

typedef struct Cell {
    uintptr_t key;
    uint32_t run;
    Access write, reads[READERS];
} Cell;

typedef struct Freed {
    uintptr_t key;
    uint32_t run, thread;
} Freed;

typedef struct Sync {
    uintptr_t key;
    uint32_t run;
    uint32_t clock[THREADS];
} Sync;

struct Races {
    uint32_t run;
    unsigned n_cells, n_syncs, n_freed;
    uint32_t thread;
    uint32_t clock[THREADS][THREADS];
    Cell *cells;
    Sync *syncs;
    Freed *freed;
};

Races *races_new(void)
{
    Races *r = g_new0(Races, 1);

    r->cells = g_new0(Cell, CELLS);
    r->syncs = g_new0(Sync, SYNCS);
    r->freed = g_new0(Freed, CELLS);
    return r;
}

void races_free(Races *r)
{
    g_free(r->cells);
    g_free(r->syncs);
    g_free(r->freed);
    g_free(r);
}

void races_begin(Races *r)
{
    r->run++;
    r->n_cells = r->n_syncs = r->n_freed = 0;
    r->thread = 1;
    memset(r->clock, 0, sizeof(r->clock));
    for (unsigned i = 0; i < THREADS; i++) {
        r->clock[i][i] = 1;
    }
}

void races_step(Races *r, uint32_t thread)
{
    r->thread = thread;
}

/* ---- What orders threads ---- */

static void join(uint32_t *to, const uint32_t *from)
{
    for (unsigned i = 0; i < THREADS; i++) {
        to[i] = MAX(to[i], from[i]);
    }
}

static Sync *find_sync(Races *r, uintptr_t key)
{
    unsigned at = key * 0x9e3779b97f4a7c15ULL >> SYNCS_SHIFT;

    while (r->syncs[at].run == r->run && r->syncs[at].key != key) {
        at = (at + 1) % SYNCS;
    }
    if (r->syncs[at].run != r->run) {
        if (++r->n_syncs > SYNCS / 4 * 3) {
            return NULL;
        }
        r->syncs[at] = (Sync){.key = key, .run = r->run};
    }
    return &r->syncs[at];
}

/* Who comes later knows what all did that came before. */
void races_sync(Races *r, uintptr_t object)
{
    Sync *sync = r->thread < THREADS ? find_sync(r, object) : NULL;
    uint32_t *clock = r->clock[r->thread];

    if (sync) {
        join(clock, sync->clock);
        join(sync->clock, clock);
        clock[r->thread]++;
    }
}

void races_wake(Races *r, uint32_t thread)
{
    if (thread < THREADS && r->thread < THREADS) {
        join(r->clock[thread], r->clock[r->thread]);
        r->clock[r->thread][r->thread]++;
    }
}

/* ---- Accesses ---- */

/* The cell, or where it would be. */
static Cell *look_up(Races *r, uintptr_t key)
{
    unsigned at = key * 0x9e3779b97f4a7c15ULL >> CELLS_SHIFT;

    while (r->cells[at].run == r->run && r->cells[at].key != key) {
        at = (at + 1) % CELLS;
    }
    return &r->cells[at];
}

static Cell *find_cell(Races *r, uintptr_t key)
{
    Cell *cell = look_up(r, key);

    if (cell->run != r->run) {
        if (++r->n_cells > CELLS / 4 * 3) {
            return NULL; /* more than it can watch: the rest goes unseen */
        }
        *cell = (Cell){.key = key, .run = r->run};
    }
    return cell;
}

static bool is_known(const Races *r, const Access *access)
{
    return !access->clock || access->thread == r->thread ||
           access->clock <= r->clock[r->thread][access->thread];
}

static const Access *conflict(const Races *r, const Cell *cell, bool write,
                              bool *was_write)
{
    *was_write = true;
    if (!is_known(r, &cell->write)) {
        return &cell->write;
    }
    *was_write = false;
    for (unsigned i = 0; write && i < READERS; i++) {
        if (!is_known(r, &cell->reads[i])) {
            return &cell->reads[i];
        }
    }
    return NULL;
}

static void note(Races *r, Cell *cell, bool write, uintptr_t place)
{
    Access access = {r->clock[r->thread][r->thread], r->thread, place};
    Access *to = &cell->reads[0];

    if (write) {
        cell->write = access;
        memset(cell->reads, 0, sizeof(cell->reads));
        return;
    }
    for (unsigned i = 0; i < READERS; i++) {
        if (cell->reads[i].thread == r->thread || !cell->reads[i].clock) {
            to = &cell->reads[i];
            break;
        }
    }
    *to = access;
}

static bool access_cell(Races *r, uintptr_t key, bool write, uintptr_t place,
                        MemoryFault *fault)
{
    Cell *cell = find_cell(r, key);
    const Access *other;
    bool was_write;

    if (!cell) {
        return false;
    }
    other = conflict(r, cell, write, &was_write);
    if (other) {
        *fault = (MemoryFault){
            .threads = {r->thread, other->thread},
            .writes = {write, was_write}, .places = {place, other->place},
        };
    }
    note(r, cell, write, place);
    return other != NULL;
}

/* ---- Freed memory ---- */

static Freed *find_freed(Races *r, uintptr_t key)
{
    unsigned at = key * 0x9e3779b97f4a7c15ULL >> CELLS_SHIFT;

    while (r->freed[at].run == r->run && r->freed[at].key != key) {
        at = (at + 1) % CELLS;
    }
    return &r->freed[at];
}

static bool was_freed(Races *r, uintptr_t address, bool write,
                      uintptr_t place, MemoryFault *fault)
{
    const Freed *freed = r->n_freed ? find_freed(r, address / PIECE) : NULL;

    if (!freed || freed->run != r->run) {
        return false;
    }
    *fault = (MemoryFault){
        .freed = true, .threads = {r->thread, freed->thread},
        .writes = {write, true}, .places = {place, 0},
    };
    return true;
}

/* To free memory is to write all of it. */
static bool frees_in_use(Races *r, uintptr_t address, size_t size,
                         MemoryFault *fault)
{
    for (size_t i = 0; i < size; i++) {
        Cell *cell = look_up(r, address + i);
        const Access *other;
        bool was_write;

        other = cell->run == r->run ? conflict(r, cell, true, &was_write)
                                    : NULL;
        if (other) {
            *fault = (MemoryFault){
                .freed = true, .threads = {r->thread, other->thread},
                .writes = {true, was_write}, .places = {0, other->place},
            };
            return true;
        }
    }
    return false;
}

bool races_freed(Races *r, uintptr_t address, size_t size, MemoryFault *fault)
{
    bool in_use = frees_in_use(r, address, MIN(size, FREED_MAX), fault);
    uintptr_t last = (address + MIN(size, FREED_MAX) - 1) / PIECE;

    for (uintptr_t key = address / PIECE; size && key <= last; key++) {
        Freed *freed = find_freed(r, key);

        if (freed->run != r->run && r->n_freed < CELLS / 4 * 3) {
            *freed = (Freed){key, r->run, r->thread};
            r->n_freed++;
        }
    }
    return in_use;
}

bool races_access(Races *r, uintptr_t address, size_t size, bool write,
                  uintptr_t place, MemoryFault *fault)
{
    unsigned n = size > WORD ? size : 1;

    if (r->thread >= THREADS) {
        return false;
    }
    if (was_freed(r, address, write, place, fault)) {
        return true;
    }
    for (unsigned i = 0; i < n; i++) {
        if (access_cell(r, address + i, write, place, fault)) {
            return true;
        }
    }
    return false;
}
