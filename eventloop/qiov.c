/* SPDX-License-Identifier: MIT */
/* Scatter/gather vectors that know their size; QEMU: util/iov.c. */
#include "qemu/cutils.h"
#include "qemu/iov.h"

/* ---- Beginning and end ---- */

void qemu_iovec_init(QEMUIOVector *qiov, int alloc_hint)
{
    *qiov = (QEMUIOVector){
        .iov = g_new(struct iovec, MAX(alloc_hint, 1)),
        .nalloc = MAX(alloc_hint, 1),
    };
}

void qemu_iovec_init_external(QEMUIOVector *qiov, struct iovec *iov, int niov)
{
    *qiov = (QEMUIOVector){.iov = iov, .niov = niov, .nalloc = -1};
    qiov->size = iov_size(iov, niov);
}

void qemu_iovec_init_slice(QEMUIOVector *qiov, QEMUIOVector *source,
                           size_t offset, size_t len)
{
    size_t head, tail;
    int niov;
    struct iovec *iov = qemu_iovec_slice(source, offset, len, &head, &tail,
                                         &niov);

    if (niov == 1) {
        qemu_iovec_init_buf(qiov, (char *)iov->iov_base + head, len);
    } else {
        qemu_iovec_init(qiov, niov);
        qemu_iovec_concat(qiov, source, offset, len);
    }
}

void qemu_iovec_destroy(QEMUIOVector *qiov)
{
    if (qiov->nalloc != -1) {
        g_free(qiov->iov);
    }
    *qiov = (QEMUIOVector){.nalloc = -1};
}

/* ---- Slices ---- */

/* The element that holds byte @offset from @iov on; *@rest is where in it. */
static struct iovec *skip(struct iovec *iov, size_t offset, size_t *rest)
{
    while (offset > 0 && offset >= iov->iov_len) {
        offset -= iov->iov_len;
        iov++;
    }
    *rest = offset;
    return iov;
}

struct iovec *qemu_iovec_slice(QEMUIOVector *qiov, size_t offset, size_t len,
                               size_t *head, size_t *tail, int *niov)
{
    struct iovec *first, *end;

    assert(offset <= qiov->size && len <= qiov->size - offset);
    first = skip(qiov->iov, offset, head);
    end = skip(first, *head + len, tail);
    if (*tail > 0) {
        *tail = end->iov_len - *tail;
        end++;
    }
    *niov = end - first;
    return first;
}

int qemu_iovec_subvec_niov(QEMUIOVector *qiov, size_t offset, size_t len)
{
    size_t head, tail;
    int niov;

    qemu_iovec_slice(qiov, offset, len, &head, &tail, &niov);
    return niov;
}

/* ---- Growing and shrinking ---- */

void qemu_iovec_add(QEMUIOVector *qiov, void *base, size_t len)
{
    assert(qiov->nalloc != -1);
    if (qiov->niov == qiov->nalloc) {
        qiov->nalloc = 2 * qiov->nalloc + 1;
        qiov->iov = g_renew(struct iovec, qiov->iov, qiov->nalloc);
    }
    qiov->iov[qiov->niov++] = (struct iovec){base, len};
    qiov->size += len;
}

size_t qemu_iovec_concat_iov(QEMUIOVector *dst, struct iovec *src_iov,
                             unsigned int src_cnt, size_t soffset,
                             size_t sbytes)
{
    size_t before = dst->size;

    assert(dst->nalloc != -1);
    for (unsigned i = 0; i < src_cnt && sbytes; i++) {
        size_t len = src_iov[i].iov_len;

        if (soffset >= len) {
            soffset -= len;
            continue;
        }
        len = MIN(len - soffset, sbytes);
        qemu_iovec_add(dst, (char *)src_iov[i].iov_base + soffset, len);
        sbytes -= len;
        soffset = 0;
    }
    return dst->size - before;
}

