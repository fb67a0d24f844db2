#include "spaces/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "spaces/files.h"
#include "spaces/manifest.h"
#include "wire/tar.h"

enum {
    PAGE_BYTES = 1 << 20,
    PIECE_BYTES = 256 * 1024,
    OUT_BYTES = 64 * 1024,
    ARENA_BYTES = 4 << 20,
    GZIP_WINDOW = 15 + 16,
    LEVEL = 1,
    MEMORY = 8
};

struct rp_archive {
    rp_id tenant;
    int64_t now_s;
    z_stream zip;
    bool zipping;
    struct rp_buf manifest; /* the list of parts, so far */
    uint64_t records, files, parts;

    /* Where the pages are. */
    char app[33], collection[RP_COLLECTION_MAX + 2];
    rp_id after;
    bool paged; /* all pages are out */

    /* The files of the last page, and the one that is going out. */
    struct rp_exported_file list[RP_EXPORT_FILES];
    size_t list_n, list_at;
    struct rp_blob blob;
    char blob_app[33], blob_collection[RP_COLLECTION_MAX + 2], blob_name[RP_TAR_NAME_MAX + 1];
    uint64_t blob_at;
    struct rp_sha256_stream *sha;
};

rp_err rp_archive_new(const struct rp_env *env, rp_id tenant, struct rp_archive **ret_archive) {
    struct rp_archive *archive = calloc(1, sizeof *archive);
    if (!archive) {
        return RP_ERR(NO_MEMORY);
    }
    archive->tenant = tenant;
    archive->now_s = rp_env_now_s(env);
    archive->manifest = rp_buf_new(RP_MANIFEST_LIST_MAX);
    archive->blob.fd = -1;
    archive->zipping = deflateInit2(&archive->zip, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY,
                                    Z_DEFAULT_STRATEGY) == Z_OK;
    if (!archive->zipping) {
        rp_archive_free(archive);
        return RP_ERR(NO_MEMORY);
    }
    *ret_archive = archive;
    return RP_OK;
}

void rp_archive_free(struct rp_archive *archive) {
    if (!archive) {
        return;
    }
    if (archive->zipping) {
        (void)deflateEnd(&archive->zip);
    }
    rp_sha256_stream_free(archive->sha);
    rp_blob_done(&archive->blob);
    rp_buf_done(&archive->manifest);
    free(archive);
}

/* ---- gzip and tar ---- */

static rp_err zip(struct rp_archive *archive, rp_view v, int flush, struct rp_buf *out) {
    archive->zip.next_in = (Bytef *)(uintptr_t)v.p;
    archive->zip.avail_in = (uInt)v.n;
    int result = Z_OK;
    do {
        uint8_t *at = rp_buf_extend(out, OUT_BYTES);
        if (!at) {
            return RP_ERR(TOO_LARGE);
        }
        archive->zip.next_out = at;
        archive->zip.avail_out = OUT_BYTES;
        result = deflate(&archive->zip, flush);
        out->n -= archive->zip.avail_out;
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
            return RP_ERR(SYSTEM);
        }
    } while (archive->zip.avail_out == 0 || (flush == Z_FINISH && result != Z_STREAM_END));
    return RP_OK;
}

static rp_err put_head(struct rp_archive *archive, rp_view name, uint64_t size,
                       struct rp_buf *out) {
    uint8_t header[RP_TAR_BLOCK];
    RP_TRY(rp_tar_header(name, size, archive->now_s, header));
    return zip(archive, rp_view_of(header, sizeof header), Z_NO_FLUSH, out);
}

static rp_err put_padding(struct rp_archive *archive, uint64_t size, struct rp_buf *out) {
    static const uint8_t zeros[RP_TAR_BLOCK];
    return zip(archive, rp_view_of(zeros, rp_tar_padding(size)), Z_NO_FLUSH, out);
}

static rp_err put_whole(struct rp_archive *archive, rp_view name, rp_view content,
                        struct rp_buf *out) {
    RP_TRY(put_head(archive, name, content.n, out));
    RP_TRY(zip(archive, content, Z_NO_FLUSH, out));
    return put_padding(archive, content.n, out);
}

/* "records/APP/COLLECTION/" or "files/…", and a last part. */
static rp_err name_of(const char *app, const char *collection, const char *last,
                      char out[static RP_TAR_NAME_MAX + 1], struct rp_diag *diag) {
    bool file = collection[0] == '@';
    int n = snprintf(out, RP_TAR_NAME_MAX + 1, "%s/%s/%s/%s", file ? "files" : "records", app,
                     collection + file, last);
    return n > 0 && n <= RP_TAR_NAME_MAX
               ? RP_OK
               : rp_fail(diag, RP_ERR(TOO_LARGE),
                         "%s/%s: application and collection have names too long for an archive",
                         app, collection);
}

/* ---- a page of records ---- */

static rp_err remember(struct rp_archive *archive, const struct rp_space_export *page) {
    if (page->app.n >= sizeof archive->app || page->collection.n >= sizeof archive->collection) {
        return RP_ERR(CORRUPT);
    }
    bool same = rp_view_equal(page->app, rp_view_from_cstr(archive->app)) &&
                rp_view_equal(page->collection, rp_view_from_cstr(archive->collection));
    archive->parts = same ? archive->parts + 1 : 1;
    memcpy(archive->app, page->app.p, page->app.n);
    archive->app[page->app.n] = 0;
    memcpy(archive->collection, page->collection.p, page->collection.n);
    archive->collection[page->collection.n] = 0;
    archive->after = page->after;
    return RP_OK;
}

