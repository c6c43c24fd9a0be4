/* SPDX-License-Identifier: MIT */
/*
 * Intrusive lists under QEMU's names.
 *
 *   QSLIST    singly linked, push and pop at the head
 *   QLIST     doubly linked, remove from anywhere without knowing the head
 *   QSIMPLEQ  singly linked queue, insert at the tail
 *   QTAILQ    doubly linked queue, which can be walked backwards too
 *
 * An element embeds the ..._ENTRY; a list is a ..._HEAD.  The element belongs
 * to the caller: a list allocates nothing and copies nothing.  What was
 * removed has null links, so ..._IS_INSERTED() and QTAILQ_IN_USE() can tell;
 * an element that was never on a list must have been zeroed for that.
 *
 * None of them locks.  The operations whose names end in _ATOMIC may be called
 * by any thread, and the _RCU ones by one thread while others read.
 *
 * ..._FOREACH_SAFE() may remove the element that it has reached, and no other.
 * The ..._RAW macros work on elements whose type is not known, only the offset
 * of their entry.
 */
#ifndef QEMU_QUEUE_H
#define QEMU_QUEUE_H

#include "qemu/atomic.h"

#include <stddef.h>

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

#define QSLIST_EMPTY(head) ((head)->slh_first == NULL)
#define QSLIST_FIRST(head) ((head)->slh_first)
#define QSLIST_NEXT(elm, field) ((elm)->field.sle_next)

#define QSLIST_INIT(head)         \
    do {                          \
        (head)->slh_first = NULL; \
    } while (0)

#define QSLIST_INSERT_HEAD(head, elm, field)       \
    do {                                           \
        (elm)->field.sle_next = (head)->slh_first; \
        (head)->slh_first = (elm);                 \
    } while (0)

#define QSLIST_INSERT_AFTER(listelm, elm, field)           \
    do {                                                   \
        (elm)->field.sle_next = (listelm)->field.sle_next; \
        (listelm)->field.sle_next = (elm);                 \
    } while (0)

#define QSLIST_REMOVE_HEAD(head, field)                                 \
    do {                                                                \
        __typeof__((head)->slh_first) qslist_gone_ = (head)->slh_first; \
        (head)->slh_first = qslist_gone_->field.sle_next;               \
        qslist_gone_->field.sle_next = NULL;                            \
    } while (0)

#define QSLIST_REMOVE_AFTER(listelm, field)                       \
    do {                                                          \
        __typeof__((listelm)->field.sle_next) qslist_gone_ =      \
            (listelm)->field.sle_next;                            \
        (listelm)->field.sle_next = qslist_gone_->field.sle_next; \
        qslist_gone_->field.sle_next = NULL;                      \
    } while (0)

/* Looks for @elm, which must be there. */
#define QSLIST_REMOVE(head, elm, type, field)                \
    do {                                                     \
        struct type **qslist_link_ = &(head)->slh_first;     \
        while (*qslist_link_ != (elm)) {                     \
            qslist_link_ = &(*qslist_link_)->field.sle_next; \
        }                                                    \
        *qslist_link_ = (elm)->field.sle_next;               \
        (elm)->field.sle_next = NULL;                        \
    } while (0)

#define QSLIST_FOREACH(var, head, field) \
    for ((var) = (head)->slh_first; (var); (var) = (var)->field.sle_next)

#define QSLIST_FOREACH_SAFE(var, head, field, tvar) \
    for ((var) = (head)->slh_first;                 \
         (var) && ((tvar) = (var)->field.sle_next, 1); (var) = (tvar))

/* Push from any thread; pairs with QSLIST_MOVE_ATOMIC. */
#define QSLIST_INSERT_HEAD_ATOMIC(head, elm, field)              \
    do {                                                         \
        __typeof__((head)->slh_first) qslist_old_ =              \
            qatomic_read(&(head)->slh_first);                    \
        __typeof__((head)->slh_first) qslist_tried_;             \
        do {                                                     \
            qslist_tried_ = qslist_old_;                         \
            (elm)->field.sle_next = qslist_tried_;               \
            qslist_old_ = qatomic_cmpxchg(&(head)->slh_first,    \
                                          qslist_tried_, (elm)); \
        } while (qslist_old_ != qslist_tried_);                  \
    } while (0)

