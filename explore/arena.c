/* SPDX-License-Identifier: MIT */
/*
 * The arena; see arena.h.
 *
 * It is a reserved range of addresses, cut into lanes.  Each virtual thread
 * allocates from a lane of its own, so that the addresses a thread gets do not
 * depend on what other threads allocate meanwhile: two orders of independent
 * steps touch the same addresses, and can be recognised as the same.
 *
 * Small blocks come from a pointer that moves up, or from lists of freed ones
 * by size.  Large ones are mappings of their own.
 */
#include "arena.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    CLASSES = 64,            /* of 16 bytes each */
    CLASS_BYTES = 16,
    LARGE = 256 * 1024,      /* from here on: a mapping */
    RANGES_MAX = 32,
    PAGE = 4096,
};

static const size_t lane_bytes = 1UL << 28;

/* Stands before each block. */
typedef struct Block {
    size_t size;
    size_t large; /* bytes of the mapping; 0: from a lane */
} Block;

typedef struct FreeBlock {
    struct FreeBlock *next;
} FreeBlock;

typedef struct Lane {
    char *at;
    FreeBlock *free[CLASSES];
} Lane;

/* What a snapshot keeps of the allocator. */
typedef struct Allocator {
    unsigned lane;
    Lane lanes[ARENA_LANES];
} Allocator;

typedef struct Range {
    char *start, *copy;
    size_t size;
} Range;

/* What is different at the checkpoint. */
typedef struct Checkpoint {
    Range ranges[RANGES_MAX];
    unsigned n_ranges;
    char *locals;
    Allocator allocator;
} Checkpoint;

/*
 * Everything here survives a restore, so it is not static data: arena_start()
 * maps it, and the one static pointer to it never changes again.
 */
typedef struct Arena {
    char *base;
    bool on;
    ArenaFreed *freed;
    Allocator now, kept;
    unsigned n_used;  /* lanes that schedules have used: the first ones */
    Range ranges[RANGES_MAX];
    unsigned n_ranges;
    char **hot;       /* pages that schedules write */
    const char **hot_copy;
    unsigned n_hot, max_hot;
    char *locals, *locals_copy; /* the program's thread-local data */
    size_t n_locals;
    Block *mappings[256]; /* large blocks of this schedule */
    unsigned n_mappings;
    Checkpoint checkpoint;
} Arena;

static Arena *arena;

static void *map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        static const char text[] = "aiolab: no memory for schedules\n";

        if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0) {
            _exit(5);
        }
        _exit(5);
    }
    return p;
}

static void arena_start(void)
{
    Arena *a = map(ROUND_UP(sizeof(Arena), PAGE));

    a->base = map(ARENA_LANES * lane_bytes);
    for (unsigned i = 0; i < ARENA_LANES; i++) {
        a->now.lanes[i].at = a->base + i * lane_bytes;
    }
    a->max_hot = 65536;
    a->hot = map(a->max_hot * sizeof(*a->hot));
    a->hot_copy = map(a->max_hot * sizeof(*a->hot_copy));
    arena = a;
}

void arena_on(void)
{
    if (!arena) {
        arena_start();
    }
    arena->on = true;
}

void arena_off(void)
{
    if (arena) {
        arena->on = false;
    }
}

bool arena_is_on(void)
{
    return arena && arena->on;
}

void arena_set_lane(unsigned lane)
{
    lane %= ARENA_LANES;
    arena->now.lane = lane;
    if (unlikely(lane >= arena->n_used)) {
        arena->n_used = lane + 1;
    }
}

void arena_set_freed(ArenaFreed *freed)
{
    arena->freed = freed;
}

/* ---- Allocating ---- */

static Block *block_of(const void *p)
{
    return (Block *)p - 1;
}

static void *alloc_large(size_t size, size_t align)
{
    size_t bytes = ROUND_UP(size + MAX(align, sizeof(Block)), PAGE);
    char *p = map(bytes);
    void *data = p + MAX(align, sizeof(Block));

    if (arena->n_mappings < ARRAY_SIZE(arena->mappings)) {
        arena->mappings[arena->n_mappings++] = block_of(data);
    }
    *block_of(data) = (Block){.size = size, .large = bytes};
    return data;
}

static void *alloc_from_lane(Lane *lane, size_t size, size_t align)
{
    char *p = lane->at + sizeof(Block);

    p = (char *)ROUND_UP((uintptr_t)p, align);
    lane->at = p + ROUND_UP(size, CLASS_BYTES);
    *block_of(p) = (Block){.size = size};
    return p;
}

