#include "spaces/blob_io.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "ipc/pack.h"
#include "os/batch.h"
#include "os/file.h"

enum {
    SEALED_CHUNK = RP_BLOB_CHUNK + RP_AEAD_OVERHEAD,
    PLACE_MAX = 256,
    PATH_MAX_HERE = 160,
    WRITE_CHUNKS = 8 /* sealed in memory before they are written */
};

/* Even nothing is a chunk: that it is the last must be said. */
static uint64_t last_index(uint64_t size) {
    return size == 0 ? 0 : (size - 1) / RP_BLOB_CHUNK;
}

uint64_t rp_blob_sealed_size(uint64_t size) {
    return size + (last_index(size) + 1) * RP_AEAD_OVERHEAD;
}

void rp_blob_done(struct rp_blob *blob) {
    rp_fd_done(&blob->fd);
    rp_wipe(blob->held.p, blob->held.capacity);
    rp_buf_done(&blob->held);
}

/* ---- names ---- */

static void folder_of(rp_id tenant, rp_id blob, char out[static PATH_MAX_HERE]) {
    struct rp_id_text whose = rp_id_print(tenant), which = rp_id_print(blob);
    (void)snprintf(out, PATH_MAX_HERE, "tenants/%.2s/%.2s/%s.files/%.2s", whose.s, whose.s + 2,
                   whose.s, which.s);
}

static void path_of(rp_id tenant, rp_id blob, char out[static PATH_MAX_HERE]) {
    folder_of(tenant, blob, out);
    size_t n = strlen(out);
    (void)snprintf(out + n, PATH_MAX_HERE - n, "/%s", rp_id_print(blob).s);
}

/* ---- one chunk ---- */

struct rp_buf rp_blob_place_bytes(const struct rp_blob_place *place, const char *what) {
    struct rp_buf aad = rp_buf_new(PLACE_MAX);
    rp_pack_bytes(&aad, rp_view_from_cstr(what));
    rp_pack_id(&aad, place->tenant);
    rp_pack_bytes(&aad, place->app);
    rp_pack_bytes(&aad, place->collection);
    rp_pack_id(&aad, place->file);
    rp_pack_u64(&aad, place->version);
    rp_pack_id(&aad, place->blob);
    return aad;
}

static struct rp_buf chunk_bytes(const struct rp_blob_place *place, uint64_t index, bool last) {
    struct rp_buf aad = rp_blob_place_bytes(place, "chunk");
    rp_pack_u64(&aad, index);
    rp_pack_u8(&aad, last);
    return aad;
}

/* Random nonces under a key of its own never come near their limit, however much a tenant keeps. */
static rp_err blob_key(const struct rp_secret *key, const struct rp_blob_place *place,
                       struct rp_secret **ret_key) {
    _cleanup_(rp_buf_done) struct rp_buf info = rp_blob_place_bytes(place, "file key");
    RP_TRY(rp_buf_err(&info));
    return rp_hkdf_sha256(key, RP_VIEW(""), rp_buf_view(&info), RP_AEAD_KEY, ret_key);
}

/*= S82 */ /* a file's bytes are AES-256-GCM before they reach the disk */
static rp_err seal_chunk(const struct rp_env *env, const struct rp_secret *key,
                         const struct rp_blob *blob, uint64_t index, bool last, rp_view plain,
                         struct rp_buf *out) {
    RP_ASSERT(plain.n <= RP_BLOB_CHUNK && (last || plain.n > 0));
    _cleanup_(rp_buf_done) struct rp_buf aad = chunk_bytes(&blob->place, index, last);
    RP_TRY(rp_buf_err(&aad));
    return rp_aead_seal(env, key, rp_buf_view(&aad), plain, out);
}

/*= S67 */ /* a chunk from elsewhere, out of its order or of another version does not open */
static rp_err open_chunk(const struct rp_secret *key, const struct rp_blob *blob, uint64_t index,
                         bool last, rp_view sealed, struct rp_buf *out) {
    _cleanup_(rp_buf_done) struct rp_buf aad = chunk_bytes(&blob->place, index, last);
    RP_TRY(rp_buf_err(&aad));
    return rp_aead_open(key, rp_buf_view(&aad), sealed, out);
}

/* ---- writing ---- */

static struct rp_blob blob_new(const struct rp_blob_place *place) {
    RP_ASSERT(!rp_id_is_none(place->tenant) && !rp_id_is_none(place->blob) && place->version > 0);
    return (struct rp_blob){.place = *place, .fd = -1, .held = rp_buf_new_wiping(RP_BLOB_CHUNK)};
}

