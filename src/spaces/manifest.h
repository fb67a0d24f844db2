/* manifest.h — the last part of an export: what the archive holds, each part with its size and
 * SHA-256.
 *
 * {"files":[…],"format":1,"made_at":…,"records":…,"tenant":…,"with_bytes":…}; who reads an archive
 * writes down the same list while the parts come in, and compares. Pure.
 */
#ifndef RP_SPACES_MANIFEST_H
#define RP_SPACES_MANIFEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "crypto/hash.h"

enum {
    RP_MANIFEST_LIST_MAX = 32 << 20,
    RP_MANIFEST_MAX = RP_MANIFEST_LIST_MAX + 4096,
    RP_MANIFEST_FORMAT = 1
};
#define RP_MANIFEST_NAME "manifest.json"
#define RP_NO_RECORDS UINT64_MAX

struct rp_manifest_part {
    const char *name; /* of letters that JSON takes as they are */
    uint64_t bytes;
    uint64_t records; /* lines of a page; RP_NO_RECORDS: a file's bytes */
    struct rp_sha256 hash;
};

/* What is said of the whole. */
struct rp_manifest {
    rp_id tenant;
    int64_t made_s;
    uint64_t records;    /* those of files with them */
    uint64_t with_bytes; /* how many are files */
};

/* Appends one part to the list. */
void rp_manifest_add(struct rp_buf *list, const struct rp_manifest_part *part);
/* Appends the whole manifest. */
void rp_manifest_print(const struct rp_manifest *manifest, rp_view list, struct rp_buf *out);
/* Whether `text` is the manifest of exactly this list. UNSUPPORTED for another format; CORRUPT,
 * with the part that is not as it says. */
rp_err rp_manifest_check(rp_view text, rp_view list, struct rp_arena *arena,
                         struct rp_manifest *ret_manifest, struct rp_diag *diag);

#endif
