/* SPDX-License-Identifier: MIT */
/*
 * Dropping bytes at the ends of an array of struct iovec.  At most one element
 * is cut; it is what has to be remembered to undo that.
 */
#include "qemu/iov.h"

static void remember(IOVDiscardUndo *undo, struct iovec *iov)
{
    if (undo) {
        undo->modified_iov = iov;
        undo->orig = *iov;
    }
}

void iov_discard_undo(IOVDiscardUndo *undo)
{
    if (undo->modified_iov) {
        *undo->modified_iov = undo->orig;
    }
}

size_t iov_discard_front_undoable(struct iovec **iov, unsigned int *iov_cnt,
                                  size_t bytes, IOVDiscardUndo *undo)
{
    struct iovec *first = *iov;
    size_t left = bytes;

    if (undo) {
        undo->modified_iov = NULL;
    }
    while (*iov_cnt > 0 && first->iov_len <= left) {
        left -= first->iov_len;
        first++;
        --*iov_cnt;
    }
    if (*iov_cnt > 0 && left > 0) {
        remember(undo, first);
        first->iov_base = (char *)first->iov_base + left;
        first->iov_len -= left;
        left = 0;
    }
    *iov = first;
    return bytes - left;
}

size_t iov_discard_back_undoable(struct iovec *iov, unsigned int *iov_cnt,
                                 size_t bytes, IOVDiscardUndo *undo)
{
    size_t left = bytes;

    if (undo) {
        undo->modified_iov = NULL;
    }
    while (*iov_cnt > 0 && iov[*iov_cnt - 1].iov_len <= left) {
        left -= iov[*iov_cnt - 1].iov_len;
        --*iov_cnt;
    }
    if (*iov_cnt > 0 && left > 0) {
        remember(undo, &iov[*iov_cnt - 1]);
        iov[*iov_cnt - 1].iov_len -= left;
        left = 0;
    }
    return bytes - left;
}

size_t iov_discard_front(struct iovec **iov, unsigned int *iov_cnt,
                         size_t bytes)
{
    return iov_discard_front_undoable(iov, iov_cnt, bytes, NULL);
}

size_t iov_discard_back(struct iovec *iov, unsigned int *iov_cnt, size_t bytes)
{
    return iov_discard_back_undoable(iov, iov_cnt, bytes, NULL);
}
