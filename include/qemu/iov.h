/* SPDX-License-Identifier: MIT */
/* Scatter/gather lists, after QEMU's qemu/iov.h. */
#ifndef QEMU_IOV_H
#define QEMU_IOV_H

#include "qemu/osdep.h"

struct QEMUIOVector {
    struct iovec *iov;
    int niov;
    int nalloc; /* -1: the array belongs to the caller, or is local_iov */
    size_t size;
    struct iovec local_iov;
};

#define QEMU_IOVEC_INIT_BUF(self, buf, len)          \
    {                                                \
        .iov = &(self).local_iov, .niov = 1,         \
        .nalloc = -1, .size = (len),                 \
        .local_iov = {(void *)(buf), (len)},         \
    }

static inline size_t qemu_iovec_size(QEMUIOVector *qiov)
{
    return qiov->size;
}

void qemu_iovec_init(QEMUIOVector *qiov, int alloc_hint);
void qemu_iovec_init_buf(QEMUIOVector *qiov, void *buf, size_t len);
void qemu_iovec_init_external(QEMUIOVector *qiov, struct iovec *iov, int niov);
void qemu_iovec_add(QEMUIOVector *qiov, void *base, size_t len);
/* Appends @bytes of @src that begin at @soffset. */
void qemu_iovec_concat(QEMUIOVector *dst, QEMUIOVector *src, size_t soffset,
                       size_t bytes);
void qemu_iovec_reset(QEMUIOVector *qiov);
void qemu_iovec_destroy(QEMUIOVector *qiov);
size_t qemu_iovec_memset(QEMUIOVector *qiov, size_t offset, int byte,
                         size_t bytes);
size_t qemu_iovec_from_buf(QEMUIOVector *qiov, size_t offset, const void *buf,
                           size_t bytes);
size_t qemu_iovec_to_buf(QEMUIOVector *qiov, size_t offset, void *buf,
                         size_t bytes);

size_t iov_size(const struct iovec *iov, unsigned niov);
size_t iov_from_buf(const struct iovec *iov, unsigned niov, size_t offset,
                    const void *buf, size_t bytes);
size_t iov_to_buf(const struct iovec *iov, unsigned niov, size_t offset,
                  void *buf, size_t bytes);
size_t iov_memset(const struct iovec *iov, unsigned niov, size_t offset,
                  int byte, size_t bytes);

#endif
