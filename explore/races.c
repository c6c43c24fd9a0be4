/* SPDX-License-Identifier: MIT */
/*
 * Data races and freed memory, by vector clocks; see races.h.
 *
 * A variable is known by its first byte: neighbours in a word are not one.  A
 * copy of a structure touches all its bytes.  Freed memory is known by pieces
 * of the size of an allocation's alignment.
 *
 * A short run touches a thousand variables, and thousands of bytes in copies.  So
 * blocks of memory are found by a hash, and mostly it is the block before; bytes
 * that were only touched together share what is known of them, until one is
 * touched alone; and what only one thread has touched needs no comparison.
 */
#include "races.h"

enum {
    THREADS = 24,
    WORD = 8,                /* what is larger is a copy of many variables */
    PIECE = 16,
    BLOCK = 128,             /* bytes of memory that are looked up together */
    BLOCKS = 1 << 13, BLOCKS_SHIFT = 64 - 13,
    CELLS = 48 * 1024,       /* variables */
    SYNCS = 1 << 13, SYNCS_SHIFT = 64 - 13,
    READERS = 3,
    FREED_MAX = 4096, /* bytes of a block that are remembered */
    SEVERAL = THREADS,
};

typedef struct Access {
    uint32_t clock; /* of its thread then; 0: none */
    uint32_t thread;
    uintptr_t place;
} Access;

/* What is known of neighbouring bytes that were only touched together. */
typedef struct Cell {
    Access write, reads[READERS];
    unsigned bytes;  /* how many it is of */
    uint32_t thread; /* whose these accesses are, or SEVERAL */
} Cell;

typedef struct Block {
    uintptr_t key;
    uint32_t run;
    uint8_t freed[BLOCK / PIECE]; /* by which thread, + 1 */
    uint16_t cells[BLOCK];        /* of each byte, + 1; 0: none */
} Block;

typedef struct Sync {
    uintptr_t key;
    uint32_t run;
    uint32_t at; /* in Races.sync_clocks */
} Sync;

typedef uint32_t Clock[THREADS];

struct Races {
    uint32_t run;
    unsigned n_blocks, n_cells, n_syncs;
    unsigned n_threads; /* numbers that the run has, and 0 */
    uint32_t thread;
    Clock clock[THREADS];
    Block *blocks;
    Block *last;        /* that was looked up */
    Cell *cells;
    Sync *syncs;
    Clock *sync_clocks;
};

Races *races_new(void)
{
    Races *r = g_new0(Races, 1);

    r->blocks = g_new0(Block, BLOCKS);
    r->cells = g_new0(Cell, CELLS);
    r->syncs = g_new0(Sync, SYNCS);
    r->sync_clocks = g_new0(Clock, SYNCS);
    return r;
}

void races_free(Races *r)
{
    g_free(r->blocks);
    g_free(r->cells);
    g_free(r->syncs);
    g_free(r->sync_clocks);
    g_free(r);
}

void races_begin(Races *r)
{
    r->run++;
    r->n_blocks = r->n_cells = r->n_syncs = 0;
    r->last = r->blocks;
    r->thread = 1;
    r->n_threads = 2;
    memset(r->clock, 0, sizeof(r->clock));
    for (unsigned i = 0; i < THREADS; i++) {
        r->clock[i][i] = 1;
    }
}

/* There is a thread of that number. */
static void know_thread(Races *r, uint32_t thread)
{
    r->n_threads = MAX(r->n_threads, MIN(thread + 1, (unsigned)THREADS));
}

void races_step(Races *r, uint32_t thread)
{
    know_thread(r, thread);
    r->thread = thread;
}

/* ---- What orders threads ---- */

static void join(const Races *r, uint32_t *to, const uint32_t *from)
{
    for (unsigned i = 0; i < r->n_threads; i++) {
        to[i] = MAX(to[i], from[i]);
    }
}

static Sync *look_up_sync(Races *r, uintptr_t key)
{
    unsigned at = key * 0x9e3779b97f4a7c15ULL >> SYNCS_SHIFT;

    while (r->syncs[at].run == r->run && r->syncs[at].key != key) {
        at = (at + 1) % SYNCS;
    }
    return &r->syncs[at];
}

