#include "keep/writer_io.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"

enum {
    GZIP_WINDOW = 15 + 16,
    MEMORY = 8,
    SAMPLE = 16 * 1024, /* tells whether the rest is worth the time */
    LEVEL = 1,
    FRAME = 5
};

struct rp_keep_writer {
    const struct rp_env *env;
    const struct rp_secret *key;
    int fd;
    struct rp_sha256 head;
    uint64_t number, bytes;
    size_t n;
    bool ended;
    struct rp_buf sealed;
    uint8_t plain[RP_KEEP_CHUNK];
    uint8_t packed[RP_KEEP_CHUNK + 2048];
};

void rp_keep_chunk_place(const struct rp_sha256 *head, uint64_t number, bool last,
                         struct rp_buf *out) {
    rp_buf_add(out, RP_VIEW("chunk: "));
    rp_buf_add(out, rp_view_of(head->b, sizeof head->b));
    for (unsigned i = 0; i < 8; i++) {
        rp_buf_add_byte(out, (uint8_t)(number >> (56 - 8 * i)));
    }
    rp_buf_add_byte(out, last ? 1 : 0);
}

static rp_err put(struct rp_keep_writer *writer, rp_view v) {
    RP_TRY(rp_file_write_all(writer->fd, v));
    writer->bytes += v.n;
    return RP_OK;
}

rp_err rp_keep_writer_new(const struct rp_env *env, int fd, rp_view head,
                          const struct rp_secret *key, struct rp_keep_writer **ret_writer) {
    struct rp_keep_writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        return RP_ERR(NO_MEMORY);
    }
    writer->env = env;
    writer->key = key;
    writer->fd = fd;
    writer->head = rp_sha256_of(head);
    writer->sealed = rp_buf_new(RP_KEEP_SEALED_MAX);
    rp_err err = put(writer, head);
    if (!rp_ok(err)) {
        rp_keep_writer_free(writer);
        return err;
    }
    *ret_writer = writer;
    return RP_OK;
}

void rp_keep_writer_free(struct rp_keep_writer *writer) {
    if (writer) {
        rp_wipe(writer->plain, sizeof writer->plain);
        rp_wipe(writer->packed, sizeof writer->packed);
        rp_buf_done(&writer->sealed);
        free(writer);
    }
}

uint64_t rp_keep_writer_bytes(const struct rp_keep_writer *writer) {
    return writer->bytes;
}

/* One gzip member; its length. */
static rp_err deflate_into(rp_view plain, int level, uint8_t *out, size_t max, size_t *ret_n) {
    z_stream zip = {0};
    if (deflateInit2(&zip, level, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
        return RP_ERR(NO_MEMORY);
    }
    zip.next_in = (Bytef *)(uintptr_t)plain.p;
    zip.avail_in = (uInt)plain.n;
    zip.next_out = out;
    zip.avail_out = (uInt)max;
    int result = deflate(&zip, Z_FINISH);
    *ret_n = max - zip.avail_out;
    (void)deflateEnd(&zip);
    return result == Z_STREAM_END ? RP_OK : RP_ERR(TOO_LARGE);
}

/* Sealed data and hashes do not shrink: most of a backup is that. */
static int level_for(struct rp_keep_writer *writer, rp_view plain) {
    size_t n = 0;
    rp_view sample = rp_view_sub(plain, plain.n / 2, SAMPLE);
    if (sample.n < SAMPLE) {
        return LEVEL;
    }
    rp_err err = deflate_into(sample, LEVEL, writer->packed, sizeof writer->packed, &n);
    return rp_ok(err) && n > sample.n - sample.n / 16 ? 0 : LEVEL;
}

static rp_err flush(struct rp_keep_writer *writer, bool last) {
    rp_view plain = rp_view_of(writer->plain, writer->n);
    size_t n = 0;
    rp_err err =
        deflate_into(plain, level_for(writer, plain), writer->packed, sizeof writer->packed, &n);
    if (rp_is(err, RP_E_TOO_LARGE)) { /* it grew: stored, it fits */
        err = deflate_into(plain, 0, writer->packed, sizeof writer->packed, &n);
    }
    RP_TRY(err);
    _cleanup_(rp_buf_done) struct rp_buf place = rp_buf_new(64);
    rp_keep_chunk_place(&writer->head, writer->number, last, &place);
    RP_TRY(rp_buf_err(&place));
    rp_buf_clear(&writer->sealed);
    RP_TRY(rp_aead_seal(writer->env, writer->key, rp_buf_view(&place),
                        rp_view_of(writer->packed, n), &writer->sealed));
    size_t size = writer->sealed.n;
    const uint8_t frame[FRAME] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16),
                                  (uint8_t)(size >> 8), (uint8_t)size, last ? 1 : 0};
    RP_TRY(put(writer, rp_view_of(frame, sizeof frame)));
    RP_TRY(put(writer, rp_buf_view(&writer->sealed)));
    writer->number++;
    writer->n = 0;
    return RP_OK;
}

rp_err rp_keep_write(struct rp_keep_writer *writer, rp_view bytes) {
    RP_ASSERT(!writer->ended);
    while (bytes.n > 0) {
        if (writer->n == sizeof writer->plain) {
            RP_TRY(flush(writer, false));
        }
        size_t n = RP_MIN(bytes.n, sizeof writer->plain - writer->n);
        memcpy(writer->plain + writer->n, bytes.p, n);
        writer->n += n;
        bytes = rp_view_from(bytes, n);
    }
    return RP_OK;
}

rp_err rp_keep_writer_end(struct rp_keep_writer *writer) {
    RP_ASSERT(!writer->ended);
    writer->ended = true;
    return flush(writer, true);
}
