/* SPDX-License-Identifier: MIT */
/* Where a lock is taken or given up: what the events of locks carry. */
#ifndef AIOLAB_LOCK_SITE_H
#define AIOLAB_LOCK_SITE_H

typedef struct ProbeSite {
    const char *file;
    int line;
    const char *func;
} ProbeSite;

typedef struct LockSite {
    ProbeSite site;
    const char *lock; /* as the caller writes it, "&ctx->lock"; or NULL */
} LockSite;

/* The place of the macro's use; it stays valid. */
#define LOCK_SITE_(lock)                                        \
    ({                                                          \
        static const LockSite lock_site_ = {                    \
            {__FILE__, __LINE__, __func__}, lock,               \
        };                                                      \
        &lock_site_;                                            \
    })

#endif
