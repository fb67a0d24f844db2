#include "spaces/archive_reader.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/assert.h"
#include "base/checked.h"

enum { OUT_BYTES = 64 * 1024, GZIP_WINDOW = 15 + 16, FACTS_ARENA = 64 * 1024 };

struct rp_archive_reader {
    z_stream zip;
    bool zipping, zip_ended;
    uint8_t out[OUT_BYTES];
    rp_view ready; /* of out: unzipped, not yet taken apart */
    struct rp_untar tar;

    /* The part that comes in. */
    char name[RP_TAR_NAME_MAX + 1];
    uint64_t bytes, lines;
    struct rp_sha256_stream *sha;

    struct rp_buf list, manifest_text;
    bool in_manifest, checked;
    uint64_t records, files;
    struct rp_manifest manifest;
};

rp_err rp_archive_reader_new(struct rp_archive_reader **ret_reader) {
    struct rp_archive_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        return RP_ERR(NO_MEMORY);
    }
    reader->list = rp_buf_new(RP_MANIFEST_LIST_MAX);
    reader->manifest_text = rp_buf_new(RP_MANIFEST_MAX);
    reader->zipping = inflateInit2(&reader->zip, GZIP_WINDOW) == Z_OK;
    if (!reader->zipping) {
        rp_archive_reader_free(reader);
        return RP_ERR(NO_MEMORY);
    }
    *ret_reader = reader;
    return RP_OK;
}

void rp_archive_reader_free(struct rp_archive_reader *reader) {
    if (!reader) {
        return;
    }
    if (reader->zipping) {
        (void)inflateEnd(&reader->zip);
    }
    rp_sha256_stream_free(reader->sha);
    rp_buf_done(&reader->list);
    rp_buf_done(&reader->manifest_text);
    rp_wipe(reader->out, sizeof reader->out);
    free(reader);
}

const struct rp_manifest *rp_archive_reader_manifest(const struct rp_archive_reader *reader) {
    return reader->checked ? &reader->manifest : NULL;
}

/* ---- parts ---- */

/* A name goes into the list as it stands: what JSON would write otherwise no export contains. */
static bool is_plain(rp_view name) {
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == '"' || name.p[i] == '\\') {
            return false;
        }
    }
    return true;
}

static rp_err begin(struct rp_archive_reader *reader, const struct rp_tar_entry *entry,
                    struct rp_diag *diag) {
    if (reader->checked || !is_plain(entry->name)) {
        return rp_fail(diag, RP_ERR(CORRUPT), "a part after the manifest, or of a strange name");
    }
    memcpy(reader->name, entry->name.p, entry->name.n);
    reader->name[entry->name.n] = 0;
    reader->bytes = reader->lines = 0;
    reader->in_manifest = rp_view_equal(entry->name, RP_VIEW(RP_MANIFEST_NAME));
    if (reader->in_manifest && entry->size > RP_MANIFEST_MAX) {
        return rp_fail(diag, RP_ERR(CORRUPT), "manifest.json of %llu bytes",
                       (unsigned long long)entry->size);
    }
    return reader->in_manifest ? RP_OK : rp_sha256_stream_new(&reader->sha);
}

static rp_err add(struct rp_archive_reader *reader, rp_view bytes) {
    if (reader->in_manifest) {
        rp_buf_add(&reader->manifest_text, bytes);
        return rp_buf_err(&reader->manifest_text);
    }
    rp_sha256_stream_add(reader->sha, bytes);
    reader->bytes += bytes.n;
    for (rp_view rest = bytes; rest.n > 0;) {
        size_t at = rp_view_find_byte(rest, '\n');
        reader->lines += at < rest.n;
        rest = rp_view_from(rest, at + 1);
    }
    return RP_OK;
}

