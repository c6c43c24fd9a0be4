/* SPDX-License-Identifier: MIT */
/* The wait-for graph for aiolab inspect and aiolab export. */
#ifndef CLI_INSPECT_WAITS_H
#define CLI_INSPECT_WAITS_H

#include "cli.h"
#include "wait-graph.h"

/* Who waits, and for what first; on standard output. */
void inspect_waits(const WaitGraph *graph);
/* The headline, if there is one, and every node and edge. */
void inspect_graph(const WaitGraph *graph);
/* One object with all of it. */
void inspect_graph_json(JsonBuilder *b, const WaitGraph *graph);

#endif