void *arena_alloc(size_t size, size_t align)
{
    Lane *lane = &arena->now.lanes[arena->now.lane];
    size_t class = DIV_ROUND_UP(size, CLASS_BYTES);
    FreeBlock *block;

    if (unlikely(size >= LARGE)) {
        return alloc_large(size, align);
    }
    if (class < CLASSES && align <= CLASS_BYTES &&
        (block = lane->free[class])) {
        lane->free[class] = block->next;
        block_of(block)->size = size;
        return block;
    }
    return alloc_from_lane(lane, size, MAX(align, (size_t)CLASS_BYTES));
}

bool arena_owns(const void *p)
{
    uintptr_t at = (uintptr_t)p, base;

    if (!arena) {
        return false;
    }
    base = (uintptr_t)arena->base;
    if (at - base < ARENA_LANES * lane_bytes) {
        return true;
    }
    for (unsigned i = 0; i < arena->n_mappings; i++) {
        if (arena->mappings[i] == block_of(p)) {
            return true;
        }
    }
    return false;
}

static void free_large(Block *block)
{
    for (unsigned i = 0; i < arena->n_mappings; i++) {
        if (arena->mappings[i] == block) {
            arena->mappings[i] = arena->mappings[--arena->n_mappings];
            munmap((void *)((uintptr_t)block & ~(uintptr_t)(PAGE - 1)),
                   block->large);
            return;
        }
    }
}

void arena_free(void *p)
{
    Block *block = block_of(p);
    size_t class = DIV_ROUND_UP(block->size, CLASS_BYTES);
    Lane *lane = &arena->now.lanes[arena->now.lane];
    FreeBlock *free_block = p;

    if (unlikely(block->large)) {
        free_large(block);
    } else if (unlikely(arena->freed)) {
        arena->freed(p, block->size);
    } else if (class && class < CLASSES) {
        free_block->next = lane->free[class];
        lane->free[class] = free_block;
    }
}

size_t arena_size(const void *p)
{
    return block_of(p)->size;
}

void *arena_resize(void *p, size_t size)
{
    size_t old = arena_size(p);
    void *bigger;

    if (ROUND_UP(size, CLASS_BYTES) == ROUND_UP(old, CLASS_BYTES)) {
        block_of(p)->size = size;
        return p;
    }
    bigger = arena_alloc(size, CLASS_BYTES);
    memcpy(bigger, p, MIN(old, size));
    arena_free(p);
    return bigger;
}

/* ---- The snapshot ---- */

static void add_range(uintptr_t start, uintptr_t end)
{
    Range *range = &arena->ranges[arena->n_ranges];

    start &= ~(uintptr_t)(PAGE - 1);
    end = ROUND_UP(end, PAGE);
    if (start >= end || arena->n_ranges == RANGES_MAX) {
        return;
    }
    arena->n_ranges++;
    *range = (Range){(char *)start, map(end - start), end - start};
    memcpy(range->copy, range->start, range->size);
}

/* Relocated once, and read-only since: its pages are no data of anybody's. */
static uintptr_t relro_end(const struct dl_phdr_info *info)
{
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];

        if (p->p_type == PT_GNU_RELRO) {
            return (info->dlpi_addr + p->p_vaddr + p->p_memsz) &
                   ~(uintptr_t)(PAGE - 1);
        }
    }
    return 0;
}

/* The C library and the loader go on living while schedules come and go. */
static bool is_ours(const char *name, const char *user)
{
    g_autofree char *base = g_path_get_basename(name);

    return !*name || (user && g_str_equal(name, user)) ||
           g_str_has_prefix(base, "libaiolab") ||
           g_str_has_prefix(base, "libglib") ||
           g_str_has_prefix(base, "libgobject");
}

static void add_object(const struct dl_phdr_info *info)
{
    uintptr_t relro = relro_end(info);

    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + p->p_vaddr;
        uintptr_t end = start + p->p_memsz;

        if (p->p_type == PT_LOAD && p->p_flags & PF_W) {
            add_range(MAX(start, MIN(relro, end)), end);
        }
    }
}

/* The thread-local data of whoever holds host_self_: the program or libaiolab. */
static void add_locals(const struct dl_phdr_info *info)
{
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];

        if (p->p_type == PT_TLS && info->dlpi_tls_data && !arena->locals) {
            arena->n_locals = p->p_memsz;
            arena->locals = info->dlpi_tls_data;
            arena->locals_copy = map(ROUND_UP(p->p_memsz, PAGE));
            memcpy(arena->locals_copy, arena->locals, arena->n_locals);
        }
    }
}

