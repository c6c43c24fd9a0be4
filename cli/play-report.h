/* SPDX-License-Identifier: MIT */
/* A play's part of the report of the log that holds it. */
#ifndef CLI_PLAY_REPORT_H
#define CLI_PLAY_REPORT_H

#include "cli.h"
#include "log.h"

/* Nothing, if the log holds no play. */
void play_report_text(Log *log);
void play_report_html(Log *log);
/* A member "play" of the object that is being built. */
void play_report_json(Log *log, JsonBuilder *b);

#endif
