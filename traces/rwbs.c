/* SPDX-License-Identifier: MIT */
/* The kernel's short names of what block events are about. */
#include "join.h"

static const Word letters[BLOCK_ACTION_MAX] = {
#define X(ID, letters, name) WORD(letters),
    BLOCK_ACTIONS(X)
#undef X
};

BlockAction block_action_find(Word word)
{
    for (unsigned i = 0; i < BLOCK_ACTION_MAX; i++) {
        if (word_same(word, letters[i])) {
            return i;
        }
    }
    return BLOCK_ACTION_MAX;
}

/* The operation's letter at @c; TRACE_OP_MAX: none, which N says. */
static bool op_of_letter(char c, uint8_t *op)
{
    switch (c) {
    case 'R':
        *op = TRACE_READ;
        return true;
    case 'W':
        *op = TRACE_WRITE;
        return true;
    case 'D':
        *op = TRACE_DISCARD;
        return true;
    case 'F':
        *op = TRACE_FLUSH;
        return true;
    case 'N':
        *op = TRACE_OP_MAX;
        return true;
    default:
        return false;
    }
}

static bool set_flag(char c, uint8_t *flags)
{
    switch (c) {
    case 'F':
        *flags |= TRACE_FLAG_FUA;
        return true;
    case 'A':
        *flags |= TRACE_FLAG_AHEAD;
        return true;
    case 'S':
        *flags |= TRACE_FLAG_SYNC_IO;
        return true;
    case 'M':
        *flags |= TRACE_FLAG_META;
        return true;
    case 'E':
        *flags |= TRACE_FLAG_SECURE;
        return true;
    case 'P':
        *flags |= TRACE_FLAG_PRIO;
        return true;
    case 'U': /* atomic, since 6.11: nothing that a record says */
        return true;
    default:
        return false;
    }
}

/* An operation's name by what moves: a pure flush, or zeroes. */
void block_settle_op(uint64_t bytes, uint8_t *op, uint8_t *flags)
{
    if (*op == TRACE_OP_MAX) {
        *op = bytes ? TRACE_WRITE_ZEROES
            : *flags & TRACE_FLAG_PREFLUSH ? TRACE_FLUSH : TRACE_OP_MAX;
    } else if (*op == TRACE_WRITE && !bytes && *flags & TRACE_FLAG_PREFLUSH) {
        *op = TRACE_FLUSH;
    }
    if (*op == TRACE_FLUSH) {
        *flags &= ~TRACE_FLAG_PREFLUSH;
    }
}

bool block_rwbs_parse(Word rwbs, uint64_t bytes, uint8_t *op, uint8_t *flags)
{
    size_t i = 0;

    *flags = 0;
    if (rwbs.len > 1 && rwbs.text[0] == 'F') {
        *flags |= TRACE_FLAG_PREFLUSH;
        i = 1;
    }
    if (i >= rwbs.len || rwbs.len > 10 || !op_of_letter(rwbs.text[i++], op)) {
        return false;
    }
    while (i < rwbs.len) {
        if (!set_flag(rwbs.text[i++], flags)) {
            return false;
        }
    }
    block_settle_op(bytes, op, flags);
    return true;
}
