/* SPDX-License-Identifier: MIT */
/*
 * A log whose recorder died: what its rings hold is added, and the log is
 * closed.  Whoever opens such a log comes here first (log-open.c), and so does
 * the parent of a recorded scenario that was killed.
 */
#ifndef REPLAY_RECOVER_H
#define REPLAY_RECOVER_H

#include "log.h"

typedef struct Recovery {
    size_t inputs;    /* that the log has now */
    size_t recovered; /* of them, from the rings */
    bool rings_lost;  /* they were not there: the log ends at a commit */
} Recovery;

typedef enum RecoverStatus {
    RECOVERED,
    RECOVER_LIVE,     /* somebody records it right now */
    RECOVER_FAILED,   /* it cannot be written; it is as it was */
} RecoverStatus;

/*
 * @ring_fd: the rings' file, which the caller has locked; or -1: the one that
 * the log names, which is removed if all went well.  Unless RECOVERED, *errp
 * is set.
 */
RecoverStatus recover_log(const char *path, int ring_fd, Recovery *recovery,
                          Error **errp);
/* Closes the log as it is, without its rings: where there is no space. */
RecoverStatus recover_last_commit(const char *path, Recovery *recovery,
                                  Error **errp);
/*
 * False if the log at @path is being recorded.  With @discard, what a dead
 * recorder left for it is removed: the log is going to be replaced.
 */
bool recover_discard(const char *path, bool discard);

#endif
