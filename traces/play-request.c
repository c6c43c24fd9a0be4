/* SPDX-License-Identifier: MIT */
/* One request, in a coroutine: from its issue to its result. */
#include "play.h"

#include "blkdebug.h"

enum {
    SMALLEST_BITS = 12,
    SECTOR = 512,
    SCALE_ALIGN = 4096,
};
#define PIECE_MAX ((uint64_t)1 << (SMALLEST_BITS + BUFFER_CLASSES - 1))

/* ---- Buffers ---- */

static unsigned class_of(size_t bytes)
{
    unsigned class = 0;

    while (bytes > (size_t)1 << (SMALLEST_BITS + class)) {
        class++;
    }
    return class;
}

static void *get_buffer(PlayLane *lane, unsigned class)
{
    size_t size = (size_t)1 << (SMALLEST_BITS + class);
    void *buffer = lane->buffers[class];

    if (buffer) {
        lane->buffers[class] = *(void **)buffer;
    } else {
        buffer = g_aligned_alloc(1, size, 4096);
        memset(buffer, 0x5a, size);
    }
    return buffer;
}

static void put_buffer(PlayLane *lane, unsigned class, void *buffer)
{
    *(void **)buffer = lane->buffers[class];
    lane->buffers[class] = buffer;
}

void play_free_buffers(PlayLane *lane)
{
    for (unsigned class = 0; class < BUFFER_CLASSES; class++) {
        while (lane->buffers[class]) {
            g_aligned_free(get_buffer(lane, class));
        }
    }
}

/* ---- Where it goes ---- */

/* The end of the target is nearer than the trace's: see --fold. */
static bool fold(const Play *play, const PlayRequest *r, uint64_t *offset,
                 const uint64_t *bytes)
{
    uint64_t size = ROUND_DOWN(play->sizes[r->target], SECTOR);
    uint64_t end = g_array_index(play->plan->targets, PlayTarget,
                                 r->target).end;

    if (end <= (uint64_t)play->sizes[r->target]) {
        return true;
    }
    if (*bytes > size) {
        return false;
    }
    switch (play->config.fold) {
    case FOLD_SKIP:
        return *offset + *bytes <= size;
    case FOLD_SCALE:
        *offset = ROUND_DOWN((uint64_t)((double)*offset / end * size),
                             SCALE_ALIGN);
        *offset = MIN(*offset, size - *bytes);
        return true;
    default:
        if (*offset + *bytes > size) {
            *offset = size == *bytes ? 0
                : ROUND_DOWN(*offset % (size - *bytes), SECTOR);
        }
        return true;
    }
}

/* O_DIRECT moves whole sectors: those that it touches. */
static void align(const Play *play, uint64_t *offset, uint64_t *bytes)
{
    if (play->config.direct) {
        uint64_t end = ROUND_UP(*offset + *bytes, SECTOR);

        *offset = ROUND_DOWN(*offset, SECTOR);
        *bytes = end - *offset;
    }
}

/* ---- What it does ---- */

typedef struct Piece {
    PlayLane *lane;
    PlayRequest *request;
    uint64_t offset, bytes;
} Piece;

static bool is_verified(const Piece *piece)
{
    return piece->lane->play->verify &&
           !((piece->offset | piece->bytes) % SECTOR);
}

/* Devices of the trace that share a file share what is known of it. */
static VerifyRange range_of(const Piece *piece)
{
    const GArray *targets = piece->lane->play->plan->targets;
    unsigned file = g_array_index(targets, PlayTarget,
                                  piece->request->target).file;

    return (VerifyRange){file, piece->offset, piece->bytes};
}

static uint32_t number_of(const Piece *piece)
{
    return piece->request - piece->lane->play->plan->requests + 1;
}

static BlockBackend *blk_of(const Piece *piece)
{
    return piece->lane->play->blks[piece->request->target];
}

static int coroutine_fn read_piece(const Piece *piece, void *buffer)
{
    PlayVerify *verify = piece->lane->play->verify;
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, buffer, piece->bytes);
    void *state = is_verified(piece)
        ? play_verify_read_begin(verify, range_of(piece)) : NULL;
    int ret = blk_co_preadv(blk_of(piece), piece->offset, piece->bytes, &qiov,
                            0);
    uint64_t sector = 0;

    if (state && ret < 0) {
        g_free(state);
    } else if (state) {
        bool same = play_verify_read_end(verify, range_of(piece), state,
                                         buffer, &sector);

        SCENARIO_CHECK(same, "request %u: sector %" PRIu64 " does not hold "
                       "what was written", number_of(piece), sector);
    }
    return ret;
}