rp_err rp_blob_create(const struct rp_blob_place *place, struct rp_blob *ret_blob) {
    struct rp_blob blob = blob_new(place);
    char path[PATH_MAX_HERE];
    folder_of(place->tenant, place->blob, path);
    RP_TRY(rp_folder_make(path, 0750));
    path_of(place->tenant, place->blob, path);
    if (rp_file_exists(path)) {
        return RP_ERR(DUPLICATE);
    }
    RP_TRY(rp_file_open_rw(path, 0640, &blob.fd));
    *ret_blob = blob;
    return RP_OK;
}

/* The chunk that was held back, read again: it may get more. */
static rp_err hold_again(const struct rp_secret *key, struct rp_blob *blob, uint64_t kept) {
    uint64_t index = last_index(kept);
    size_t n = (size_t)(kept - index * RP_BLOB_CHUNK) + RP_AEAD_OVERHEAD;
    _cleanup_(rp_secret_freep) struct rp_secret *own = NULL;
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(SEALED_CHUNK);
    RP_TRY(blob_key(key, &blob->place, &own));
    uint8_t *at = rp_buf_extend(&sealed, n);
    if (!at) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_file_read_at(blob->fd, index * SEALED_CHUNK, at, n));
    return open_chunk(own, blob, index, false, rp_buf_view(&sealed), &blob->held);
}

rp_err rp_blob_resume(const struct rp_secret *key, const struct rp_blob_place *place, uint64_t kept,
                      struct rp_blob *ret_blob) {
    struct rp_blob blob = blob_new(place);
    char path[PATH_MAX_HERE];
    path_of(place->tenant, place->blob, path);
    rp_err err = rp_file_open_rw(path, 0640, &blob.fd);
    if (rp_ok(err) && kept > 0) {
        err = hold_again(key, &blob, kept);
    }
    blob.size = kept;
    if (rp_is(err, RP_E_CORRUPT)) {
        blob.size = last_index(kept) * RP_BLOB_CHUNK;
        err = RP_OK;
    }
    if (!rp_ok(err)) {
        rp_blob_done(&blob);
        return err;
    }
    *ret_blob = blob;
    return RP_OK;
}

/* Which chunk the held bytes are. */
static uint64_t held_index(const struct rp_blob *blob) {
    RP_ASSERT(blob->size >= blob->held.n && (blob->size - blob->held.n) % RP_BLOB_CHUNK == 0);
    return (blob->size - blob->held.n) / RP_BLOB_CHUNK;
}

/* Seals full chunks for as long as something stands behind them, then writes them at once. */
static rp_err add_some(const struct rp_env *env, const struct rp_secret *own, struct rp_blob *blob,
                       rp_view *bytes, struct rp_buf *sealed) {
    uint64_t at = held_index(blob) * SEALED_CHUNK;
    rp_buf_clear(sealed);
    while (bytes->n > 0 && sealed->n < WRITE_CHUNKS * (size_t)SEALED_CHUNK) {
        if (blob->held.n == RP_BLOB_CHUNK) {
            RP_TRY(seal_chunk(env, own, blob, held_index(blob), false, rp_buf_view(&blob->held),
                              sealed));
            rp_buf_clear(&blob->held);
        }
        rp_view part = rp_view_sub(*bytes, 0, RP_BLOB_CHUNK - blob->held.n);
        rp_buf_add(&blob->held, part);
        RP_TRY(rp_buf_err(&blob->held));
        blob->size += part.n;
        *bytes = rp_view_from(*bytes, part.n);
    }
    return sealed->n > 0 ? rp_file_write_at(blob->fd, at, rp_buf_view(sealed)) : RP_OK;
}

rp_err rp_blob_add(const struct rp_env *env, const struct rp_secret *key, struct rp_blob *blob,
                   rp_view bytes) {
    RP_ASSERT(blob->fd >= 0 && blob->size <= INT64_MAX - bytes.n);
    _cleanup_(rp_secret_freep) struct rp_secret *own = NULL;
    _cleanup_(rp_buf_done) struct rp_buf sealed =
        rp_buf_new((WRITE_CHUNKS + 1) * (size_t)SEALED_CHUNK);
    RP_TRY(blob_key(key, &blob->place, &own));
    while (bytes.n > 0) {
        RP_TRY(add_some(env, own, blob, &bytes, &sealed));
    }
    return RP_OK;
}

static rp_err put_held(const struct rp_env *env, const struct rp_secret *key,
                       const struct rp_blob *blob, bool last) {
    _cleanup_(rp_secret_freep) struct rp_secret *own = NULL;
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(SEALED_CHUNK);
    uint64_t index = held_index(blob);
    RP_TRY(blob_key(key, &blob->place, &own));
    RP_TRY(seal_chunk(env, own, blob, index, last, rp_buf_view(&blob->held), &sealed));
    RP_TRY(rp_file_write_at(blob->fd, index * SEALED_CHUNK, rp_buf_view(&sealed)));
    return rp_file_sync(blob->fd);
}