/* Take the whole list in one step; pairs with QSLIST_INSERT_HEAD_ATOMIC. */
#define QSLIST_MOVE_ATOMIC(dest, src)                              \
    do {                                                           \
        (dest)->slh_first = qatomic_xchg(&(src)->slh_first, NULL); \
    } while (0)

/* ---- QLIST ---- */

#define QLIST_HEAD(name, type) \
    struct name {              \
        struct type *lh_first; \
    }
#define QLIST_ENTRY(type)                                          \
    struct {                                                       \
        struct type *le_next;  /* next element */                  \
        struct type **le_prev; /* the pointer that points at us */ \
    }
#define QLIST_HEAD_INITIALIZER(head) {NULL}

#define QLIST_EMPTY(head) ((head)->lh_first == NULL)
#define QLIST_FIRST(head) ((head)->lh_first)
#define QLIST_NEXT(elm, field) ((elm)->field.le_next)
#define QLIST_IS_INSERTED(elm, field) ((elm)->field.le_prev != NULL)

#define QLIST_INIT(head)         \
    do {                         \
        (head)->lh_first = NULL; \
    } while (0)

/* The first element has moved to another head. */
#define QLIST_FIX_HEAD_PTR(head, field)                          \
    do {                                                         \
        if ((head)->lh_first != NULL) {                          \
            (head)->lh_first->field.le_prev = &(head)->lh_first; \
        }                                                        \
    } while (0)

#define QLIST_SWAP(dstlist, srclist, field)            \
    do {                                               \
        __typeof__((dstlist)->lh_first) qlist_first_ = \
            (dstlist)->lh_first;                       \
        (dstlist)->lh_first = (srclist)->lh_first;     \
        (srclist)->lh_first = qlist_first_;            \
        QLIST_FIX_HEAD_PTR(dstlist, field);            \
        QLIST_FIX_HEAD_PTR(srclist, field);            \
    } while (0)

#define QLIST_INSERT_HEAD(head, elm, field)                          \
    do {                                                             \
        (elm)->field.le_next = (head)->lh_first;                     \
        if ((head)->lh_first != NULL) {                              \
            (head)->lh_first->field.le_prev = &(elm)->field.le_next; \
        }                                                            \
        (head)->lh_first = (elm);                                    \
        (elm)->field.le_prev = &(head)->lh_first;                    \
    } while (0)

#define QLIST_INSERT_AFTER(listelm, elm, field)                          \
    do {                                                                 \
        (elm)->field.le_next = (listelm)->field.le_next;                 \
        if ((elm)->field.le_next != NULL) {                              \
            (elm)->field.le_next->field.le_prev = &(elm)->field.le_next; \
        }                                                                \
        (listelm)->field.le_next = (elm);                                \
        (elm)->field.le_prev = &(listelm)->field.le_next;                \
    } while (0)

#define QLIST_INSERT_BEFORE(listelm, elm, field)          \
    do {                                                  \
        (elm)->field.le_prev = (listelm)->field.le_prev;  \
        (elm)->field.le_next = (listelm);                 \
        *(listelm)->field.le_prev = (elm);                \
        (listelm)->field.le_prev = &(elm)->field.le_next; \
    } while (0)

#define QLIST_REMOVE(elm, field)                                        \
    do {                                                                \
        if ((elm)->field.le_next != NULL) {                             \
            (elm)->field.le_next->field.le_prev = (elm)->field.le_prev; \
        }                                                               \
        *(elm)->field.le_prev = (elm)->field.le_next;                   \
        (elm)->field.le_next = NULL;                                    \
        (elm)->field.le_prev = NULL;                                    \
    } while (0)

/* Does nothing if it is on no list. */
#define QLIST_SAFE_REMOVE(elm, field)        \
    do {                                     \
        if (QLIST_IS_INSERTED(elm, field)) { \
            QLIST_REMOVE(elm, field);        \
        }                                    \
    } while (0)

#define QLIST_FOREACH(var, head, field) \
    for ((var) = (head)->lh_first; (var); (var) = (var)->field.le_next)

#define QLIST_FOREACH_SAFE(var, head, field, next_var)    \
    for ((var) = (head)->lh_first;                        \
         (var) && ((next_var) = (var)->field.le_next, 1); \
         (var) = (next_var))

