/* SPDX-License-Identifier: MIT */
/* The follower's cursors, for its host and its oracle. */
#ifndef EXPLORE_FOLLOW_INTERNAL_H
#define EXPLORE_FOLLOW_INTERNAL_H

#include "follow.h"
#include "machine.h"

/* A virtual thread, and the recorded one that it follows. */
typedef struct Follower {
    FollowedThread *result;
    GArray *sequence;  /* indexes of its inputs; NULL: nobody to follow */
    unsigned cursor;   /* in sequence: the next that has not come */
    uint64_t last;     /* ticket of the last one that came */
    unsigned stalled;  /* operations since the last that was found */
    unsigned lost;     /* how many in a row were not found */
    uint64_t turn;     /* when it may go on: see turn_of() */
    int64_t wanted;    /* place in sequence of what it is doing, or -1 */
    bool timed;        /* only time brings that about */
    bool publishes;    /* and has not done anything else since */
    int64_t taker;     /* of what it publishes: index of the input, or -1 */
    uint32_t unseen[HOST_SIGHT_MAX]; /* looks that a recording only counts */
    const HostMonitor *monitor; /* it waits there, or NULL */
} Follower;

typedef struct Follow {
    const Input *inputs;
    size_t n;
    FollowResult *result;
    uint64_t *gates;       /* of inputs that take what was published: the
                              ticket before which it must be there */
    uint64_t *earliest;    /* of those: the ticket after which it came; 0: any */
    GHashTable *sequences; /* recorded thread -> GArray */
    GHashTable *taken;     /* recorded object -> GArray of the inputs that
                              take what it published */
    GHashTable *numbers;   /* recorded QemuThread -> its number */
    Follower threads[FOLLOW_THREADS]; /* by number of the virtual thread */
    uint32_t order;        /* how many inputs have come */
    uint64_t newest;       /* the latest ticket of those */
    unsigned patience;     /* how often time may still pass for nothing */
} Follow;

extern Follow follow;

enum { FOLLOW_PATIENCE = 1000 };

/* Turns: a ticket's, and before it those who publish what it takes. */
static inline uint64_t turn_of(uint64_t ticket)
{
    return 2 * ticket;
}
static inline uint64_t turn_before(uint64_t ticket)
{
    return 2 * ticket - 1;
}
enum { TURN_NOW = 0 };
#define TURN_LAST UINT64_MAX

Follower *follow_self(void);
Follower *follow_thread(uint64_t id);
/* The recorded name of a simulated object; itself if there is none. */
uint64_t follow_object(uint64_t id);
/* The input that the thread does, or NULL. */
const Input *follow_wanted(const Follower *f);
/* Of the next one that has not come, or 0. */
uint64_t follow_next_ticket(const Follower *f);

/* follow-read.c: without what data it brought */
InputKind follow_plain_kind(InputKind kind);
/* Those that come now and then, and have no object: one is like another. */
bool follow_is_loose(InputKind kind);
bool follow_has_object(InputKind kind);
GHashTable *follow_table_new(GDestroyNotify free_value);
/* Fills in the tables of inputs. */
void follow_read(void);

/* The calling thread is about to do this, and has done it. */
void follow_begin(InputKind kind, uint64_t obj);
/* A kernel's wait may end for nothing; one of the machine's does not. */
void follow_begin_wait(int64_t timeout_ns);
void follow_end(void);
/* Both: what needs no turn of its own. */
void follow_note(InputKind kind, uint64_t obj);
/* It looks at memory until another thread changes it. */
void follow_spins(void);
/*
 * It begins another turn.  What it looks at next tells when: others may have
 * had something for it before, and nobody tells who is not about to sleep.
 */
void follow_turn_ends(void);
/* It has looked, and found @value. */
void follow_observed(HostSight what, uint64_t value);
/* It is about to publish @obj, which inputs of other threads take. */
void follow_publish(uint64_t obj);
/* follow-host.c */
void follow_host_init(void);
/* True if the recording says who took what @obj published. */
bool follow_is_taken(uint64_t obj);
/* It was created: whom does it follow? */
void follow_created(uint64_t qemu_thread, uint32_t id, const char *name);

#endif
