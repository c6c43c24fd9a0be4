/* SPDX-License-Identifier: MIT */
/*
 * Data that tells where it belongs and who wrote it, sector by sector.
 *
 * What a sector holds is known when one write to it has ended and no other
 * overlapped with it.  A read is compared where that did not change while it
 * was under way.
 */
#include "play.h"

enum { SECTOR = 512, WORDS = SECTOR / sizeof(uint64_t) };

typedef struct VerifySector {
    uint32_t content;   /* a request's number, or VERIFY_... */
    uint32_t version;   /* changes with each begin and end of a write */
    uint16_t writes;    /* in flight */
    bool clash;         /* two of them were at once */
} VerifySector;

typedef struct VerifyExpected {
    uint32_t content, version;
} VerifyExpected;

struct PlayVerify {
    QemuMutex lock;
    GHashTable *sectors; /* target and number -> VerifySector */
    uint64_t seed, checked, wrong;
};

PlayVerify *play_verify_new(uint64_t seed)
{
    PlayVerify *v = g_new0(PlayVerify, 1);

    qemu_mutex_init(&v->lock);
    v->sectors = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    v->seed = seed;
    return v;
}

void play_verify_free(PlayVerify *v)
{
    if (v) {
        qemu_mutex_destroy(&v->lock);
        g_hash_table_destroy(v->sectors);
        g_free(v);
    }
}

uint64_t play_verify_checked(const PlayVerify *v, uint64_t *wrong)
{
    *wrong = v->wrong;
    return v->checked;
}

/* ---- The pattern ---- */

static uint64_t word_at(const PlayVerify *v, uint64_t sector, uint32_t number,
                        unsigned i)
{
    uint64_t x = (v->seed ^ sector << 20 ^ number) * 0x9e3779b97f4a7c15ULL + i;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    return i == 0 ? sector : i == 1 ? number : x ^ x >> 27;
}

static void fill_sector(const PlayVerify *v, uint64_t sector, uint32_t number,
                        uint64_t *words)
{
    for (unsigned i = 0; i < WORDS; i++) {
        words[i] = word_at(v, sector, number, i);
    }
}

static bool holds(const PlayVerify *v, uint64_t sector, uint32_t content,
                  const uint64_t *words)
{
    for (unsigned i = 0; i < WORDS; i++) {
        if (words[i] != (content == VERIFY_ZEROES
                             ? 0 : word_at(v, sector, content, i))) {
            return false;
        }
    }
    return true;
}

/* ---- What is known; with the lock ---- */

static VerifySector *find(PlayVerify *v, unsigned target, uint64_t sector)
{
    return g_hash_table_lookup(v->sectors, GSIZE_TO_POINTER(
                                   (size_t)target << 55 | sector));
}

static VerifySector *find_or_add(PlayVerify *v, unsigned target,
                                 uint64_t sector)
{
    VerifySector *known = find(v, target, sector);

    if (!known) {
        known = g_new0(VerifySector, 1);
        g_hash_table_insert(v->sectors, GSIZE_TO_POINTER(
                                (size_t)target << 55 | sector), known);
    }
    return known;
}

void play_verify_write_begin(PlayVerify *v, VerifyRange range, uint32_t number,
                             void *buffer)
{
    uint64_t first = range.offset / SECTOR, n = range.bytes / SECTOR;

    qemu_mutex_lock(&v->lock);
    for (uint64_t i = 0; i < n; i++) {
        VerifySector *sector = find_or_add(v, range.target, first + i);

        sector->clash |= sector->writes++ > 0;
        sector->version++;
    }
    qemu_mutex_unlock(&v->lock);
    for (uint64_t i = 0; buffer && i < n; i++) {
        fill_sector(v, first + i, number, (uint64_t *)buffer + i * WORDS);
    }
}

void play_verify_write_end(PlayVerify *v, VerifyRange range, uint32_t content)
{
    uint64_t first = range.offset / SECTOR, n = range.bytes / SECTOR;

    qemu_mutex_lock(&v->lock);
    for (uint64_t i = 0; i < n; i++) {
        VerifySector *sector = find_or_add(v, range.target, first + i);

        sector->version++;
        sector->content = sector->clash ? VERIFY_UNKNOWN : content;
        if (--sector->writes == 0) {
            sector->clash = false;
        }
    }
    qemu_mutex_unlock(&v->lock);
}

/* ---- Reading ---- */

void *play_verify_read_begin(PlayVerify *v, VerifyRange range)
{
    uint64_t first = range.offset / SECTOR, n = range.bytes / SECTOR;
    VerifyExpected *expected = g_new0(VerifyExpected, n);

    qemu_mutex_lock(&v->lock);
    for (uint64_t i = 0; i < n; i++) {
        const VerifySector *sector = find(v, range.target, first + i);

        if (sector && !sector->writes) {
            expected[i] = (VerifyExpected){sector->content, sector->version};
        }
    }
    qemu_mutex_unlock(&v->lock);
    return expected;
}

bool play_verify_read_end(PlayVerify *v, VerifyRange range, void *state,
                          const void *buffer, uint64_t *wrong)
{
    uint64_t first = range.offset / SECTOR, n = range.bytes / SECTOR;
    VerifyExpected *expected = state;
    bool ok = true;

    qemu_mutex_lock(&v->lock);
    for (uint64_t i = 0; i < n; i++) {
        const VerifySector *sector = find(v, range.target, first + i);

        if (!sector || expected[i].content == VERIFY_UNKNOWN ||
            sector->version != expected[i].version) {
            continue;
        }
        v->checked++;
        if (!holds(v, first + i, expected[i].content,
                   (const uint64_t *)buffer + i * WORDS)) {
            *wrong = ok ? first + i : *wrong;
            v->wrong++;
            ok = false;
        }
    }
    qemu_mutex_unlock(&v->lock);
    g_free(expected);
    return ok;
}