static rp_err end_part(struct rp_archive_reader *reader) {
    bool page = rp_view_ends(rp_view_from_cstr(reader->name), RP_VIEW(".jsonl"));
    struct rp_manifest_part part = {.name = reader->name,
                                    .bytes = reader->bytes,
                                    .records = page ? reader->lines : RP_NO_RECORDS,
                                    .hash = rp_sha256_stream_end(reader->sha)};
    rp_sha256_stream_free(reader->sha);
    reader->sha = NULL;
    reader->records += page ? reader->lines : 0;
    reader->files += !page;
    rp_manifest_add(&reader->list, &part);
    return rp_buf_err(&reader->list);
}

static rp_err check_manifest(struct rp_archive_reader *reader, struct rp_diag *diag) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(FACTS_ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_manifest_check(rp_buf_view(&reader->manifest_text), rp_buf_view(&reader->list), arena,
                             &reader->manifest, diag));
    if (reader->manifest.records != reader->records ||
        reader->manifest.with_bytes != reader->files) {
        return rp_fail(diag, RP_ERR(CORRUPT), "the manifest counts other records than there are");
    }
    reader->checked = true;
    return RP_OK;
}

static rp_err note(struct rp_archive_reader *reader, const struct rp_untar_step *step,
                   struct rp_diag *diag) {
    switch (step->what) {
    case RP_UNTAR_MORE:
        return RP_OK;
    case RP_UNTAR_FILE:
        return begin(reader, &step->entry, diag);
    case RP_UNTAR_BYTES:
        return add(reader, step->bytes);
    case RP_UNTAR_CLOSE:
        return reader->in_manifest ? check_manifest(reader, diag) : end_part(reader);
    case RP_UNTAR_END:
        return reader->checked ? RP_OK
                               : rp_fail(diag, RP_ERR(CORRUPT), "the archive has no manifest.json");
    }
    RP_UNREACHABLE();
}

/* ---- gzip ---- */

static rp_err unzip(struct rp_archive_reader *reader, rp_view *rest, struct rp_diag *diag) {
    if (reader->zip_ended) {
        return rest->n == 0 ? RP_OK : rp_fail(diag, RP_ERR(CORRUPT), "bytes behind the archive");
    }
    reader->zip.next_in = (Bytef *)(uintptr_t)rest->p;
    reader->zip.avail_in = (uInt)RP_MIN(rest->n, (size_t)1 << 30);
    reader->zip.next_out = reader->out;
    reader->zip.avail_out = OUT_BYTES;
    size_t given = reader->zip.avail_in;
    int result = inflate(&reader->zip, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        return rp_fail(diag, RP_ERR(CORRUPT), "not a gzip file, or a damaged one");
    }
    reader->zip_ended = result == Z_STREAM_END;
    *rest = rp_view_from(*rest, given - reader->zip.avail_in);
    reader->ready = rp_view_of(reader->out, OUT_BYTES - reader->zip.avail_out);
    return RP_OK;
}

/* A file that is whole is told of without a further byte. */
static bool owes_close(const struct rp_archive_reader *reader) {
    return reader->tar.in_file && reader->tar.left == 0;
}

rp_err rp_archive_reader_step(struct rp_archive_reader *reader, rp_view *rest,
                              struct rp_untar_step *ret_step, struct rp_diag *diag) {
    struct rp_untar_step step = {.what = RP_UNTAR_MORE};
    bool told = false;
    while (!told) {
        if (reader->ready.n == 0 && !owes_close(reader)) {
            RP_TRY(unzip(reader, rest, diag));
        }
        if (reader->ready.n == 0 && !owes_close(reader)) {
            /* The end of gzip, with its checksum, comes behind the end of tar. */
            step.what = reader->checked && reader->zip_ended ? RP_UNTAR_END : RP_UNTAR_MORE;
            told = rest->n == 0;
            continue;
        }
        if (!rp_ok(rp_untar_step(&reader->tar, &reader->ready, &step))) {
            return rp_fail(diag, RP_ERR(CORRUPT), "not the tar of an export, or a damaged one");
        }
        RP_TRY(note(reader, &step, diag));
        told = step.what != RP_UNTAR_MORE && step.what != RP_UNTAR_END;
    }
    *ret_step = step;
    return RP_OK;
}