rp_err rp_blob_keep(const struct rp_env *env, const struct rp_secret *key, struct rp_blob *blob) {
    return blob->held.n == 0 ? RP_OK : put_held(env, key, blob, false);
}

rp_err rp_blob_end(const struct rp_env *env, const struct rp_secret *key, struct rp_blob *blob) {
    char folder[PATH_MAX_HERE];
    folder_of(blob->place.tenant, blob->place.blob, folder);
    RP_TRY(rp_file_cut(blob->fd, held_index(blob) * SEALED_CHUNK));
    RP_TRY(put_held(env, key, blob, true));
    RP_TRY(rp_folder_sync(folder));
    /* The folders above are made once for each tenant; syncing them again costs little. */
    for (unsigned up = 0; up < 2; up++) {
        *strrchr(folder, '/') = 0;
        RP_TRY(rp_folder_sync(folder));
    }
    return RP_OK;
}

/* ---- reading ---- */

rp_err rp_blob_open(const struct rp_blob_place *place, uint64_t size, struct rp_blob *ret_blob) {
    struct rp_blob blob = blob_new(place);
    char path[PATH_MAX_HERE];
    uint64_t sealed = 0;
    path_of(place->tenant, place->blob, path);
    rp_err err = rp_file_open(path, &blob.fd);
    if (rp_ok(err)) {
        err = rp_file_size(blob.fd, &sealed);
    }
    if (rp_is(err, RP_E_NOT_FOUND) || (rp_ok(err) && sealed != rp_blob_sealed_size(size))) {
        err = RP_ERR(CORRUPT); /* a record says that it is there, and whole */
    }
    if (!rp_ok(err)) {
        rp_blob_done(&blob);
        return err;
    }
    blob.size = size;
    *ret_blob = blob;
    return RP_OK;
}

/* The part of one chunk that is wanted. */
static rp_err read_chunk(const struct rp_secret *own, const struct rp_blob *blob, uint64_t index,
                         uint64_t offset, uint64_t end, struct rp_buf *scratch,
                         struct rp_buf *out) {
    uint64_t start = index * RP_BLOB_CHUNK, last = last_index(blob->size);
    size_t n = index == last ? (size_t)(blob->size - start) : RP_BLOB_CHUNK;
    size_t skip = offset > start ? (size_t)(offset - start) : 0;
    size_t until = RP_MIN(n, (size_t)(end - start));
    bool whole = skip == 0 && until == n;
    rp_buf_clear(scratch);
    uint8_t *at = rp_buf_extend(scratch, n + RP_AEAD_OVERHEAD);
    if (!at) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_file_read_at(blob->fd, index * SEALED_CHUNK, at, n + RP_AEAD_OVERHEAD));
    if (whole) {
        return open_chunk(own, blob, index, index == last, rp_buf_view(scratch), out);
    }
    _cleanup_(rp_buf_done) struct rp_buf plain = rp_buf_new_wiping(RP_BLOB_CHUNK);
    RP_TRY(open_chunk(own, blob, index, index == last, rp_buf_view(scratch), &plain));
    rp_buf_add(out, rp_view_sub(rp_buf_view(&plain), skip, until - skip));
    return rp_buf_err(out);
}

rp_err rp_blob_read(const struct rp_secret *key, const struct rp_blob *blob, uint64_t offset,
                    size_t n, struct rp_buf *out) {
    RP_ASSERT(blob->fd >= 0 && offset <= blob->size && n <= blob->size - offset);
    if (n == 0 && blob->size > 0) {
        return RP_OK;
    }
    _cleanup_(rp_secret_freep) struct rp_secret *own = NULL;
    _cleanup_(rp_buf_done) struct rp_buf scratch = rp_buf_new(SEALED_CHUNK);
    RP_TRY(blob_key(key, &blob->place, &own));
    uint64_t end = offset + n;
    uint64_t index = offset / RP_BLOB_CHUNK;
    /* Nothing is a chunk too: what is empty must say so itself. */
    do {
        RP_TRY(read_chunk(own, blob, index, offset, end, &scratch, out));
        index++;
    } while (index * RP_BLOB_CHUNK < end);
    return RP_OK;
}

rp_err rp_blob_remove(rp_id tenant, rp_id blob) {
    char path[PATH_MAX_HERE];
    path_of(tenant, blob, path);
    return rp_file_remove(path);
}