static rp_err put_page(struct rp_archive *archive, struct rp_space *space, struct rp_buf *out,
                       struct rp_diag *diag) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new_wiping(ARENA_BYTES);
    _cleanup_(rp_buf_done) struct rp_buf lines = rp_buf_new_wiping(PAGE_BYTES);
    struct rp_space_export page = {.app = rp_view_from_cstr(archive->app),
                                   .collection = rp_view_from_cstr(archive->collection),
                                   .after = archive->after,
                                   .lines = &lines};
    char part[16], name[RP_TAR_NAME_MAX + 1];
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_space_export(space, &page, arena));
    archive->paged = page.count == 0;
    if (archive->paged) {
        return RP_OK;
    }
    RP_TRY(remember(archive, &page));
    (void)snprintf(part, sizeof part, "%06llu.jsonl", (unsigned long long)archive->parts % 1000000);
    RP_TRY(name_of(archive->app, archive->collection, part, name, diag));
    struct rp_sha256 hash = rp_sha256_of(rp_buf_view(&lines));
    rp_manifest_add(&archive->manifest,
                    &(struct rp_manifest_part){name, lines.n, page.count, hash});
    archive->records += page.count;
    memcpy(archive->list, page.files, page.file_count * sizeof archive->list[0]);
    archive->list_n = page.file_count;
    archive->list_at = 0;
    return put_whole(archive, rp_view_from_cstr(name), rp_buf_view(&lines), out);
}

/* ---- a file's bytes ---- */

static rp_err open_file(struct rp_archive *archive, struct rp_space *space, struct rp_buf *out,
                        struct rp_diag *diag) {
    const struct rp_exported_file *file = &archive->list[archive->list_at];
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(65536);
    struct rp_file found = {
        .record = {.id = file->id}, .size = file->size, .blob = file->blob, .made = file->made};
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    /* The blob's place points here for as long as it is open. */
    memcpy(archive->blob_app, archive->app, sizeof archive->blob_app);
    memcpy(archive->blob_collection, archive->collection, sizeof archive->blob_collection);
    space->app = rp_view_from_cstr(archive->blob_app);
    rp_view shown = rp_view_from(rp_view_from_cstr(archive->blob_collection), 1);
    RP_TRY(rp_space_file_open(space, shown, &found, arena, &archive->blob));
    archive->blob.place.app = space->app;
    archive->blob.place.collection = rp_view_from_cstr(archive->blob_collection);
    archive->blob_at = 0;
    RP_TRY(name_of(archive->app, archive->collection, rp_id_print(file->id).s, archive->blob_name,
                   diag));
    RP_TRY(rp_sha256_stream_new(&archive->sha));
    return put_head(archive, rp_view_from_cstr(archive->blob_name), file->size, out);
}

static rp_err put_piece(struct rp_archive *archive, struct rp_space *space, struct rp_buf *out) {
    const struct rp_exported_file *file = &archive->list[archive->list_at];
    size_t n = (size_t)RP_MIN((uint64_t)PIECE_BYTES, file->size - archive->blob_at);
    _cleanup_(rp_buf_done) struct rp_buf plain = rp_buf_new_wiping(PIECE_BYTES);
    RP_TRY(rp_blob_read(space->key, &archive->blob, archive->blob_at, n, &plain));
    rp_sha256_stream_add(archive->sha, rp_buf_view(&plain));
    RP_TRY(zip(archive, rp_buf_view(&plain), Z_NO_FLUSH, out));
    archive->blob_at += n;
    if (archive->blob_at < file->size) {
        return RP_OK;
    }
    struct rp_sha256 hash = rp_sha256_stream_end(archive->sha);
    rp_manifest_add(&archive->manifest, &(struct rp_manifest_part){archive->blob_name, file->size,
                                                                   RP_NO_RECORDS, hash});
    rp_sha256_stream_free(archive->sha);
    archive->sha = NULL;
    rp_blob_done(&archive->blob);
    archive->files++;
    archive->list_at++;
    return put_padding(archive, file->size, out);
}

/* ---- the end ---- */

static rp_err put_end(struct rp_archive *archive, struct rp_buf *out) {
    static const uint8_t two[2 * RP_TAR_BLOCK];
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(RP_MANIFEST_MAX);
    const struct rp_manifest facts = {.tenant = archive->tenant,
                                      .made_s = archive->now_s,
                                      .records = archive->records,
                                      .with_bytes = archive->files};
    rp_manifest_print(&facts, rp_buf_view(&archive->manifest), &text);
    RP_TRY(rp_buf_err(&archive->manifest));
    RP_TRY(rp_buf_err(&text));
    RP_TRY(put_whole(archive, RP_VIEW(RP_MANIFEST_NAME), rp_buf_view(&text), out));
    return zip(archive, rp_view_of(two, sizeof two), Z_FINISH, out);
}

rp_err rp_archive_next(struct rp_archive *archive, struct rp_space *space, struct rp_buf *out,
                       bool *ret_more, struct rp_diag *diag) {
    RP_ASSERT(rp_id_equal(space->tenant, archive->tenant) && space->key != NULL);
    bool more = true;
    if (archive->blob.fd >= 0) {
        RP_TRY(put_piece(archive, space, out));
    } else if (archive->list_at < archive->list_n) {
        RP_TRY(open_file(archive, space, out, diag));
    } else if (!archive->paged) {
        RP_TRY(put_page(archive, space, out, diag));
    } else {
        RP_TRY(put_end(archive, out));
        more = false;
    }
    *ret_more = more;
    return RP_OK;
}
