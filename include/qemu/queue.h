/* SPDX-License-Identifier: MIT */
/*
 * Intrusive lists under QEMU's names.
 *
 *   QSLIST    singly linked, push and pop at the head
 *   QLIST     doubly linked, remove from anywhere without knowing the head
 *   QSIMPLEQ  singly linked queue, insert at the tail
 *   QTAILQ    doubly linked queue
 *
 * An element embeds the ..._ENTRY; a list is a ..._HEAD.  None of them locks,
 * except for the two operations whose names end in _ATOMIC.
 */
#ifndef QEMU_QUEUE_H
#define QEMU_QUEUE_H

#include "qemu/atomic.h"

/* ---- QSLIST ---- */

#define QSLIST_HEAD(name, type) \
    struct name {               \
        struct type *slh_first; \
    }
#define QSLIST_ENTRY(type)     \
    struct {                   \
        struct type *sle_next; \
    }
#define QSLIST_HEAD_INITIALIZER(head) {NULL}

#define QSLIST_INIT(head) ((void)((head)->slh_first = NULL))
#define QSLIST_EMPTY(head) ((head)->slh_first == NULL)
#define QSLIST_FIRST(head) ((head)->slh_first)
#define QSLIST_NEXT(elm, field) ((elm)->field.sle_next)

#define QSLIST_INSERT_HEAD(head, elm, field)          \
    do {                                              \
        (elm)->field.sle_next = (head)->slh_first;    \
        (head)->slh_first = (elm);                    \
    } while (0)

#define QSLIST_REMOVE_HEAD(head, field)                            \
    do {                                                           \
        __typeof__((head)->slh_first) first_ = (head)->slh_first;  \
        (head)->slh_first = first_->field.sle_next;                \
        first_->field.sle_next = NULL;                             \
    } while (0)

#define QSLIST_FOREACH(var, head, field) \
    for ((var) = (head)->slh_first; (var); (var) = (var)->field.sle_next)

#define QSLIST_FOREACH_SAFE(var, head, field, next_)                     \
    for ((var) = (head)->slh_first;                                      \
         (var) && ((next_) = (var)->field.sle_next, 1); (var) = (next_))

/* Push from any thread; pairs with QSLIST_MOVE_ATOMIC. */
#define QSLIST_INSERT_HEAD_ATOMIC(head, elm, field)                        \
    do {                                                                   \
        __typeof__(elm) old_ = qatomic_read(&(head)->slh_first);           \
        __typeof__(elm) seen_;                                             \
        do {                                                               \
            seen_ = old_;                                                  \
            (elm)->field.sle_next = old_;                                  \
            old_ = qatomic_cmpxchg(&(head)->slh_first, seen_, elm);        \
        } while (old_ != seen_);                                           \
    } while (0)

/* Take the whole list in one step; pairs with QSLIST_INSERT_HEAD_ATOMIC. */
#define QSLIST_MOVE_ATOMIC(dest, src) \
    ((void)((dest)->slh_first = qatomic_xchg(&(src)->slh_first, NULL)))

/* ---- QLIST ---- */

#define QLIST_HEAD(name, type) \
    struct name {              \
        struct type *lh_first; \
    }
#define QLIST_ENTRY(type)                                           \
    struct {                                                        \
        struct type *le_next;  /* next element */                   \
        struct type **le_prev; /* the pointer that points at us */  \
    }
#define QLIST_HEAD_INITIALIZER(head) {NULL}

#define QLIST_INIT(head) ((void)((head)->lh_first = NULL))
#define QLIST_EMPTY(head) ((head)->lh_first == NULL)
#define QLIST_FIRST(head) ((head)->lh_first)
#define QLIST_NEXT(elm, field) ((elm)->field.le_next)
#define QLIST_IS_INSERTED(elm, field) ((elm)->field.le_prev != NULL)

#define QLIST_INSERT_HEAD(head, elm, field)                           \
    do {                                                              \
        (elm)->field.le_next = (head)->lh_first;                      \
        if ((head)->lh_first) {                                       \
            (head)->lh_first->field.le_prev = &(elm)->field.le_next;  \
        }                                                             \
        (head)->lh_first = (elm);                                     \
        (elm)->field.le_prev = &(head)->lh_first;                     \
    } while (0)

/* A reader that walks the list without the lock sees the element whole. */
#define QLIST_INSERT_HEAD_RCU(head, elm, field)                       \
    do {                                                              \
        (elm)->field.le_next = (head)->lh_first;                      \
        (elm)->field.le_prev = &(head)->lh_first;                     \
        if ((head)->lh_first) {                                       \
            (head)->lh_first->field.le_prev = &(elm)->field.le_next;  \
        }                                                             \
        qatomic_store_release(&(head)->lh_first, elm);                \
    } while (0)

#define QLIST_REMOVE(elm, field)                                         \
    do {                                                                 \
        if ((elm)->field.le_next) {                                      \
            (elm)->field.le_next->field.le_prev = (elm)->field.le_prev;  \
        }                                                                \
        *(elm)->field.le_prev = (elm)->field.le_next;                    \
        (elm)->field.le_next = NULL;                                     \
        (elm)->field.le_prev = NULL;                                     \
    } while (0)

#define QLIST_SAFE_REMOVE(elm, field)         \
    do {                                      \
        if (QLIST_IS_INSERTED(elm, field)) {  \
            QLIST_REMOVE(elm, field);         \
        }                                     \
    } while (0)

#define QLIST_FOREACH(var, head, field) \
    for ((var) = (head)->lh_first; (var); (var) = (var)->field.le_next)

