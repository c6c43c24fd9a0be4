/* SPDX-License-Identifier: MIT */
/* Reading traces: one buffer, which read(2) or libarchive fills. */
#include "source.h"

#include <archive.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct TraceSource {
    char *path, *failure;
    int fd;
    struct archive *archive; /* or NULL: the bytes are as they are */
    const char *compression;
    uint64_t size, offset, lines;
    size_t capacity, at, end; /* buffer[at..end) is not taken yet */
    bool eof, in_long_line;
    uint8_t buffer[];
};

static const struct {
    const char *name;
    uint8_t magic[6];
    unsigned len;
} compressions[] = {
    {"gzip", {0x1f, 0x8b}, 2},
    {"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4},
    {"xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6},
    {"bzip2", {'B', 'Z', 'h'}, 3},
};

/* ---- Opening ---- */

static const char *find_compression(const uint8_t *data, size_t len)
{
    for (unsigned i = 0; i < ARRAY_SIZE(compressions); i++) {
        if (len >= compressions[i].len &&
            !memcmp(data, compressions[i].magic, compressions[i].len)) {
            return compressions[i].name;
        }
    }
    return NULL;
}

static void keep_failure(TraceSource *source, const char *what)
{
    if (!source->failure) {
        source->failure = g_strdup(what);
    }
    source->eof = true;
}

/* What was read to look at the first bytes has to be read again. */
typedef struct Rewound {
    TraceSource *source;
    size_t len;
    uint8_t data[TRACE_SAMPLE_BYTES];
} Rewound;

static la_ssize_t read_packed(struct archive *archive, void *opaque,
                              const void **data)
{
    Rewound *rewound = opaque;
    ssize_t n;

    *data = rewound->data;
    if (rewound->len) {
        n = rewound->len;
        rewound->len = 0;
        return n;
    }
    n = read(rewound->source->fd, rewound->data, sizeof(rewound->data));
    if (n < 0) {
        archive_set_error(archive, errno, "%s", g_strerror(errno));
    }
    return n;
}

static int free_rewound(struct archive *archive, void *opaque)
{
    g_free(opaque);
    return ARCHIVE_OK;
}

static void start_unpacking(TraceSource *source)
{
    Rewound *rewound = g_new(Rewound, 1);
    struct archive_entry *entry;

    rewound->source = source;
    rewound->len = source->end;
    memcpy(rewound->data, source->buffer, rewound->len);
    source->end = 0;
    source->eof = false;
    source->archive = archive_read_new();
    archive_read_support_filter_all(source->archive);
    archive_read_support_format_raw(source->archive);
    if (archive_read_open2(source->archive, rewound, NULL, read_packed, NULL,
                           free_rewound) != ARCHIVE_OK ||
        archive_read_next_header(source->archive, &entry) != ARCHIVE_OK) {
        keep_failure(source, archive_error_string(source->archive));
    }
}

static void fill(TraceSource *source);

TraceSource *trace_source_open(const char *path, size_t buffer, Error **errp)
{
    bool is_stdin = g_str_equal(path, "-");
    int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    TraceSource *source;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        error_setg_errno(errp, errno, "%s: cannot be read", path);
        return NULL;
    }
    if (S_ISDIR(st.st_mode)) {
        error_setg(errp, "%s: is a directory; name the files in it", path);
        close(fd);
        return NULL;
    }
    source = g_malloc(sizeof(*source) + buffer);
    *source = (TraceSource){
        .path = g_strdup(is_stdin ? "standard input" : path), .fd = fd,
        .size = S_ISREG(st.st_mode) ? st.st_size : 0,
        .capacity = TRACE_SAMPLE_BYTES, /* which start_unpacking() can keep */
    };
    while (source->end < 6 && !source->eof) {
        fill(source);
    }
    source->compression = find_compression(source->buffer, source->end);
    source->capacity = buffer;
    if (source->compression) {
        start_unpacking(source);
    }
    return source;
}

TraceSource *trace_source_of_bytes(const void *bytes, size_t len)
{
    size_t capacity = MAX(len, TRACE_SET_BUFFER_BYTES);
    TraceSource *source = g_malloc(sizeof(*source) + capacity);

    *source = (TraceSource){
        .path = g_strdup("bytes"), .fd = -1, .size = len, .capacity = capacity,
        .end = len, .eof = true,
    };
    memcpy(source->buffer, bytes, len);
    return source;
}

void trace_source_close(TraceSource *source)
{
    if (source) {
        if (source->archive) {
            archive_read_free(source->archive);
        }
        if (source->fd >= 0) {
            close(source->fd);
        }
        g_free(source->path);
        g_free(source->failure);
        g_free(source);
    }
}

const char *trace_source_path(const TraceSource *source)
{
    return source->path;
}

const char *trace_source_compression(const TraceSource *source)
{
    return source->compression;
}

const char *trace_source_failure(const TraceSource *source)
{
    return source->failure;
}

bool trace_source_check(const TraceSource *source, Error **errp)
{
    if (source->failure) {
        error_setg(errp, "%s: damaged after byte %" PRIu64 " (%s)",
                   source->path, source->offset, source->failure);
        return false;
    }
    return true;
}

uint64_t trace_source_size(const TraceSource *source)
{
    return source->size;
}

uint64_t trace_source_done(const TraceSource *source)
{
    return source->archive ? (uint64_t)archive_filter_bytes(source->archive, -1)
                           : source->offset;
}

/* ---- The buffer ---- */

static ssize_t read_more(TraceSource *source)
{
    uint8_t *into = source->buffer + source->end;
    size_t room = source->capacity - source->end;
    ssize_t n;

    if (source->archive) {
        n = archive_read_data(source->archive, into, room);
        if (n < 0) {
            keep_failure(source, archive_error_string(source->archive));
        }
        return n;
    }
    do {
        n = read(source->fd, into, room);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        keep_failure(source, g_strerror(errno));
    }
    return n;
}

/* Makes room at the end of the buffer, and reads once. */
static void fill(TraceSource *source)
{
    ssize_t n;

    if (source->at) {
        memmove(source->buffer, source->buffer + source->at,
                source->end - source->at);
        source->end -= source->at;
        source->at = 0;
    }
    if (source->eof || source->end == source->capacity) {
        return;
    }
    n = read_more(source);
    if (n > 0) {
        source->end += n;
    } else {
        source->eof = true;
    }
}

const uint8_t *trace_source_peek(TraceSource *source, size_t want,
                                 size_t *available)
{
    want = MIN(want, source->capacity);
    while (source->end - source->at < want && !source->eof) {
        fill(source);
    }
    *available = source->end - source->at;
    return source->buffer + source->at;
}

void trace_source_skip(TraceSource *source, size_t n)
{
    source->at += n;
    source->offset += n;
}

uint64_t trace_source_offset(const TraceSource *source)
{
    return source->offset;
}

/* ---- Lines ---- */

/* Where the line's newline is, or NULL: then the buffer ends in it. */
static const uint8_t *find_newline(TraceSource *source)
{
    size_t searched = 0;

    for (;;) {
        const uint8_t *text = source->buffer + source->at;
        size_t len = source->end - source->at;
        const uint8_t *newline = len > searched
            ? memchr(text + searched, '\n', len - searched) : NULL;

        if (newline || source->eof || len == source->capacity) {
            return newline;
        }
        searched = len;
        fill(source);
    }
}

/* Of a line that is too long, what did not fit. */
static void skip_rest_of_line(TraceSource *source)
{
    while (source->in_long_line && (source->end > source->at || !source->eof)) {
        const uint8_t *newline = find_newline(source);

        if (newline) {
            trace_source_skip(source,
                              newline + 1 - (source->buffer + source->at));
            source->in_long_line = false;
        } else {
            trace_source_skip(source, source->end - source->at);
        }
    }
}

bool trace_source_line(TraceSource *source, TraceLine *line)
{
    const uint8_t *newline;
    size_t len;

    if (source->in_long_line) {
        skip_rest_of_line(source);
    }
    newline = find_newline(source);
    line->text = (const char *)source->buffer + source->at;
    len = newline ? (size_t)(newline - (source->buffer + source->at))
                  : source->end - source->at;
    if (!newline && !len) {
        return false;
    }
    line->end = line->text + len;
    line->cut = !newline && source->eof;
    line->too_long = !newline && !source->eof;
    line->number = ++source->lines;
    source->in_long_line = line->too_long;
    trace_source_skip(source, len + (newline != NULL));
    if (line->end > line->text && line->end[-1] == '\r') {
        line->end--;
    }
    return true;
}
