/* SPDX-License-Identifier: MIT */
/* Broken rules, below how a run went. */
#ifndef CLI_RULES_PRINT_H
#define CLI_RULES_PRINT_H

#include "cli.h"
#include "session.h"

/*
 * Checks the run, and prints what it finds: as text, or as member "rules" of
 * the object that @b is in (NULL: text).  Returns @status, or STATUS_FINDING
 * if that was STATUS_OK and a rule is broken.
 */
int rules_print(const Session *session, const CommonOptions *common,
                JsonBuilder *b, int status);

#endif