#define QLIST_FOREACH_RCU(var, head, field)                 \
    for ((var) = qatomic_load_acquire(&(head)->lh_first);   \
         (var); (var) = qatomic_load_acquire(&(var)->field.le_next))

#define QLIST_FOREACH_SAFE(var, head, field, next_)                     \
    for ((var) = (head)->lh_first;                                      \
         (var) && ((next_) = (var)->field.le_next, 1); (var) = (next_))

/* ---- QSIMPLEQ ---- */

#define QSIMPLEQ_HEAD(name, type) \
    struct name {                 \
        struct type *sqh_first;   \
        struct type **sqh_last;   \
    }
#define QSIMPLEQ_ENTRY(type)   \
    struct {                   \
        struct type *sqe_next; \
    }
#define QSIMPLEQ_HEAD_INITIALIZER(head) {NULL, &(head).sqh_first}

#define QSIMPLEQ_INIT(head)                     \
    do {                                        \
        (head)->sqh_first = NULL;               \
        (head)->sqh_last = &(head)->sqh_first;  \
    } while (0)
#define QSIMPLEQ_EMPTY(head) ((head)->sqh_first == NULL)
#define QSIMPLEQ_FIRST(head) ((head)->sqh_first)
#define QSIMPLEQ_NEXT(elm, field) ((elm)->field.sqe_next)

#define QSIMPLEQ_INSERT_HEAD(head, elm, field)                  \
    do {                                                        \
        (elm)->field.sqe_next = (head)->sqh_first;              \
        if (!(head)->sqh_first) {                               \
            (head)->sqh_last = &(elm)->field.sqe_next;          \
        }                                                       \
        (head)->sqh_first = (elm);                              \
    } while (0)

#define QSIMPLEQ_INSERT_TAIL(head, elm, field)       \
    do {                                             \
        (elm)->field.sqe_next = NULL;                \
        *(head)->sqh_last = (elm);                   \
        (head)->sqh_last = &(elm)->field.sqe_next;   \
    } while (0)

#define QSIMPLEQ_REMOVE_HEAD(head, field)                             \
    do {                                                              \
        (head)->sqh_first = (head)->sqh_first->field.sqe_next;        \
        if (!(head)->sqh_first) {                                     \
            (head)->sqh_last = &(head)->sqh_first;                    \
        }                                                             \
    } while (0)

/* Append all of @tail to @head; @tail is left empty. */
#define QSIMPLEQ_CONCAT(head, tail)                 \
    do {                                            \
        if (!QSIMPLEQ_EMPTY(tail)) {                \
            *(head)->sqh_last = (tail)->sqh_first;  \
            (head)->sqh_last = (tail)->sqh_last;    \
            QSIMPLEQ_INIT(tail);                    \
        }                                           \
    } while (0)

#define QSIMPLEQ_FOREACH(var, head, field) \
    for ((var) = (head)->sqh_first; (var); (var) = (var)->field.sqe_next)

/* ---- QTAILQ ---- */

#define QTAILQ_HEAD(name, type)  \
    struct name {                \
        struct type *tqh_first;  \
        struct type **tqh_last;  \
    }
#define QTAILQ_ENTRY(type)       \
    struct {                     \
        struct type *tqe_next;   \
        struct type **tqe_prev;  \
    }
#define QTAILQ_HEAD_INITIALIZER(head) {NULL, &(head).tqh_first}

#define QTAILQ_INIT(head)                       \
    do {                                        \
        (head)->tqh_first = NULL;               \
        (head)->tqh_last = &(head)->tqh_first;  \
    } while (0)
#define QTAILQ_EMPTY(head) ((head)->tqh_first == NULL)
#define QTAILQ_FIRST(head) ((head)->tqh_first)
#define QTAILQ_NEXT(elm, field) ((elm)->field.tqe_next)

#define QTAILQ_INSERT_TAIL(head, elm, field)        \
    do {                                            \
        (elm)->field.tqe_next = NULL;               \
        (elm)->field.tqe_prev = (head)->tqh_last;   \
        *(head)->tqh_last = (elm);                  \
        (head)->tqh_last = &(elm)->field.tqe_next;  \
    } while (0)

#define QTAILQ_INSERT_HEAD(head, elm, field)                           \
    do {                                                               \
        (elm)->field.tqe_next = (head)->tqh_first;                     \
        if ((head)->tqh_first) {                                       \
            (head)->tqh_first->field.tqe_prev = &(elm)->field.tqe_next; \
        } else {                                                       \
            (head)->tqh_last = &(elm)->field.tqe_next;                 \
        }                                                              \
        (head)->tqh_first = (elm);                                     \
        (elm)->field.tqe_prev = &(head)->tqh_first;                    \
    } while (0)

#define QTAILQ_REMOVE(head, elm, field)                                    \
    do {                                                                   \
        if ((elm)->field.tqe_next) {                                       \
            (elm)->field.tqe_next->field.tqe_prev = (elm)->field.tqe_prev; \
        } else {                                                           \
            (head)->tqh_last = (elm)->field.tqe_prev;                      \
        }                                                                  \
        *(elm)->field.tqe_prev = (elm)->field.tqe_next;                    \
        (elm)->field.tqe_next = NULL;                                      \
        (elm)->field.tqe_prev = NULL;                                      \
    } while (0)

#define QTAILQ_FOREACH(var, head, field) \
    for ((var) = (head)->tqh_first; (var); (var) = (var)->field.tqe_next)

#define QTAILQ_FOREACH_SAFE(var, head, field, next_)                      \
    for ((var) = (head)->tqh_first;                                       \
         (var) && ((next_) = (var)->field.tqe_next, 1); (var) = (next_))

#endif