/* Its clock, or NULL. */
static uint32_t *find_sync(Races *r, uintptr_t key)
{
    Sync *sync = look_up_sync(r, key);

    if (sync->run != r->run) {
        if (r->n_syncs == SYNCS / 4 * 3) {
            return NULL;
        }
        *sync = (Sync){.key = key, .run = r->run, .at = r->n_syncs++};
        memset(r->sync_clocks[sync->at], 0, sizeof(Clock));
    }
    return r->sync_clocks[sync->at];
}

/* Who comes later knows what all did that came before. */
void races_sync(Races *r, uintptr_t object)
{
    uint32_t *theirs = r->thread < THREADS ? find_sync(r, object) : NULL;

    if (theirs) {
        uint32_t *ours = r->clock[r->thread];

        join(r, ours, theirs);
        memcpy(theirs, ours, r->n_threads * sizeof(*ours));
        ours[r->thread]++;
    }
}

void races_wake(Races *r, uint32_t thread)
{
    know_thread(r, thread);
    if (thread < THREADS && r->thread < THREADS) {
        join(r, r->clock[thread], r->clock[r->thread]);
        r->clock[r->thread][r->thread]++;
    }
}

/* ---- Accesses ---- */

/* The block, or where it would be. */
static Block *look_up(Races *r, uintptr_t address)
{
    uintptr_t key = address / BLOCK;
    unsigned at = key * 0x9e3779b97f4a7c15ULL >> BLOCKS_SHIFT;

    while (r->blocks[at].run == r->run && r->blocks[at].key != key) {
        at = (at + 1) % BLOCKS;
    }
    return &r->blocks[at];
}

/* NULL: more than it can watch; the rest goes unseen. */
static Block *find_or_add(Races *r, uintptr_t address)
{
    Block *block = look_up(r, address);

    if (block->run != r->run) {
        if (r->n_blocks == BLOCKS / 4 * 3) {
            return NULL;
        }
        r->n_blocks++;
        *block = (Block){.key = address / BLOCK, .run = r->run};
    }
    r->last = block;
    return block;
}

static inline Block *find_block(Races *r, uintptr_t address)
{
    bool again = r->last->key == address / BLOCK && r->last->run == r->run;

    return likely(again) ? r->last : find_or_add(r, address);
}

static Cell *cell_at(Races *r, const Block *block, unsigned byte)
{
    return &r->cells[block->cells[byte] - 1];
}

/* The end of the bytes from @from on that have the same cell, or none. */
static unsigned end_of_cell(const Block *block, unsigned from, unsigned to)
{
    uint16_t cell = block->cells[from];

    do {
        from++;
    } while (from < to && block->cells[from] == cell);
    return from;
}

/* A cell for these bytes alone, which have none, or a part of one. */
static Cell *split_cell(Races *r, Block *block, unsigned from, unsigned to)
{
    Cell *old = block->cells[from] ? cell_at(r, block, from) : NULL;
    Cell *cell = &r->cells[r->n_cells];

    if (r->n_cells == CELLS) {
        return NULL;
    }
    *cell = old ? *old : (Cell){.thread = r->thread};
    cell->bytes = to - from;
    if (old) {
        old->bytes -= to - from;
    }
    r->n_cells++;
    while (from < to) {
        block->cells[from++] = r->n_cells;
    }
    return cell;
}