void qemu_iovec_concat(QEMUIOVector *dst, QEMUIOVector *src, size_t soffset,
                       size_t sbytes)
{
    qemu_iovec_concat_iov(dst, src->iov, src->niov, soffset, sbytes);
}

void qemu_iovec_reset(QEMUIOVector *qiov)
{
    assert(qiov->nalloc != -1);
    qiov->niov = 0;
    qiov->size = 0;
}

void qemu_iovec_discard_back(QEMUIOVector *qiov, size_t bytes)
{
    size_t left = qiov->size - bytes;
    unsigned niov = qiov->niov;

    assert(bytes <= qiov->size);
    iov_discard_back(qiov->iov, &niov, bytes);
    qiov->niov = niov;
    qiov->size = left; /* of one buffer, this is its length too */
}

/* ---- A copy with the same overlaps ---- */

static gint compare_bases(gconstpointer a, gconstpointer b)
{
    const struct iovec *const *x = a, *const *y = b;

    return ((*x)->iov_base > (*y)->iov_base) -
           ((*x)->iov_base < (*y)->iov_base);
}

/*
 * In the order of their addresses, elements that touch or overlap are moved
 * as one block.
 */
static void place(GPtrArray *by_address, const struct iovec *src,
                  struct iovec *dest, char *buf)
{
    char *block = NULL, *block_end = NULL; /* of the source */

    for (unsigned i = 0; i < by_address->len; i++) {
        const struct iovec *from = g_ptr_array_index(by_address, i);
        char *base = from->iov_base;

        if (!block || base > block_end) {
            buf += block_end - block;
            block = block_end = base;
        }
        block_end = MAX(block_end, base + from->iov_len);
        dest[from - src].iov_base = buf + (base - block);
    }
}

void qemu_iovec_clone(QEMUIOVector *dest, const QEMUIOVector *src, void *buf)
{
    GPtrArray *by_address = g_ptr_array_new();

    assert(dest->niov == 0);
    for (int i = 0; i < src->niov; i++) {
        g_ptr_array_add(by_address, &src->iov[i]);
        qemu_iovec_add(dest, NULL, src->iov[i].iov_len);
    }
    g_ptr_array_sort(by_address, compare_bases);
    place(by_address, src->iov, dest->iov, buf);
    g_ptr_array_free(by_address, true);
}

/* ---- Bytes ---- */

size_t qemu_iovec_memset(QEMUIOVector *qiov, size_t offset, int fillc,
                         size_t bytes)
{
    return iov_memset(qiov->iov, qiov->niov, offset, fillc, bytes);
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

/* Each byte equals the one before it, and the first is 0. */
bool buffer_is_zero(const void *buf, size_t len)
{
    const char *bytes = buf;

    return len == 0 || (!bytes[0] && !memcmp(bytes, bytes + 1, len - 1));
}

bool qemu_iovec_is_zero(QEMUIOVector *qiov, size_t qiov_offset, size_t bytes)
{
    size_t rest;
    struct iovec *iov;

    assert(qiov_offset <= qiov->size && bytes <= qiov->size - qiov_offset);
    iov = skip(qiov->iov, qiov_offset, &rest);
    for (; bytes > 0; iov++, rest = 0) {
        size_t len = MIN(iov->iov_len - rest, bytes);

        if (!buffer_is_zero((char *)iov->iov_base + rest, len)) {
            return false;
        }
        bytes -= len;
    }
    return true;
}

ssize_t qemu_iovec_compare(QEMUIOVector *a, QEMUIOVector *b)
{
    ssize_t offset = 0;

    assert(a->niov == b->niov);
    for (int i = 0; i < a->niov; i++) {
        const char *x = a->iov[i].iov_base, *y = b->iov[i].iov_base;
        size_t len = 0;

        assert(a->iov[i].iov_len == b->iov[i].iov_len);
        while (len < a->iov[i].iov_len && x[len] == y[len]) {
            len++;
        }
        offset += len;
        if (len != a->iov[i].iov_len) {
            return offset;
        }
    }
    return -1;
}
