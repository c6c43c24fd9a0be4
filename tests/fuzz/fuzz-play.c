/* SPDX-License-Identifier: MIT */
/*
 * Bytes as what a play is told, by the first of them: a latency table, what
 * columns mean, or parameters, one "NAME=VALUE" for each 0 in between.
 */
#include "device.h"
#include "play-config.h"
#include "table-spec.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A table that is taken gives times that do not run back. */
static void try_table(const char *text, size_t len)
{
    int fd = memfd_create("table", MFD_CLOEXEC);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    uint64_t rng = len;
    SimModel *model;

    if (fd < 0 || write(fd, text, len) != (ssize_t)len) {
        abort();
    }
    model = sim_model_new(path, 1 << 30, NULL);
    for (unsigned i = 0; model && i < 64; i++) {
        struct io_uring_sqe sqe = {
            .opcode = i % 3 ? IORING_OP_READ : IORING_OP_WRITE,
            .off = i * 4096ull, .len = 512u << i % 16,
        };

        if (sim_model_done(model, &sqe, i * 1000, &rng) < 0) {
            abort();
        }
    }
    sim_model_free(model);
    close(fd);
}

static const char *value_of(const void *opaque, const char *name)
{
    size_t len = strlen(name);

    for (char *const *word = opaque; *word; word++) {
        if (!strncmp(*word, name, len) && (*word)[len] == '=') {
            return *word + len + 1;
        }
    }
    for (const ScenarioParam *param = play_params; param->name; param++) {
        if (g_str_equal(param->name, name)) {
            return param->value;
        }
    }
    abort();
}

static void try_parameters(const char *text, size_t len)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    const char *end = text + len;
    PlayConfig config;

    while (text < end) {
        char *word = g_strndup(text, end - text);

        g_ptr_array_add(words, word);
        text += strlen(word) + 1;
    }
    g_ptr_array_add(words, NULL);
    play_config_parse(&config, value_of, words->pdata, NULL);
    play_config_clear(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data + 1;
    g_autofree char *columns = NULL;
    TableSpec spec;

    if (!size) {
        return 0;
    }
    switch (*data % 3) {
    case 0:
        try_table(text, size - 1);
        break;
    case 1:
        columns = g_strndup(text, size - 1);
        table_spec_parse(&spec, columns, NULL);
        break;
    default:
        try_parameters(text, size - 1);
        break;
    }
    return 0;
}
