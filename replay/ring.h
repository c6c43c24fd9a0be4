/* SPDX-License-Identifier: MIT */
/*
 * Recording rings: how inputs leave the recorded threads.
 *
 * A slot is overwritten only when its input is committed to the log, so what
 * the log lacks when a recorded process dies is still in the rings, and
 * whoever opens the log next adds it (blackbox.h).
 *
 * Each OS thread has a ring of its own in a shared mapped file (the black box:
 * what a killed process had written to it is still there), so putting an input
 * is a few stores and takes no lock.  One writer thread packs what it finds
 * into the log.  A full ring makes the recorded thread wait, and counts that;
 * nothing is ever dropped.
 *
 * A thread that ends gives its ring back, and the next thread that begins goes
 * on in it, behind what is still to be written; so tickets ascend within each
 * ring, whoever has it.
 */
#ifndef REPLAY_RING_H
#define REPLAY_RING_H

#include "log.h"

#include "qemu/atomic.h"

enum {
    RINGS_MAX = THREADS_MAX,
    /*
     * The first thread's ring is long, because most programs do most of their
     * work there; the others are short enough for the 64 MiB of shared memory
     * that a container has.
     */
    FIRST_RING_SLOTS = 1 << 16,
    RING_SLOTS = 1 << 14,
    SLOT_SIZE = 32,
    RING_PAGE = 4096,
    /* A longer content goes through the ring, and into the log, in pieces. */
    PIECE_SIZE = LOG_PIECE_SIZE,
};

#define SLOT_IS_LIST (1ULL << 63) /* with the length: of hashes of pieces */

/* An input as the recorded thread leaves it. */
typedef struct Slot {
    uint64_t head; /* ticket << 24 | thread << 8 | kind; tickets begin at 1 */
    /* obj: check << 56 | object.  Head 0: obj raw bytes follow, a is their
     * hash. */
    uint64_t obj, a, b;
} Slot;

typedef struct Ring {
    uint64_t head; /* written by the recorded thread */
    uint64_t seen_durable; /* its copy of durable, old but never too new */
    uint64_t mask;         /* slots - 1 */
    uint64_t stalls;
    /* The recorded thread's own, see rec_put_own(). */
    uint64_t kept; /* the first ticket that it has taken in advance, */
    uint32_t n_kept; /* and how many */
    uint32_t n_used; /* or could have used, behind its last slice */
    uint32_t slice_end; /* low half of the head behind that */
    uint32_t run_end, run; /* likewise of inputs that are its own, and how many
                              times it had to take a ticket for them */
    char pad1[4];
    uint64_t tail;    /* written by the writer thread: what it has taken */
    uint64_t durable; /* likewise: what it has committed; may be overwritten */
    char pad2[48];
    char pad3[RING_PAGE - 128];
    Slot slots[];
} Ring;

/* The file: this, and then the rings, of which most are holes. */
typedef struct BlackBox {
    char magic[8];
    uint32_t version;
    uint32_t rings_max, first_ring_slots, ring_slots;
    char id[40];    /* the log's meta row ring.id says the same */
    char path[256]; /* of the file that we are */
    char log[1024]; /* and of the log */
    char reason[128]; /* why it had to stop */
    int32_t fd;     /* of the processes that record; they hold its flock() */
    uint8_t state;  /* a BlackBoxState */
    bool has_parent; /* somebody waits for the recording process */
    char pad1[42];
    uint64_t root_dev, root_ino; /* of "/", where the log's path begins */

    uint64_t last_ticket; /* taken by any thread; on a cache line of its own */
    char pad2[120];
    uint32_t n_rings; /* that have ever been used */
    char pad3[2428];
} BlackBox;

typedef enum BlackBoxState {
    BOX_NEW,      /* there is no log yet */
    BOX_LOG,      /* the log exists, and nothing is in it */
    BOX_RUNNING,  /* the scenario runs */
    BOX_STOPPED,  /* it had to end, see reason: what there is, is kept */
    BOX_FINISHED, /* all of it is in the log */
    BOX_DETACHED, /* but for what detached threads did after its end */
} BlackBoxState;

QEMU_BUILD_BUG_ON(sizeof(Slot) != SLOT_SIZE);
QEMU_BUILD_BUG_ON(sizeof(Ring) != RING_PAGE);
QEMU_BUILD_BUG_ON(sizeof(BlackBox) != RING_PAGE);
QEMU_BUILD_BUG_ON(offsetof(BlackBox, last_ticket) % 128);