static int look_at(struct dl_phdr_info *info, size_t size, void *opaque)
{
    const char *name = info->dlpi_name ? info->dlpi_name : "";
    g_autofree char *base = g_path_get_basename(name);

    if (is_ours(name, opaque)) {
        add_object(info);
    }
    if (!*name || g_str_has_prefix(base, "libaiolab")) {
        add_locals(info);
    }
    return 0;
}

static void protect(const Range *range)
{
    mprotect(range->start, range->size, PROT_READ);
}

void arena_snapshot(const void *code)
{
    Dl_info info = {.dli_fname = NULL};

    arena_off();
    if (code) {
        dladdr(code, &info);
    }
    for (unsigned i = 0; i < ARENA_LANES; i++) {
        Lane *lane = &arena->now.lanes[i];
        char *start = arena->base + i * lane_bytes;

        memset(lane->free, 0, sizeof(lane->free));
        lane->at = (char *)ROUND_UP((uintptr_t)lane->at, PAGE);
        add_range((uintptr_t)start, (uintptr_t)lane->at);
    }
    arena->now.lane = 0;
    arena->n_used = 1;
    arena->n_mappings = 0; /* they stay */
    dl_iterate_phdr(look_at, (void *)info.dli_fname);
    arena->kept = arena->now;
    for (unsigned i = 0; i < arena->n_ranges; i++) {
        protect(&arena->ranges[i]);
    }
}

static void set_allocator(const Allocator *allocator)
{
    memcpy(&arena->now, allocator, offsetof(Allocator, lanes[arena->n_used]));
}

void arena_restore(void)
{
    arena_off();
    while (arena->n_mappings) {
        free_large(arena->mappings[0]);
    }
    for (unsigned i = 0; i < arena->n_hot; i++) {
        memcpy(arena->hot[i], arena->hot_copy[i], PAGE);
    }
    memcpy(arena->locals, arena->locals_copy, arena->n_locals);
    set_allocator(&arena->kept);
}

/* ---- The checkpoint ---- */

static bool keep(const void *start, size_t size)
{
    Checkpoint *c = &arena->checkpoint;
    Range *range = &c->ranges[c->n_ranges];

    if (c->n_ranges == RANGES_MAX) {
        return false;
    }
    *range = (Range){(char *)start, map(ROUND_UP(size, PAGE)), size};
    memcpy(range->copy, start, size);
    c->n_ranges++;
    return true;
}

bool arena_checkpoint(const void *stack, size_t size)
{
    Checkpoint *c = &arena->checkpoint;
    bool kept = !arena->n_mappings && keep(stack, size);

    for (unsigned i = 0; i < arena->n_hot && kept; i++) {
        if (memcmp(arena->hot[i], arena->hot_copy[i], PAGE) != 0) {
            kept = keep(arena->hot[i], PAGE);
        }
    }
    for (unsigned i = 0; i < arena->n_used && kept; i++) {
        char *from = arena->kept.lanes[i].at, *to = arena->now.lanes[i].at;

        kept = from == to || keep(from, to - from);
    }
    c->allocator = arena->now;
    c->locals = map(ROUND_UP(arena->n_locals, PAGE));
    memcpy(c->locals, arena->locals, arena->n_locals);
    return kept;
}

void arena_advance(void)
{
    const Checkpoint *c = &arena->checkpoint;

    for (unsigned i = 0; i < c->n_ranges; i++) {
        memcpy(c->ranges[i].start, c->ranges[i].copy, c->ranges[i].size);
    }
    memcpy(arena->locals, c->locals, arena->n_locals);
    set_allocator(&c->allocator);
}

bool arena_handle_fault(void *address)
{
    char *page = (char *)((uintptr_t)address & ~(uintptr_t)(PAGE - 1));

    for (unsigned i = 0; arena && i < arena->n_ranges; i++) {
        Range *range = &arena->ranges[i];

        if (page >= range->start && page < range->start + range->size) {
            unsigned at = arena->n_hot;

            if (at == arena->max_hot ||
                mprotect(page, PAGE, PROT_READ | PROT_WRITE) < 0) {
                return false;
            }
            arena->hot[at] = page;
            arena->hot_copy[at] = range->copy + (page - range->start);
            arena->n_hot++;
            return true;
        }
    }
    return false;
}

bool arena_is_local(uintptr_t address)
{
    return address - (uintptr_t)arena->locals < arena->n_locals;
}