/* NULL: there are too many. */
static inline Cell *own_cell(Races *r, Block *block, unsigned from, unsigned to)
{
    if (block->cells[from] && cell_at(r, block, from)->bytes == to - from) {
        return cell_at(r, block, from);
    }
    return split_cell(r, block, from, to);
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

static void note_write(Cell *cell, const Access *access)
{
    cell->write = *access;
    cell->thread = access->thread;
    if (cell->reads[0].clock) {
        memset(cell->reads, 0, sizeof(cell->reads));
    }
}

static void note_read(Cell *cell, const Access *access)
{
    unsigned at = 0;

    while (at < READERS && cell->reads[at].clock &&
           cell->reads[at].thread != access->thread) {
        at++;
    }
    cell->reads[at % READERS] = *access;
    if (cell->thread != access->thread) {
        cell->thread = SEVERAL;
    }
}

static inline bool access_cell(Races *r, Cell *cell, bool write,
                               uintptr_t place, MemoryFault *fault)
{
    Access access = {r->clock[r->thread][r->thread], r->thread, place};
    const Access *other = NULL;
    bool was_write;

    if (unlikely(cell->thread != r->thread)) {
        other = conflict(r, cell, write, &was_write);
    }
    if (unlikely(other)) {
        *fault = (MemoryFault){
            .threads = {r->thread, other->thread},
            .writes = {write, was_write}, .places = {place, other->place},
        };
    }
    if (write) {
        note_write(cell, &access);
    } else {
        note_read(cell, &access);
    }
    return other != NULL;
}

static bool access_block(Races *r, Block *block, unsigned from, unsigned to,
                         bool write, uintptr_t place, MemoryFault *fault)
{
    while (from < to) {
        unsigned end = end_of_cell(block, from, to);
        Cell *cell = own_cell(r, block, from, end);

        if (!cell) {
            return false;
        }
        if (access_cell(r, cell, write, place, fault)) {
            return true;
        }
        from = end;
    }
    return false;
}

/* ---- Freed memory ---- */

static bool was_freed(const Races *r, const Block *block, unsigned byte,
                      bool write, uintptr_t place, MemoryFault *fault)
{
    unsigned by = block->freed[byte / PIECE];

    if (unlikely(by)) {
        *fault = (MemoryFault){
            .freed = true, .threads = {r->thread, by - 1},
            .writes = {write, true}, .places = {place, 0},
        };
    }
    return by;
}

/* To free memory is to write all of it. */
static bool frees_in_use(Races *r, Block *block, unsigned from, unsigned to,
                         MemoryFault *fault)
{
    const Access *other = NULL;
    bool was_write;

    for (; from < to && !other; from = end_of_cell(block, from, to)) {
        other = block->cells[from]
                    ? conflict(r, cell_at(r, block, from), true, &was_write)
                    : NULL;
    }
    if (other) {
        *fault = (MemoryFault){
            .freed = true, .threads = {r->thread, other->thread},
            .writes = {true, was_write}, .places = {0, other->place},
        };
    }
    return other != NULL;
}

static void note_freed(Races *r, Block *block, unsigned from, unsigned to)
{
    for (unsigned piece = from / PIECE; piece * PIECE < to; piece++) {
        if (!block->freed[piece]) {
            block->freed[piece] = MIN(r->thread, 254U) + 1;
        }
    }
}

/* ---- Both, block by block ---- */

bool races_freed(Races *r, uintptr_t address, size_t size, MemoryFault *fault)
{
    uintptr_t end = address + MIN(size, FREED_MAX);
    bool in_use = false;

    while (address < end) {
        unsigned from = address % BLOCK;
        unsigned to = MIN(end - address + from, (uintptr_t)BLOCK);
        Block *block = find_block(r, address);

        if (block && r->thread < THREADS && !in_use) {
            in_use = frees_in_use(r, block, from, to, fault);
        }
        if (block) {
            note_freed(r, block, from, to);
        }
        address += to - from;
    }
    return in_use;
}

/* What is no larger than a word, which is most of them. */
static bool access_variable(Races *r, uintptr_t address, bool write,
                            uintptr_t place, MemoryFault *fault)
{
    Block *block = find_block(r, address);
    unsigned byte = address % BLOCK;
    Cell *cell;

    if (!block) {
        return false;
    }
    if (was_freed(r, block, byte, write, place, fault)) {
        return true;
    }
    cell = own_cell(r, block, byte, byte + 1);
    return cell && access_cell(r, cell, write, place, fault);
}

static bool access_range(Races *r, uintptr_t address, size_t size, bool write,
                         uintptr_t place, MemoryFault *fault)
{
    uintptr_t end = address + size;
    Block *block = find_block(r, address);
    bool found = block && was_freed(r, block, address % BLOCK, write, place,
                                    fault);

    while (address < end && !found) {
        unsigned from = address % BLOCK;
        unsigned to = MIN(end - address + from, (uintptr_t)BLOCK);

        block = find_block(r, address);
        found = block && access_block(r, block, from, to, write, place, fault);
        address += to - from;
    }
    return found;
}

bool races_access(Races *r, uintptr_t address, size_t size, bool write,
                  uintptr_t place, MemoryFault *fault)
{
    if (r->thread >= THREADS) {
        return false;
    }
    return size > WORD ? access_range(r, address, size, write, place, fault)
                       : access_variable(r, address, write, place, fault);
}