/* A reader that walks the list without the lock sees the element whole. */
#define QLIST_INSERT_HEAD_RCU(head, elm, field)                      \
    do {                                                             \
        (elm)->field.le_next = (head)->lh_first;                     \
        (elm)->field.le_prev = &(head)->lh_first;                    \
        if ((head)->lh_first != NULL) {                              \
            (head)->lh_first->field.le_prev = &(elm)->field.le_next; \
        }                                                            \
        qatomic_store_release(&(head)->lh_first, (elm));             \
    } while (0)

#define QLIST_FOREACH_RCU(var, head, field)                      \
    for ((var) = qatomic_load_acquire(&(head)->lh_first); (var); \
         (var) = qatomic_load_acquire(&(var)->field.le_next))

/* ---- QSIMPLEQ ---- */

#define QSIMPLEQ_HEAD(name, type)                                 \
    struct name {                                                 \
        struct type *sqh_first;                                   \
        struct type **sqh_last; /* the null pointer at the end */ \
    }
#define QSIMPLEQ_ENTRY(type)   \
    struct {                   \
        struct type *sqe_next; \
    }
#define QSIMPLEQ_HEAD_INITIALIZER(head) {NULL, &(head).sqh_first}

#define QSIMPLEQ_EMPTY(head) ((head)->sqh_first == NULL)
#define QSIMPLEQ_EMPTY_ATOMIC(head) \
    (qatomic_read(&(head)->sqh_first) == NULL)
#define QSIMPLEQ_FIRST(head) ((head)->sqh_first)
#define QSIMPLEQ_NEXT(elm, field) ((elm)->field.sqe_next)
/* NULL if it is empty. */
#define QSIMPLEQ_LAST(head, type, field)                      \
    (QSIMPLEQ_EMPTY(head)                                     \
         ? NULL                                               \
         : (struct type *)(void *)((char *)(head)->sqh_last - \
                                   offsetof(struct type, field)))

#define QSIMPLEQ_INIT(head)                    \
    do {                                       \
        (head)->sqh_first = NULL;              \
        (head)->sqh_last = &(head)->sqh_first; \
    } while (0)

#define QSIMPLEQ_INSERT_HEAD(head, elm, field)         \
    do {                                               \
        (elm)->field.sqe_next = (head)->sqh_first;     \
        if ((head)->sqh_first == NULL) {               \
            (head)->sqh_last = &(elm)->field.sqe_next; \
        }                                              \
        (head)->sqh_first = (elm);                     \
    } while (0)

#define QSIMPLEQ_INSERT_TAIL(head, elm, field)     \
    do {                                           \
        (elm)->field.sqe_next = NULL;              \
        *(head)->sqh_last = (elm);                 \
        (head)->sqh_last = &(elm)->field.sqe_next; \
    } while (0)

#define QSIMPLEQ_INSERT_AFTER(head, listelm, elm, field)   \
    do {                                                   \
        (elm)->field.sqe_next = (listelm)->field.sqe_next; \
        if ((elm)->field.sqe_next == NULL) {               \
            (head)->sqh_last = &(elm)->field.sqe_next;     \
        }                                                  \
        (listelm)->field.sqe_next = (elm);                 \
    } while (0)

#define QSIMPLEQ_REMOVE_HEAD(head, field)                                 \
    do {                                                                  \
        __typeof__((head)->sqh_first) qsimpleq_gone_ = (head)->sqh_first; \
        (head)->sqh_first = qsimpleq_gone_->field.sqe_next;               \
        if ((head)->sqh_first == NULL) {                                  \
            (head)->sqh_last = &(head)->sqh_first;                        \
        }                                                                 \
        qsimpleq_gone_->field.sqe_next = NULL;                            \
    } while (0)

/* Looks for @elm, which must be there. */
#define QSIMPLEQ_REMOVE(head, elm, type, field)                  \
    do {                                                         \
        struct type **qsimpleq_link_ = &(head)->sqh_first;       \
        while (*qsimpleq_link_ != (elm)) {                       \
            qsimpleq_link_ = &(*qsimpleq_link_)->field.sqe_next; \
        }                                                        \
        *qsimpleq_link_ = (elm)->field.sqe_next;                 \
        if (*qsimpleq_link_ == NULL) {                           \
            (head)->sqh_last = qsimpleq_link_;                   \
        }                                                        \
        (elm)->field.sqe_next = NULL;                            \
    } while (0)

