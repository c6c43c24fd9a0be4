/* SPDX-License-Identifier: MIT */
/* The table of QEMU's events, and reading the log backend's text of them. */
#include "qemu-events.h"

typedef struct Row {
    QemuEventId id;
    const char *name, *arguments;
} Row;

static const Row rows[] = {
#define X(ID, name, arguments) {QEMU_##ID, name, arguments},
    QEMU_EVENTS(X)
#undef X
};

/* What other events' names begin with. */
static const char *const families[] = {
    "qemu_", "aio_", "bdrv_", "blk_", "block_", "qcow2_", "luring_", "file_",
    "lockcnt_", "thread_pool_", "poll_", "run_poll_", "fdmon_", "virtio_",
    "job_", "mirror_", "backup_", "stream_", "commit_", "nvme_", "nbd_",
    "scsi_", "vhost_", "virtqueue_", "qmp_", "monitor_", "reentrant_",
    "replay_",
    "laio_", "qed_", "vring_", "memory_region_", "dma_", "ide_", "handle_qmp_",
};

/* ---- The table ---- */

unsigned qemu_event_rows(Word name, unsigned *first)
{
    unsigned n = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        if (word_is(name, rows[i].name)) {
            *first = n ? *first : i;
            n++;
        }
    }
    return n;
}

const char *qemu_event_arguments(unsigned row)
{
    return rows[row].arguments;
}

void qemu_event_begin(QemuEvent *event, unsigned row)
{
    event->id = rows[row].id;
    event->name = rows[row].name;
    event->arguments = rows[row].arguments;
    event->n = 0;
}

/* The index of the argument called @name, or -1. */
static int find_argument(const QemuEvent *event, const char *name)
{
    const char *text = event->arguments ? event->arguments : "";
    Scan scan = {text, text + strlen(text)};
    Word word;

    for (int i = 0; scan_word(&scan, &word); i++) {
        bool is_string = *word.text == '*';

        if (word_is((Word){word.text + is_string, word.len - is_string},
                    name)) {
            return i;
        }
    }
    return -1;
}

uint64_t qemu_event_arg(const QemuEvent *event, const char *name)
{
    int i = find_argument(event, name);

    return i >= 0 ? event->args[i] : 0;
}

Word qemu_event_string(const QemuEvent *event, const char *name)
{
    int i = find_argument(event, name);

    return i >= 0 ? event->strings[i] : (Word){"", 0};
}

/* ---- Text ---- */

/* "0x1f", "(nil)", "-5", "4096", and what follows of a word: a comma. */
static bool scan_value(Scan *scan, uint64_t *value)
{
    Scan ahead = *scan;
    int64_t number;

    if (ahead.end - ahead.at > 1 && (!memcmp(ahead.at, "0x", 2) ||
                                     *ahead.at == '(')) {
        if (!scan_hex(&ahead, value)) {
            return false;
        }
    } else if (scan_i64(&ahead, &number)) {
        *value = number;
    } else if (!scan_u64(&ahead, value)) {
        return false;
    }
    *scan = ahead;
    return true;
}

static bool scan_string(Scan *scan, Word *string)
{
    return scan_char(scan, '"') ? scan_until(scan, '"', string)
                                : scan_word(scan, string);
}

/* All arguments of a row, each behind its name; false if one is missing. */
static bool scan_row(Scan scan, unsigned row, QemuEvent *event)
{
    Scan keys = {rows[row].arguments,
                 rows[row].arguments + strlen(rows[row].arguments)};
    Word key, word;

    qemu_event_begin(event, row);
    while (scan_word(&keys, &key)) {
        bool is_string = *key.text == '*';
        unsigned i = event->n++;
        bool ok;

        key.text += is_string;
        key.len -= is_string;
        if (!scan_word(&scan, &word) || word.len != key.len ||
            memcmp(word.text, key.text, key.len)) {
            return false;
        }
        scan_spaces(&scan);
        event->args[i] = 0;
        ok = is_string ? scan_string(&scan, &event->strings[i])
                       : scan_value(&scan, &event->args[i]);
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* "job 0x1 (ret: 0) attempting allowed transition (created-->running)" */
static bool scan_job(Scan scan, QemuEvent *event)
{
    Word states = {"", 0};
    const char *arrow, *paren;

    if (!scan_text(&scan, "job ") || !scan_value(&scan, &event->args[0])) {
        return false;
    }
    paren = memrchr(scan.at, '(', scan.end - scan.at);
    if (!paren) {
        return false;
    }
    scan.at = paren + 1;
    if (!scan_until(&scan, ')', &states)) {
        return false;
    }
    arrow = memmem(states.text, states.len, "-->", 3);
    if (!arrow) {
        return false;
    }
    event->n = 5;
    event->strings[3] = (Word){states.text, arrow - states.text};
    event->strings[4] = (Word){arrow + 3,
                               states.text + states.len - arrow - 3};
    return true;
}

/* A name of lower case letters, digits and at least one underscore. */
static bool is_event_name(Word name)
{
    if (!name.len || !memchr(name.text, '_', name.len)) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!g_ascii_isalnum(name.text[i]) && name.text[i] != '_') {
            return false;
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(families); i++) {
        if (word_begins(name, families[i])) {
            return true;
        }
    }
    return false;
}

bool qemu_event_scan(Scan scan, QemuEvent *event)
{
    unsigned first, n;
    Word name;

    if (!scan_word(&scan, &name)) {
        return false;
    }
    n = qemu_event_rows(name, &first);
    scan_spaces(&scan);
    for (unsigned i = 0; i < n; i++) {
        if (scan_row(scan, first + i, event)) {
            return true;
        }
        if (event->id == QEMU_JOB_STATE && scan_job(scan, event)) {
            return true;
        }
    }
    *event = (QemuEvent){.id = QEMU_OTHER};
    return n ? false : is_event_name(name);
}
