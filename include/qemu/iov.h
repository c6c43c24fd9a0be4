/* SPDX-License-Identifier: MIT */
/*
 * Scatter/gather lists, after QEMU's qemu/iov.h: arrays of struct iovec
 * (iov_...), and vectors that know their number and size (qemu_iovec_...).
 *
 * A list says where bytes are and owns none of them.  Functions that copy or
 * fill return how many bytes they did: fewer than asked for if the list ends
 * first, 0 if @offset is behind its end.
 */
#ifndef QEMU_IOV_H
#define QEMU_IOV_H

#include "qemu/osdep.h"

/* ---- Arrays ---- */

/* In bytes. */
size_t iov_size(const struct iovec *iov, const unsigned int iov_cnt);

size_t iov_from_buf_full(const struct iovec *iov, unsigned int iov_cnt,
                         size_t offset, const void *buf, size_t bytes);
size_t iov_to_buf_full(const struct iovec *iov, const unsigned int iov_cnt,
                       size_t offset, void *buf, size_t bytes);
size_t iov_memset(const struct iovec *iov, const unsigned int iov_cnt,
                  size_t offset, int fillc, size_t bytes);

/* All of it is in the first element: the usual case of a header. */
#define IOV_IN_FIRST_(iov, iov_cnt, offset, bytes)                       \
    (__builtin_constant_p(bytes) && (iov_cnt) > 0 &&                     \
     (offset) <= (iov)[0].iov_len &&                                     \
     (bytes) <= (iov)[0].iov_len - (offset))

static inline size_t iov_from_buf(const struct iovec *iov,
                                  unsigned int iov_cnt, size_t offset,
                                  const void *buf, size_t bytes)
{
    if (IOV_IN_FIRST_(iov, iov_cnt, offset, bytes)) {
        memcpy((char *)iov[0].iov_base + offset, buf, bytes);
        return bytes;
    }
    return iov_from_buf_full(iov, iov_cnt, offset, buf, bytes);
}

static inline size_t iov_to_buf(const struct iovec *iov,
                                const unsigned int iov_cnt, size_t offset,
                                void *buf, size_t bytes)
{
    if (IOV_IN_FIRST_(iov, iov_cnt, offset, bytes)) {
        memcpy(buf, (char *)iov[0].iov_base + offset, bytes);
        return bytes;
    }
    return iov_to_buf_full(iov, iov_cnt, offset, buf, bytes);
}

/*
 * Makes @dst_iov describe [@offset, @offset + @bytes) of @iov, as far as its
 * elements suffice; returns how many it took.  Bytes are not copied.
 */
unsigned iov_copy(struct iovec *dst_iov, unsigned int dst_iov_cnt,
                  const struct iovec *iov, unsigned int iov_cnt,
                  size_t offset, size_t bytes);

/*
 * Drops @bytes at an end, by changing the array: the pointer to it, the
 * number, and the element that is cut.  Return how many were dropped.
 */
size_t iov_discard_front(struct iovec **iov, unsigned int *iov_cnt,
                         size_t bytes);
size_t iov_discard_back(struct iovec *iov, unsigned int *iov_cnt,
                        size_t bytes);

/* The element that was cut, as it was. */
typedef struct {
    struct iovec *modified_iov;
    struct iovec orig;
} IOVDiscardUndo;

/* Restores that element; the last operation is undone first. */
void iov_discard_undo(IOVDiscardUndo *undo);
size_t iov_discard_front_undoable(struct iovec **iov, unsigned int *iov_cnt,
                                  size_t bytes, IOVDiscardUndo *undo);
size_t iov_discard_back_undoable(struct iovec *iov, unsigned int *iov_cnt,
                                 size_t bytes, IOVDiscardUndo *undo);

/*
 * Live only.  Moves [@offset, @offset + @bytes), which must be inside @iov,
 * through a socket.  Returns how many bytes it did, or -1 and errno if none:
 * a socket that does not block may take fewer, and a peer that has closed
 * ends receiving.
 */
ssize_t iov_send_recv_with_flags(int sockfd, int sockflags,
                                 const struct iovec *iov, unsigned iov_cnt,
                                 size_t offset, size_t bytes, bool do_send);
ssize_t iov_send_recv(int sockfd, const struct iovec *iov, unsigned iov_cnt,
                      size_t offset, size_t bytes, bool do_send);
#define iov_recv(sockfd, iov, iov_cnt, offset, bytes) \
    iov_send_recv(sockfd, iov, iov_cnt, offset, bytes, false)
