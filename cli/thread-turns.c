/* SPDX-License-Identifier: MIT */
/* aiolab replay --threads: who ran when, from the order of the inputs. */
#include "cli.h"
#include "thread-turns.h"

/* What one thread took until another one's input came. */
typedef struct ThreadTurn {
    size_t first, last;
    uint32_t thread;
    unsigned kinds[INPUT_KIND_MAX];
} ThreadTurn;

static const char *thread_name(const Session *session, uint32_t id)
{
    ModelThread *thread = model_thread(session->model, id);

    return thread ? thread->name : "?";
}

/* Kinds in the order of their table, with how many there are. */
static char *kinds_text(const ThreadTurn *turn)
{
    GString *text = g_string_new(NULL);

    for (unsigned kind = 0; kind < INPUT_KIND_MAX; kind++) {
        if (turn->kinds[kind]) {
            g_string_append_printf(text, "%s%s", text->len ? ", " : "",
                                   input_table[kind].name);
        }
        if (turn->kinds[kind] > 1) {
            g_string_append_printf(text, " x%u", turn->kinds[kind]);
        }
    }
    return g_string_free(text, false);
}

static void print_turn(const ThreadTurn *turn, const Session *session,
                       const CommonOptions *common, JsonBuilder *json)
{
    g_autofree char *kinds = kinds_text(turn);
    const char *name = thread_name(session, turn->thread);

    if (json) {
        json_builder_begin_object(json);
        cli_json_int(json, "first", turn->first);
        cli_json_int(json, "last", turn->last);
        cli_json_int(json, "number", turn->thread);
        cli_json_string(json, "thread", name);
        cli_json_string(json, "inputs", kinds);
        json_builder_end_object(json);
    } else {
        cli_print(common, "  %8zu - %-8zu %5u %-15s  %s\n", turn->first,
                  turn->last, turn->thread, name, kinds);
    }
}

void thread_turns_print(const Session *session, const Input *inputs, size_t n,
                        const CommonOptions *common, JsonBuilder *json)
{
    ThreadTurn turn = {.first = 0};

    if (!json) {
        cli_print(common, "  inputs               thread                what "
                  "it took\n");
    }
    for (size_t i = 0; i < n; i++) {
        if (turn.first && inputs[i].thread != turn.thread) {
            print_turn(&turn, session, common, json);
            turn = (ThreadTurn){.first = 0};
        }
        turn.first = turn.first ? turn.first : i + 1;
        turn.last = i + 1;
        turn.thread = inputs[i].thread;
        turn.kinds[inputs[i].kind]++;
    }
    if (turn.first) {
        print_turn(&turn, session, common, json);
    }
}