static int coroutine_fn write_piece(const Piece *piece, void *buffer)
{
    PlayVerify *verify = is_verified(piece) ? piece->lane->play->verify : NULL;
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, buffer, piece->bytes);
    BdrvRequestFlags flags = piece->request->flags & TRACE_FLAG_FUA
                                 ? BDRV_REQ_FUA : 0;
    int ret;

    if (verify) {
        play_verify_write_begin(verify, range_of(piece), number_of(piece),
                                buffer);
    }
    ret = blk_co_pwritev(blk_of(piece), piece->offset, piece->bytes, &qiov,
                         flags);
    if (verify) {
        play_verify_write_end(verify, range_of(piece),
                              ret < 0 ? VERIFY_UNKNOWN : number_of(piece));
    }
    return ret;
}

/* Larger ones go piece after piece. */
static int coroutine_fn transfer(PlayLane *lane, PlayRequest *r,
                                 uint64_t offset, uint64_t bytes)
{
    unsigned class = class_of(MIN(bytes, PIECE_MAX));
    void *buffer = get_buffer(lane, class);
    int ret = 0;

    while (bytes && ret == 0) {
        Piece piece = {lane, r, offset, MIN(bytes, PIECE_MAX)};

        ret = r->op == TRACE_READ ? read_piece(&piece, buffer)
                                  : write_piece(&piece, buffer);
        offset += piece.bytes;
        bytes -= piece.bytes;
    }
    put_buffer(lane, class, buffer);
    return ret;
}

static int coroutine_fn clear(PlayLane *lane, PlayRequest *r, uint64_t offset,
                              uint64_t bytes)
{
    Piece piece = {lane, r, offset, bytes};
    PlayVerify *verify = is_verified(&piece) ? lane->play->verify : NULL;
    bool discard = r->op == TRACE_DISCARD;
    int ret;

    if (verify) {
        play_verify_write_begin(verify, range_of(&piece), number_of(&piece),
                                NULL);
    }
    ret = discard ? blk_co_pdiscard(blk_of(&piece), offset, bytes)
                  : blk_co_pwrite_zeroes(blk_of(&piece), offset, bytes,
                                         r->flags & TRACE_FLAG_UNMAP
                                             ? BDRV_REQ_MAY_UNMAP : 0);
    if (verify) {
        play_verify_write_end(verify, range_of(&piece),
                              ret < 0 || discard ? VERIFY_UNKNOWN
                                                 : VERIFY_ZEROES);
    }
    return ret;
}

static int coroutine_fn perform(PlayLane *lane, PlayRequest *r)
{
    Play *play = lane->play;
    uint64_t offset = r->offset, bytes = r->bytes;
    int ret = 0;

    if (!fold(play, r, &offset, &bytes)) {
        return PLAY_OUTSIDE;
    }
    if (r->fault) {
        blkdebug_inject_error(play->filters[r->target],
                              trace_op_has_range(r->op) ? (int64_t)offset : -1,
                              r->fault);
    }
    if (r->flags & TRACE_FLAG_PREFLUSH && r->op == TRACE_WRITE) {
        ret = blk_co_flush(play->blks[r->target]);
    }
    if (ret < 0 || !trace_op_has_range(r->op)) {
        return ret < 0 ? ret : blk_co_flush(play->blks[r->target]);
    }
    align(play, &offset, &bytes);
    return r->op == TRACE_READ || r->op == TRACE_WRITE
        ? transfer(lane, r, offset, bytes) : clear(lane, r, offset, bytes);
}

static Play *playing; /* there is one at a time */

static void coroutine_fn play_request(PlayLane *lane, PlayRequest *r)
{
    uint64_t number = r - playing->plan->requests + 1;
    int result;

    r->result = PLAY_IN_FLIGHT;
    PROBE_TEXT(PLAY_ISSUE, 0, number, r->planned_ns, r->issued_ns,
               trace_op_names[r->op]);
    result = perform(lane, r);
    r->completed_ns = play_now(playing);
    r->result = result;
    PROBE(PLAY_DONE, 0, number, (int64_t)result, r->completed_ns);
}

/* When it is done with one, it goes on with the one that waits for its room. */
static void coroutine_fn request_entry(void *opaque)
{
    PlayRequest *r = opaque;
    PlayLane *lane = &playing->lanes[r->lane];

    do {
        play_request(lane, r);
    } while ((r = play_lane_completed(lane, r)));
}

void play_requests_of(Play *play)
{
    playing = play;
}

void play_issue(PlayRequest *request)
{
    qemu_coroutine_enter(qemu_coroutine_create(request_entry, request));
}
