/* SPDX-License-Identifier: MIT */
/* Tokens of schedules on the command line: "aio1-nested-laio.buggy-5f3c-0a1f". */
#ifndef CLI_SCHEDULE_TOKEN_H
#define CLI_SCHEDULE_TOKEN_H

#include "cli.h"
#include "schedule.h"
#include "session.h"

typedef struct RunConfig RunConfig;
typedef struct ScenarioSpec ScenarioSpec;

bool is_schedule_token(const char *name);
/* The scenario that a token is of: "nested-laio/buggy"; freed by the caller. */
char *schedule_token_scenario(const char *token, Error **errp);

/*
 * Makes @config simulate @spec by the schedule of @token.  False and *errp if
 * the token belongs to another scenario, version or parameters.
 */
bool schedule_token_apply(const char *token, const ScenarioSpec *spec,
                          RunConfig *config, Error **errp);
/*
 * After the run: true if it was asked what the token's run was asked.  Else it
 * was another one, and *errp says so.
 */
bool schedule_token_check(const char *token, const Session *session,
                          Error **errp);

#endif
