/* SPDX-License-Identifier: MIT */
/*
 * Arrays of struct iovec: walk the elements, copy or fill a byte range.
 * QEMU: util/iov.c.
 */
#include "qemu/iov.h"

size_t iov_size(const struct iovec *iov, const unsigned int iov_cnt)
{
    size_t size = 0;

    for (unsigned i = 0; i < iov_cnt; i++) {
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

size_t iov_from_buf_full(const struct iovec *iov, unsigned int iov_cnt,
                         size_t offset, const void *buf, size_t bytes)
{
    return iov_walk(iov, iov_cnt, offset, bytes, piece_from_buf, (void *)buf);
}

size_t iov_to_buf_full(const struct iovec *iov, const unsigned int iov_cnt,
                       size_t offset, void *buf, size_t bytes)
{
    return iov_walk(iov, iov_cnt, offset, bytes, piece_to_buf, buf);
}

size_t iov_memset(const struct iovec *iov, const unsigned int iov_cnt,
                  size_t offset, int fillc, size_t bytes)
{
    return iov_walk(iov, iov_cnt, offset, bytes, piece_memset, &fillc);
}

unsigned iov_copy(struct iovec *dst_iov, unsigned int dst_iov_cnt,
                  const struct iovec *iov, unsigned int iov_cnt,
                  size_t offset, size_t bytes)
{
    unsigned n = 0;

    for (unsigned i = 0; i < iov_cnt && n < dst_iov_cnt && bytes; i++) {
        size_t len = iov[i].iov_len;

        if (offset >= len) {
            offset -= len;
            continue;
        }
        len = MIN(len - offset, bytes);
        dst_iov[n++] = (struct iovec){(char *)iov[i].iov_base + offset, len};
        bytes -= len;
        offset = 0;
    }
    return n;
}