#define iov_send(sockfd, iov, iov_cnt, offset, bytes) \
    iov_send_recv(sockfd, iov, iov_cnt, offset, bytes, true)

/* ---- Vectors ---- */

/*
 * One of three: with an array of its own, which grows (nalloc >= 0); around an
 * array of the caller's; or around one buffer, whose only element is inside.
 * The size is where that element has its length, so an initialiser for one
 * buffer sets both.
 */
struct QEMUIOVector {
    struct iovec *iov;
    int niov;
    union {
        struct {
            int nalloc; /* -1: the array is not ours */
            struct iovec local_iov;
        };
        struct {
            char pad_[sizeof(int) + offsetof(struct iovec, iov_len)];
            size_t size; /* in bytes */
        };
    };
};

QEMU_BUILD_BUG_ON(offsetof(QEMUIOVector, size) !=
                  offsetof(QEMUIOVector, local_iov.iov_len));

#define QEMU_IOVEC_INIT_BUF(self, buf, len)                     \
    {                                                           \
        .iov = &(self).local_iov, .niov = 1, .nalloc = -1,      \
        .local_iov = {                                          \
            .iov_base = (void *)(buf), .iov_len = (len),        \
        },                                                      \
    }

/* @buf is not written to, if only what reads from the vector uses it. */
static inline void qemu_iovec_init_buf(QEMUIOVector *qiov, const void *buf,
                                       size_t len)
{
    *qiov = (QEMUIOVector)QEMU_IOVEC_INIT_BUF(*qiov, buf, len);
}

/* Of a vector around one buffer: that. */
static inline void *qemu_iovec_buf(QEMUIOVector *qiov)
{
    assert(qiov->nalloc == -1 && qiov->iov == &qiov->local_iov);
    return qiov->local_iov.iov_base;
}

static inline size_t qemu_iovec_size(QEMUIOVector *qiov)
{
    return qiov->size;
}

/* Empty, with room for @alloc_hint elements before it has to grow. */
void qemu_iovec_init(QEMUIOVector *qiov, int alloc_hint);
void qemu_iovec_init_external(QEMUIOVector *qiov, struct iovec *iov, int niov);
/* The bytes [@offset, @offset + @len) of @source, which must have them. */
void qemu_iovec_init_slice(QEMUIOVector *qiov, QEMUIOVector *source,
                           size_t offset, size_t len);
/* Makes it a vector that has nothing and must not grow. */
void qemu_iovec_destroy(QEMUIOVector *qiov);

/*
 * The elements that hold [@offset, @offset + @len): the first one, their
 * number, and how many bytes before and behind are not wanted.
 */
struct iovec *qemu_iovec_slice(QEMUIOVector *qiov, size_t offset, size_t len,
                               size_t *head, size_t *tail, int *niov);
int qemu_iovec_subvec_niov(QEMUIOVector *qiov, size_t offset, size_t len);

/* These change vectors with an array of their own. */
void qemu_iovec_add(QEMUIOVector *qiov, void *base, size_t len);
/* Append [@soffset, @soffset + @sbytes), as far as the source has it. */
void qemu_iovec_concat(QEMUIOVector *dst, QEMUIOVector *src, size_t soffset,
                       size_t sbytes);
size_t qemu_iovec_concat_iov(QEMUIOVector *dst, struct iovec *src_iov,
                             unsigned int src_cnt, size_t soffset,
                             size_t sbytes);
void qemu_iovec_reset(QEMUIOVector *qiov);
/* Any vector, of at least that size. */
void qemu_iovec_discard_back(QEMUIOVector *qiov, size_t bytes);
/*
 * Adds to the empty @dest the elements of @src, with their bytes in @buf
 * instead: elements that overlap there overlap here.  Nothing is copied.
 */
void qemu_iovec_clone(QEMUIOVector *dest, const QEMUIOVector *src, void *buf);

size_t qemu_iovec_to_buf(QEMUIOVector *qiov, size_t offset, void *buf,
                         size_t bytes);
size_t qemu_iovec_from_buf(QEMUIOVector *qiov, size_t offset, const void *buf,
                           size_t bytes);
size_t qemu_iovec_memset(QEMUIOVector *qiov, size_t offset, int fillc,
                         size_t bytes);
/* The range must be inside. */
bool qemu_iovec_is_zero(QEMUIOVector *qiov, size_t qiov_offset, size_t bytes);
/* Of vectors with elements of equal sizes: the first difference, or -1. */
ssize_t qemu_iovec_compare(QEMUIOVector *a, QEMUIOVector *b);

#endif
