/* SPDX-License-Identifier: MIT */
/* Scatter/gather lists: walk the elements, copy or fill a byte range. */
#include "qemu/iov.h"

void qemu_iovec_init(QEMUIOVector *qiov, int alloc_hint)
{
    *qiov = (QEMUIOVector){
        .iov = g_new(struct iovec, MAX(alloc_hint, 1)),
        .nalloc = MAX(alloc_hint, 1),
    };
}

void qemu_iovec_init_buf(QEMUIOVector *qiov, void *buf, size_t len)
{
    *qiov = (QEMUIOVector)QEMU_IOVEC_INIT_BUF(*qiov, buf, len);
}

void qemu_iovec_init_external(QEMUIOVector *qiov, struct iovec *iov, int niov)
{
    *qiov = (QEMUIOVector){
        .iov = iov, .niov = niov, .nalloc = -1, .size = iov_size(iov, niov),
    };
}

void qemu_iovec_add(QEMUIOVector *qiov, void *base, size_t len)
{
    assert(qiov->nalloc != -1);
    if (qiov->niov == qiov->nalloc) {
        qiov->nalloc *= 2;
        qiov->iov = g_renew(struct iovec, qiov->iov, qiov->nalloc);
    }
    qiov->iov[qiov->niov++] = (struct iovec){base, len};
    qiov->size += len;
}

void qemu_iovec_concat(QEMUIOVector *dst, QEMUIOVector *src, size_t soffset,
                       size_t bytes)
{
    for (int i = 0; i < src->niov && bytes; i++) {
        size_t len = src->iov[i].iov_len;

        if (soffset >= len) {
            soffset -= len;
            continue;
        }
        len = MIN(len - soffset, bytes);
        qemu_iovec_add(dst, (char *)src->iov[i].iov_base + soffset, len);
        bytes -= len;
        soffset = 0;
    }
}

void qemu_iovec_reset(QEMUIOVector *qiov)
{
    assert(qiov->nalloc != -1);
    qiov->niov = 0;
    qiov->size = 0;
}

void qemu_iovec_destroy(QEMUIOVector *qiov)
{
    if (qiov->nalloc != -1) {
        g_free(qiov->iov);
    }
    *qiov = (QEMUIOVector){.nalloc = -1};
}

size_t iov_size(const struct iovec *iov, unsigned niov)
{
    size_t size = 0;

    for (unsigned i = 0; i < niov; i++) {
        size += iov[i].iov_len;
    }
    return size;
}

typedef void IovPieceFn(void *piece, size_t len, size_t done, void *opaque);

/* Calls @fn for each piece of [@offset, @offset + @bytes); returns its size. */
static size_t iov_walk(const struct iovec *iov, unsigned niov, size_t offset,
                       size_t bytes, IovPieceFn *fn, void *opaque)
{
    size_t done = 0;

    for (unsigned i = 0; i < niov && done < bytes; i++) {
        size_t len = iov[i].iov_len;

        if (offset >= len) {
            offset -= len;
            continue;
        }
        len = MIN(len - offset, bytes - done);
        fn((char *)iov[i].iov_base + offset, len, done, opaque);
        done += len;
        offset = 0;
    }
    return done;
}

static void piece_from_buf(void *piece, size_t len, size_t done, void *buf)
{
    memcpy(piece, (char *)buf + done, len);
}

static void piece_to_buf(void *piece, size_t len, size_t done, void *buf)
{
    memcpy((char *)buf + done, piece, len);
}

static void piece_memset(void *piece, size_t len, size_t done, void *byte)
{
    memset(piece, *(int *)byte, len);
}

size_t iov_from_buf(const struct iovec *iov, unsigned niov, size_t offset,
                    const void *buf, size_t bytes)
{
    return iov_walk(iov, niov, offset, bytes, piece_from_buf, (void *)buf);
}

size_t iov_to_buf(const struct iovec *iov, unsigned niov, size_t offset,
                  void *buf, size_t bytes)
{
    return iov_walk(iov, niov, offset, bytes, piece_to_buf, buf);
}

size_t iov_memset(const struct iovec *iov, unsigned niov, size_t offset,
                  int byte, size_t bytes)
{
    return iov_walk(iov, niov, offset, bytes, piece_memset, &byte);
}

size_t qemu_iovec_memset(QEMUIOVector *qiov, size_t offset, int byte,
                         size_t bytes)
{
    return iov_memset(qiov->iov, qiov->niov, offset, byte, bytes);
}

size_t qemu_iovec_from_buf(QEMUIOVector *qiov, size_t offset, const void *buf,
                           size_t bytes)
{
    return iov_from_buf(qiov->iov, qiov->niov, offset, buf, bytes);
}

size_t qemu_iovec_to_buf(QEMUIOVector *qiov, size_t offset, void *buf,
                         size_t bytes)
{
    return iov_to_buf(qiov->iov, qiov->niov, offset, buf, bytes);
}
