#include "keep/reader_io.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "keep/writer_io.h"
#include "os/file.h"

enum { GZIP_WINDOW = 15 + 16, FRAME = 5 };

struct rp_keep_reader {
    int fd;
    const struct rp_secret *key;
    struct rp_sha256 head;
    uint64_t number, at, size;
    bool ended;
    struct rp_buf member;
    uint8_t sealed[RP_KEEP_SEALED_MAX];
    uint8_t plain[RP_KEEP_CHUNK];
};

rp_err rp_keep_read_head(int fd, struct rp_arena *arena, struct rp_keep_head *ret_head,
                         rp_view *ret_bytes, struct rp_diag *diag) {
    uint8_t prefix[RP_KEEP_PREFIX];
    size_t length = 0;
    rp_err err = rp_file_read_at(fd, 0, prefix, sizeof prefix);
    if (rp_ok(err)) {
        err = rp_keep_head_length(rp_view_of(prefix, sizeof prefix), &length);
    }
    if (rp_is(err, RP_E_EXISTS_NEWER)) {
        return rp_fail(diag, err, "a later Rempart made this backup");
    }
    if (!rp_ok(err)) {
        return rp_fail(diag, err, "not a backup of Rempart");
    }
    uint8_t *bytes = rp_arena_alloc(arena, length);
    if (!bytes) {
        return RP_ERR(NO_MEMORY);
    }
    err = rp_file_read_at(fd, 0, bytes, length);
    if (!rp_ok(err)) {
        return rp_fail(diag, err, "the head is cut off");
    }
    RP_TRY(rp_keep_head_parse(rp_view_of(bytes, length), arena, ret_head, diag));
    *ret_bytes = rp_view_of(bytes, length);
    return RP_OK;
}

rp_err rp_keep_reader_new(int fd, rp_view head, const struct rp_secret *key,
                          struct rp_keep_reader **ret_reader) {
    struct rp_keep_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        return RP_ERR(NO_MEMORY);
    }
    reader->fd = fd;
    reader->key = key;
    reader->head = rp_sha256_of(head);
    reader->at = head.n;
    reader->member = rp_buf_new(RP_KEEP_SEALED_MAX);
    rp_err err = rp_file_size(fd, &reader->size);
    if (!rp_ok(err)) {
        rp_keep_reader_free(reader);
        return err;
    }
    *ret_reader = reader;
    return RP_OK;
}

void rp_keep_reader_free(struct rp_keep_reader *reader) {
    if (reader) {
        rp_wipe(reader->plain, sizeof reader->plain);
        rp_wipe(reader->member.p, reader->member.capacity);
        rp_buf_done(&reader->member);
        free(reader);
    }
}

uint64_t rp_keep_reader_chunks(const struct rp_keep_reader *reader) {
    return reader->number;
}

rp_view rp_keep_reader_member(const struct rp_keep_reader *reader) {
    return rp_buf_view(&reader->member);
}

static rp_err broken(const struct rp_keep_reader *reader, struct rp_diag *diag, const char *what) {
    return rp_fail(diag, RP_ERR(CORRUPT), "chunk %llu, at byte %llu: %s",
                   (unsigned long long)reader->number, (unsigned long long)reader->at, what);
}

/* Exactly one gzip member, and nothing behind it. */
static rp_err inflate_member(rp_view member, uint8_t *out, size_t max, size_t *ret_n) {
    z_stream zip = {0};
    if (inflateInit2(&zip, GZIP_WINDOW) != Z_OK) {
        return RP_ERR(NO_MEMORY);
    }
    zip.next_in = (Bytef *)(uintptr_t)member.p;
    zip.avail_in = (uInt)member.n;
    zip.next_out = out;
    zip.avail_out = (uInt)max;
    int result = inflate(&zip, Z_FINISH);
    bool whole = result == Z_STREAM_END && zip.avail_in == 0;
    *ret_n = max - zip.avail_out;
    (void)inflateEnd(&zip);
    return whole ? RP_OK : RP_ERR(CORRUPT);
}

static rp_err read_frame(struct rp_keep_reader *reader, size_t *ret_n, bool *ret_last,
                         struct rp_diag *diag) {
    uint8_t frame[FRAME];
    if (reader->size - reader->at < FRAME) {
        return broken(reader, diag, "the end of the backup is missing");
    }
    RP_TRY(rp_file_read_at(reader->fd, reader->at, frame, sizeof frame));
    size_t n = (size_t)frame[0] << 24 | (size_t)frame[1] << 16 | (size_t)frame[2] << 8 | frame[3];
    if (n < RP_AEAD_OVERHEAD || n > RP_KEEP_SEALED_MAX || frame[4] > 1) {
        return broken(reader, diag, "altered");
    }
    if (reader->size - reader->at - FRAME < n) {
        return broken(reader, diag, "the end of the backup is missing");
    }
    *ret_n = n;
    *ret_last = frame[4] == 1;
    return rp_file_read_at(reader->fd, reader->at + FRAME, reader->sealed, n);
}

rp_err rp_keep_read(struct rp_keep_reader *reader, rp_view *ret_bytes, struct rp_diag *diag) {
    size_t sealed = 0, n = 0;
    bool last = false;
    if (reader->ended) {
        *ret_bytes = (rp_view){NULL, 0};
        return RP_OK;
    }
    RP_TRY(read_frame(reader, &sealed, &last, diag));
    _cleanup_(rp_buf_done) struct rp_buf place = rp_buf_new(64);
    rp_keep_chunk_place(&reader->head, reader->number, last, &place);
    RP_TRY(rp_buf_err(&place));
    rp_buf_clear(&reader->member);
    rp_err err = rp_aead_open(reader->key, rp_buf_view(&place), rp_view_of(reader->sealed, sealed),
                              &reader->member);
    if (rp_ok(err)) {
        err = inflate_member(rp_buf_view(&reader->member), reader->plain, sizeof reader->plain, &n);
    }
    if (rp_is(err, RP_E_CORRUPT)) {
        return broken(reader, diag, "altered");
    }
    RP_TRY(err);
    reader->at += FRAME + sealed;
    reader->number++;
    reader->ended = last;
    if (last && reader->at != reader->size) {
        return broken(reader, diag, "something was added behind the end");
    }
    if (n == 0 && !last) {
        return broken(reader, diag, "empty");
    }
    *ret_bytes = rp_view_of(reader->plain, n);
    return RP_OK;
}