/* Moves the elements up to @elm, inclusive, to @removed. */
#define QSIMPLEQ_SPLIT_AFTER(head, elm, field, removed)   \
    do {                                                  \
        QSIMPLEQ_INIT(removed);                           \
        (removed)->sqh_first = (head)->sqh_first;         \
        if ((head)->sqh_first != NULL) {                  \
            (head)->sqh_first = (elm)->field.sqe_next;    \
            if ((head)->sqh_first == NULL) {              \
                (head)->sqh_last = &(head)->sqh_first;    \
            }                                             \
            (removed)->sqh_last = &(elm)->field.sqe_next; \
            (elm)->field.sqe_next = NULL;                 \
        }                                                 \
    } while (0)

/* Appends all of @head2 to @head1; @head2 is left empty. */
#define QSIMPLEQ_CONCAT(head1, head2)                \
    do {                                             \
        if (!QSIMPLEQ_EMPTY(head2)) {                \
            *(head1)->sqh_last = (head2)->sqh_first; \
            (head1)->sqh_last = (head2)->sqh_last;   \
            QSIMPLEQ_INIT(head2);                    \
        }                                            \
    } while (0)

/* Puts all of @head2 in front of @head1; @head2 is left empty. */
#define QSIMPLEQ_PREPEND(head1, head2)                 \
    do {                                               \
        if (!QSIMPLEQ_EMPTY(head2)) {                  \
            *(head2)->sqh_last = (head1)->sqh_first;   \
            if (QSIMPLEQ_EMPTY(head1)) {               \
                (head1)->sqh_last = (head2)->sqh_last; \
            }                                          \
            (head1)->sqh_first = (head2)->sqh_first;   \
            QSIMPLEQ_INIT(head2);                      \
        }                                              \
    } while (0)

#define QSIMPLEQ_FOREACH(var, head, field) \
    for ((var) = (head)->sqh_first; (var); (var) = (var)->field.sqe_next)

#define QSIMPLEQ_FOREACH_SAFE(var, head, field, next) \
    for ((var) = (head)->sqh_first;                   \
         (var) && ((next) = (var)->field.sqe_next, 1); (var) = (next))

/* ---- QTAILQ ---- */

/*
 * A head or an entry, as the list sees it: the next *element*, and the *link*
 * before ours.  Head and entries look the same, so the links form a circle:
 * the head's previous link is the last element's.  The element that a link
 * belongs to is what the link before it calls next, which is how we walk
 * backwards without knowing where in its element an entry is.
 */
typedef struct QTailQLink {
    void *tql_next;
    struct QTailQLink *tql_prev;
} QTailQLink;

#define QTAILQ_HEAD(name, type) \
    union name {                \
        struct type *tqh_first; \
        QTailQLink tqh_circ;    \
    }
#define QTAILQ_ENTRY(type)     \
    union {                    \
        struct type *tqe_next; \
        QTailQLink tqe_circ;   \
    }
#define QTAILQ_HEAD_INITIALIZER(head) {.tqh_circ = {NULL, &(head).tqh_circ}}

/* The element that @link belongs to; NULL for the head. */
#define QTAILQ_LINK_OWNER_(link) ((link)->tql_prev->tql_next)
#define QTAILQ_LINK_PREV(link) QTAILQ_LINK_OWNER_((link).tql_prev)

#define QTAILQ_EMPTY(head) ((head)->tqh_first == NULL)
#define QTAILQ_FIRST(head) ((head)->tqh_first)
#define QTAILQ_NEXT(elm, field) ((elm)->field.tqe_next)
#define QTAILQ_LAST(head) \
    ((__typeof__((head)->tqh_first))QTAILQ_LINK_PREV((head)->tqh_circ))
#define QTAILQ_PREV(elm, field)          \
    ((__typeof__((elm)->field.tqe_next)) \
         QTAILQ_LINK_PREV((elm)->field.tqe_circ))
#define QTAILQ_IN_USE(elm, field) ((elm)->field.tqe_circ.tql_prev != NULL)

