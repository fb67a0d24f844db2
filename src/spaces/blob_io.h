/* blob_io.h — a file's bytes on the disk: chunks of 64 KiB, each sealed to its place.
 *
 * tenants/ab/cd/TENANT.files/ef/BLOB holds chunk after chunk, each with its nonce and tag. A chunk
 * is bound to (tenant, application, collection, file, version, blob, index, whether it is the
 * last), under a key that HKDF makes of the tenant's for this blob alone: no chunk opens anywhere
 * else, and a file that was cut, prolonged or put in another order does not open.
 *
 * A writer keeps the newest chunk back, because only the next byte tells that it is not the last.
 * rp_blob_keep makes what came so far durable, so that a broken upload goes on from there.
 *
 * Owner: the caller; rp_blob_done closes. Promises: S67, S82.
 */
#ifndef RP_SPACES_BLOB_IO_H
#define RP_SPACES_BLOB_IO_H

#include "spaces/spaces.h"

enum { RP_BLOB_CHUNK = 64 * 1024 };

struct rp_blob_place {
    rp_id tenant;
    rp_view app, collection; /* must outlive the blob */
    rp_id file;
    uint64_t version; /* the one that the bytes were brought for */
    rp_id blob;
};

/* What a seal is bound to: `what` it is of this place; each part counted, so that no two places
 * have the same bytes. The caller frees it. */
struct rp_buf rp_blob_place_bytes(const struct rp_blob_place *place, const char *what);

/* Bytes on the disk of so many. */
uint64_t rp_blob_sealed_size(uint64_t size);

struct rp_blob {
    struct rp_blob_place place;
    int fd;             /* -1 = closed */
    uint64_t size;      /* bytes that came, or that are there */
    struct rp_buf held; /* the newest, when writing */
};
void rp_blob_done(struct rp_blob *blob);

/* ---- writing ---- */

/* A new, empty one; its folder is made. DUPLICATE. */
rp_err rp_blob_create(const struct rp_blob_place *place, struct rp_blob *ret_blob);
/* Goes on after `kept` bytes, which rp_blob_keep made durable. Where the machine stopped while the
 * newest chunk was being written again, up to a chunk less is there: ret_blob->size says how much.
 */
rp_err rp_blob_resume(const struct rp_secret *key, const struct rp_blob_place *place, uint64_t kept,
                      struct rp_blob *ret_blob);
/* key: the tenant's, on lease. */
rp_err rp_blob_add(const struct rp_env *env, const struct rp_secret *key, struct rp_blob *blob,
                   rp_view bytes);
/* Durable up to here. */
rp_err rp_blob_keep(const struct rp_env *env, const struct rp_secret *key, struct rp_blob *blob);
/* Nothing comes any more; durable with its name. */
rp_err rp_blob_end(const struct rp_env *env, const struct rp_secret *key, struct rp_blob *blob);

/* ---- reading ---- */

/* CORRUPT unless the file is as long as `size` bytes make it. */
rp_err rp_blob_open(const struct rp_blob_place *place, uint64_t size, struct rp_blob *ret_blob);
/* Appends `n` bytes from `offset` on; both within size. CORRUPT. */
rp_err rp_blob_read(const struct rp_secret *key, const struct rp_blob *blob, uint64_t offset,
                    size_t n, struct rp_buf *out);

rp_err rp_blob_remove(rp_id tenant, rp_id blob); /* absent is OK */

#endif
