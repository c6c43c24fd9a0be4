/* SPDX-License-Identifier: MIT */
/* The table of QEMU's events, and reading the log backend's text of them. */
#include "qemu-events.h"

static const struct {
    QemuEventId id;
    Word name;
    const char *arguments;
} rows[] = {
#define X(ID, name, arguments) {QEMU_##ID, WORD(name), arguments},
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

static QemuEventForm forms[ARRAY_SIZE(rows)];
static uint8_t first_form[128]; /* by a hash of the name: 1 + its first row */

static unsigned slot_of(Word name)
{
    return (name.len * 7 + name.text[name.len / 2] * 3 +
            name.text[name.len - 1]) % ARRAY_SIZE(first_form);
}

/* The slot that has the name, or is free for it. */
static uint8_t *find_slot(Word name)
{
    unsigned slot = slot_of(name);

    while (first_form[slot] &&
           !word_same(name, rows[first_form[slot] - 1].name)) {
        slot = (slot + 1) % ARRAY_SIZE(first_form);
    }
    return &first_form[slot];
}

static void add_argument(QemuEventForm *form, Word name)
{
    typeof(*form->args) *arg = &form->args[form->n++];

    arg->is_string = *name.text == '*';
    arg->name = (Word){name.text + arg->is_string, name.len - arg->is_string};
    memcpy(&arg->key, arg->name.text, MIN(arg->name.len, 8));
    memset(&arg->mask, 0xff, MIN(arg->name.len, 8));
}

/* The rows, with their arguments taken apart; when they are first needed. */
static void make_forms(void)
{
    static gsize made;

    if (g_once_init_enter(&made)) {
        for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
            const char *text = rows[i].arguments;
            Scan scan = {text, text + strlen(text)};
            uint8_t *slot = find_slot(rows[i].name);
            Word name;

            *slot = *slot ? *slot : i + 1;
            forms[i].id = rows[i].id;
            forms[i].name = rows[i].name.text;
            while (scan_word(&scan, &name)) {
                add_argument(&forms[i], name);
            }
        }
        g_once_init_leave(&made, 1);
    }
}

const QemuEventForm *qemu_event_forms(Word name, unsigned *n)
{
    unsigned first, end;

    make_forms();
    first = name.len ? *find_slot(name) : 0;
    if (!first) {
        *n = 0;
        return NULL;
    }
    for (end = first; end < ARRAY_SIZE(rows) &&
                      word_same(name, rows[end].name); end++) {
    }
    *n = end - (first - 1);
    return &forms[first - 1];
}

void qemu_event_begin(QemuEvent *event, const QemuEventForm *form)
{
    event->id = form->id;
    event->name = form->name;
    event->form = form;
    event->n = 0;
    for (unsigned i = 0; i < form->n; i++) {
        event->args[i] = 0;
        event->strings[i] = (Word){"", 0};
    }
}

/* ---- Text ---- */

/* "0x1f", "(nil)", "-5", "4096", and what follows of a word: a comma. */
static bool scan_value(Scan *scan, uint64_t *value)
{
    Scan ahead = *scan;
    int64_t number;

    if (ahead.end - ahead.at > 1 &&
        ((*ahead.at == '0' && ahead.at[1] == 'x') || *ahead.at == '(')) {
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

/* The argument's name, and spaces on both sides. */
static bool scan_key(Scan *scan, const QemuEventForm *form, unsigned i)
{
    Word name = form->args[i].name;
    uint64_t eight;
    size_t left;

    scan_spaces(scan);
    left = scan->end - scan->at;
    if (left < MAX(name.len, 8)) {
        if (left < name.len || memcmp(scan->at, name.text, name.len)) {
            return false;
        }
    } else {
        memcpy(&eight, scan->at, sizeof(eight));
        if ((eight & form->args[i].mask) != form->args[i].key ||
            (name.len > 8 && memcmp(scan->at, name.text, name.len))) {
            return false;
        }
    }
    if (left > name.len && !scan_is_space(scan->at[name.len])) {
        return false;
    }
    scan->at += name.len;
    scan_spaces(scan);
    return true;
}

/* All arguments of a form, each behind its name; false if one is missing. */
static bool scan_form(Scan scan, const QemuEventForm *form, QemuEvent *event)
{
    qemu_event_begin(event, form);
    for (unsigned i = 0; i < form->n; i++) {
        bool ok;

        event->n++;
        if (!scan_key(&scan, form, i)) {
            return false;
        }
        ok = form->args[i].is_string ? scan_string(&scan, &event->strings[i])
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
    const QemuEventForm *forms;
    unsigned n;
    Word name;

    if (!scan_word(&scan, &name)) {
        return false;
    }
    forms = qemu_event_forms(name, &n);
    scan_spaces(&scan);
    for (unsigned i = 0; i < n; i++) {
        if (scan_form(scan, &forms[i], event)) {
            return true;
        }
        if (event->id == QEMU_JOB_STATE && scan_job(scan, event)) {
            return true;
        }
    }
    event->id = QEMU_OTHER;
    event->name = NULL;
    event->form = NULL;
    event->n = 0;
    return n ? false : is_event_name(name);
}