#define QTAILQ_INIT(head)                              \
    do {                                               \
        (head)->tqh_first = NULL;                      \
        (head)->tqh_circ.tql_prev = &(head)->tqh_circ; \
    } while (0)

/* The link before that of @next_, which is NULL at the end of the list. */
#define QTAILQ_SET_PREV_(head, next_, field, link)     \
    do {                                               \
        if ((next_) != NULL) {                         \
            (next_)->field.tqe_circ.tql_prev = (link); \
        } else {                                       \
            (head)->tqh_circ.tql_prev = (link);        \
        }                                              \
    } while (0)

#define QTAILQ_INSERT_HEAD(head, elm, field)                 \
    do {                                                     \
        (elm)->field.tqe_next = (head)->tqh_first;           \
        QTAILQ_SET_PREV_(head, (elm)->field.tqe_next, field, \
                         &(elm)->field.tqe_circ);            \
        (head)->tqh_first = (elm);                           \
        (elm)->field.tqe_circ.tql_prev = &(head)->tqh_circ;  \
    } while (0)

#define QTAILQ_INSERT_TAIL(head, elm, field)                        \
    do {                                                            \
        (elm)->field.tqe_next = NULL;                               \
        (elm)->field.tqe_circ.tql_prev = (head)->tqh_circ.tql_prev; \
        (head)->tqh_circ.tql_prev->tql_next = (elm);                \
        (head)->tqh_circ.tql_prev = &(elm)->field.tqe_circ;         \
    } while (0)

#define QTAILQ_INSERT_AFTER(head, listelm, elm, field)               \
    do {                                                             \
        (elm)->field.tqe_next = (listelm)->field.tqe_next;           \
        QTAILQ_SET_PREV_(head, (elm)->field.tqe_next, field,         \
                         &(elm)->field.tqe_circ);                    \
        (listelm)->field.tqe_next = (elm);                           \
        (elm)->field.tqe_circ.tql_prev = &(listelm)->field.tqe_circ; \
    } while (0)

#define QTAILQ_INSERT_BEFORE(listelm, elm, field)                    \
    do {                                                             \
        (elm)->field.tqe_circ.tql_prev =                             \
            (listelm)->field.tqe_circ.tql_prev;                      \
        (elm)->field.tqe_next = (listelm);                           \
        (listelm)->field.tqe_circ.tql_prev->tql_next = (elm);        \
        (listelm)->field.tqe_circ.tql_prev = &(elm)->field.tqe_circ; \
    } while (0)

#define QTAILQ_REMOVE(head, elm, field)                                   \
    do {                                                                  \
        QTAILQ_SET_PREV_(head, (elm)->field.tqe_next, field,              \
                         (elm)->field.tqe_circ.tql_prev);                 \
        (elm)->field.tqe_circ.tql_prev->tql_next = (elm)->field.tqe_next; \
        (elm)->field.tqe_next = NULL;                                     \
        (elm)->field.tqe_circ.tql_prev = NULL;                            \
    } while (0)

/* Removes the elements from @left to @right, both inclusive. */
#define QTAILQ_REMOVE_SEVERAL(head, left, right, field)        \
    do {                                                       \
        QTAILQ_SET_PREV_(head, (right)->field.tqe_next, field, \
                         (left)->field.tqe_circ.tql_prev);     \
        (left)->field.tqe_circ.tql_prev->tql_next =            \
            (right)->field.tqe_next;                           \
    } while (0)

#define QTAILQ_FOREACH(var, head, field) \
    for ((var) = (head)->tqh_first; (var); (var) = (var)->field.tqe_next)

#define QTAILQ_FOREACH_SAFE(var, head, field, next_var)    \
    for ((var) = (head)->tqh_first;                        \
         (var) && ((next_var) = (var)->field.tqe_next, 1); \
         (var) = (next_var))

#define QTAILQ_FOREACH_REVERSE(var, head, field) \
    for ((var) = QTAILQ_LAST(head); (var); (var) = QTAILQ_PREV(var, field))

#define QTAILQ_FOREACH_REVERSE_SAFE(var, head, field, prev_var) \
    for ((var) = QTAILQ_LAST(head);                             \
         (var) && ((prev_var) = QTAILQ_PREV(var, field), 1);    \
         (var) = (prev_var))

