/* archive.h — everything that a tenant keeps, as a tar.gz that any tool reads, made piece by piece.
 *
 * records/APP/COLLECTION/000001.jsonl: one record a line. files/APP/COLLECTION/000001.jsonl: what
 * is said of each file; files/APP/COLLECTION/ID: its bytes. manifest.json, last: each part with its
 * size and SHA-256. The trash is in it, earlier versions are not. What changes while it is made may
 * be in or out.
 *
 * Memory: a page of records and a piece of a file. It holds no key: each call brings the handle
 * that is good now. CORRUPT at the first thing that does not open: half an export is none.
 *
 * Promises: S70, S174.
 */
#ifndef RP_SPACES_ARCHIVE_H
#define RP_SPACES_ARCHIVE_H

#include "spaces/spaces.h"

struct rp_archive;

rp_err rp_archive_new(const struct rp_env *env, rp_id tenant, struct rp_archive **ret_archive);
void rp_archive_free(struct rp_archive *archive); /* accepts NULL */
/* Appends what comes next, at most some two MiB; *ret_more false when that was all. */
rp_err rp_archive_next(struct rp_archive *archive, struct rp_space *space, struct rp_buf *out,
                       bool *ret_more, struct rp_diag *diag);

#endif