static inline uint64_t ring_slots(unsigned index)
{
    return index ? RING_SLOTS : FIRST_RING_SLOTS;
}

/* Where ring @index begins in the file; @index RINGS_MAX is the end. */
static inline size_t ring_offset(unsigned index)
{
    size_t first = sizeof(Ring) + (size_t)FIRST_RING_SLOTS * SLOT_SIZE;
    size_t other = sizeof(Ring) + (size_t)RING_SLOTS * SLOT_SIZE;

    return sizeof(BlackBox) + (index ? first + (index - 1) * other : 0);
}

static inline Ring *blackbox_ring(BlackBox *box, unsigned index)
{
    return (Ring *)((char *)box + ring_offset(index));
}

typedef struct RingSet RingSet;

/*
 * Makes and maps the file, which is locked as long as we or a child of ours
 * live.  NULL and *errp if there is no room for it.
 */
BlackBox *blackbox_new(const char *log_path, Error **errp);
/* Unmaps and removes the file. */
void blackbox_free(BlackBox *box);
/* Unmaps it; whoever opens the log will find the file. */
void blackbox_leave(BlackBox *box);
/* The log cannot be written any more: says so, and ends the process. */
void QEMU_NORETURN blackbox_stop(BlackBox *box, const char *reason);

/* ---- What a dead recorder left: bytes from a stranger ---- */

typedef struct RingReader {
    void (*input)(unsigned ring, const Input *input, void *opaque);
    void (*content)(uint64_t hash, const void *data, size_t len, void *opaque);
    void *opaque;
} RingReader;

/*
 * Gives all that @ring holds beyond its last commit, contents before inputs
 * that refer to them, up to the first thing that is not as a recorder leaves
 * it.  @ring is a copy of ring @index.
 */
void ring_read(const Ring *ring, unsigned index, const RingReader *reader);
/* Whether the file's first page is a black box, and the log's with this id. */
bool blackbox_is_valid(const BlackBox *box, const char *id);

/* Starts the writer thread; where @box is goes into @log. */
RingSet *ringset_new(Log *log, BlackBox *box);
/* Writes what there is and joins the writer; threads may go on. */
void ringset_stop_writer(RingSet *set);
/*
 * Writes all that is left and joins the writer.  Returns stalls; *inputs is
 * how many the log has.
 */
uint64_t ringset_finish(RingSet *set, uint64_t *inputs);
/*
 * A ring for the calling thread alone, until it is detached: one that another
 * thread had, or a new one, whose memory is there when this returns.  Any
 * thread, at any time.  If there are RINGS_MAX already, or no memory, the
 * recording ends with one line on stderr and exit status 5.
 */
Ring *ringset_attach(RingSet *set);
/* The calling thread puts nothing more into @ring. */
void ringset_detach(RingSet *set, Ring *ring);
BlackBox *ringset_box(RingSet *set);

/* The input in a slot whose head is not 0. */
static inline Input slot_input(const Slot *slot)
{
    return (Input){
        .ticket = slot->head >> 24, .thread = slot->head >> 8 & 0xffff,
        .kind = slot->head & 0xff, .check = slot->obj >> 56,
        .obj = slot->obj & ((1ULL << 56) - 1), .a = slot->a, .b = slot->b,
    };
}

/*
 * What a thread has that may not record: it never has room, and who waits for
 * some calls ring_nobody(), which does not return.
 */
extern Ring ring_of_nobody;
extern void (*ring_nobody)(void);

/* Waits until there is room for @n slots, which there was not. */
void ring_wait_slowly(Ring *ring, unsigned n);

static inline bool ring_has_room(const Ring *ring, unsigned n)
{
    return ring->head + n - ring->seen_durable <= ring->mask + 1;
}

static inline void ring_wait(Ring *ring, unsigned n)
{
    if (unlikely(!ring_has_room(ring, n))) {
        ring_wait_slowly(ring, n);
    }
}

/* Puts a content, which the log keeps under its hash. */
void ring_put_bytes(Ring *ring, uint64_t hash, const void *data, size_t len);

static inline Slot *ring_slot(Ring *ring, uint64_t at)
{
    return &ring->slots[at & ring->mask];
}

#endif