/* ---- Elements of which only the entry's offset is known ---- */

#define field_at_offset(base, offset, type) \
    ((type *)(void *)((char *)(base) + (offset)))

#define QTAILQ_RAW_FIRST(head) (*field_at_offset(head, 0, void *))
#define QTAILQ_RAW_TQH_CIRC(head) field_at_offset(head, 0, QTailQLink)
#define QTAILQ_RAW_NEXT(elm, entry) (*field_at_offset(elm, entry, void *))
#define QTAILQ_RAW_TQE_CIRC(elm, entry) \
    field_at_offset(elm, entry, QTailQLink)

#define QTAILQ_RAW_FOREACH(elm, head, entry)    \
    for ((elm) = QTAILQ_RAW_FIRST(head); (elm); \
         (elm) = QTAILQ_RAW_NEXT(elm, entry))

#define QTAILQ_RAW_INSERT_TAIL(head, elm, entry)                    \
    do {                                                            \
        QTailQLink *qtailq_head_ = QTAILQ_RAW_TQH_CIRC(head);       \
        QTailQLink *qtailq_link_ = QTAILQ_RAW_TQE_CIRC(elm, entry); \
        qtailq_link_->tql_next = NULL;                              \
        qtailq_link_->tql_prev = qtailq_head_->tql_prev;            \
        qtailq_head_->tql_prev->tql_next = (elm);                   \
        qtailq_head_->tql_prev = qtailq_link_;                      \
    } while (0)

#define QLIST_RAW_FIRST(head) (*field_at_offset(head, 0, void *))
#define QLIST_RAW_NEXT(elm, entry) (*field_at_offset(elm, entry, void *))
#define QLIST_RAW_PREVIOUS(elm, entry) \
    (*field_at_offset(elm, (entry) + sizeof(void *), void *))

#define QLIST_RAW_FOREACH(elm, head, entry)    \
    for ((elm) = QLIST_RAW_FIRST(head); (elm); \
         (elm) = QLIST_RAW_NEXT(elm, entry))

#define QLIST_RAW_INSERT_HEAD(head, elm, entry)                  \
    do {                                                         \
        void *qlist_first_ = QLIST_RAW_FIRST(head);              \
        QLIST_RAW_NEXT(elm, entry) = qlist_first_;               \
        QLIST_RAW_PREVIOUS(elm, entry) = &QLIST_RAW_FIRST(head); \
        if (qlist_first_) {                                      \
            QLIST_RAW_PREVIOUS(qlist_first_, entry) =            \
                &QLIST_RAW_NEXT(elm, entry);                     \
        }                                                        \
        QLIST_RAW_FIRST(head) = (elm);                           \
    } while (0)

/* @prev is the element before, or NULL: then @elem is the first. */
#define QLIST_RAW_INSERT_AFTER(head, prev, elem, entry)      \
    do {                                                     \
        if (!(prev)) {                                       \
            QLIST_RAW_INSERT_HEAD(head, elem, entry);        \
        } else {                                             \
            void *qlist_next_ = QLIST_RAW_NEXT(prev, entry); \
            QLIST_RAW_NEXT(elem, entry) = qlist_next_;       \
            QLIST_RAW_PREVIOUS(elem, entry) =                \
                &QLIST_RAW_NEXT(prev, entry);                \
            QLIST_RAW_NEXT(prev, entry) = (elem);            \
            if (qlist_next_) {                               \
                QLIST_RAW_PREVIOUS(qlist_next_, entry) =     \
                    &QLIST_RAW_NEXT(elem, entry);            \
            }                                                \
        }                                                    \
    } while (0)

/* Turns the order around; @elm is a void * for the walk. */
#define QLIST_RAW_REVERSE(head, elm, entry)           \
    do {                                              \
        void *qlist_rest_ = QLIST_RAW_FIRST(head);    \
        QLIST_RAW_FIRST(head) = NULL;                 \
        while (qlist_rest_) {                         \
            (elm) = qlist_rest_;                      \
            qlist_rest_ = QLIST_RAW_NEXT(elm, entry); \
            QLIST_RAW_INSERT_HEAD(head, elm, entry);  \
        }                                             \
    } while (0)

#endif
