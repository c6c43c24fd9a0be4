/* SPDX-License-Identifier: MIT */
/*
 * Lists of callbacks that hear of an event, after QEMU's qemu/notify.h.
 *
 * A notifier belongs to who added it, and is embedded in something of theirs.
 * It may remove itself, and nobody else, while it is being called.  The last
 * one added is called first.  Lists do not lock.
 */
#ifndef QEMU_NOTIFY_H
#define QEMU_NOTIFY_H

#include "qemu/osdep.h"
#include "qemu/queue.h"

struct Notifier {
    void (*notify)(Notifier *notifier, void *data);
    QLIST_ENTRY(Notifier) node;
};

struct NotifierList {
    QLIST_HEAD(, Notifier) notifiers;
};

#define NOTIFIER_LIST_INITIALIZER(head) \
    {                                   \
        QLIST_HEAD_INITIALIZER((head).notifiers) \
    }

void notifier_list_init(NotifierList *list);
void notifier_list_add(NotifierList *list, Notifier *notifier);
/* From the list that it is on. */
void notifier_remove(Notifier *notifier);
void notifier_list_notify(NotifierList *list, void *data);
bool notifier_list_empty(NotifierList *list);

/* Returns 0, or something else, with *@errp set or not: then nobody after
 * it is called. */
typedef int (*NotifierWithReturnFunc)(NotifierWithReturn *notifier, void *data,
                                      Error **errp);

struct NotifierWithReturn {
    NotifierWithReturnFunc notify;
    QLIST_ENTRY(NotifierWithReturn) node;
};

struct NotifierWithReturnList {
    QLIST_HEAD(, NotifierWithReturn) notifiers;
};

#define NOTIFIER_WITH_RETURN_LIST_INITIALIZER(head) \
    NOTIFIER_LIST_INITIALIZER(head)

void notifier_with_return_list_init(NotifierWithReturnList *list);
void notifier_with_return_list_add(NotifierWithReturnList *list,
                                   NotifierWithReturn *notifier);
void notifier_with_return_remove(NotifierWithReturn *notifier);
/* Returns what the first notifier to return not 0 did, else 0. */
int notifier_with_return_list_notify(NotifierWithReturnList *list, void *data,
                                     Error **errp);

#endif
