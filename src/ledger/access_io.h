/* access_io.h — allowed requests go to compressed files whose hash is a leaf.
 *
 * access/<milliseconds>.jsonl.gz: one JSON object a line, at most about 1 MiB before compression.
 * The file is durable before its leaf is appended. Files go 30 days after the newest.
 */
#ifndef RP_LEDGER_ACCESS_IO_H
#define RP_LEDGER_ACCESS_IO_H

#include "base/buf.h"
#include "crypto/hash.h"
#include "ledger/disk_io.h"

enum { RP_ACCESS_KEEP_DAYS = 30, RP_ACCESS_NAME = 40, RP_ACCESS_SEGMENT_BYTES = 1024 * 1024 };

void rp_access_name(uint64_t time_ms, char out[static RP_ACCESS_NAME]);
/* False for anything that rp_access_name would not write. */
bool rp_access_time_of(rp_view name, uint64_t *ret_time_ms);

/* Compresses lines into ledger folder/access/<name>, durably. */
rp_err rp_access_write(const struct rp_disk *disk, const char *folder, uint64_t time_ms,
                       rp_view lines, struct rp_sha256 *ret_sha256);
/* Removes the segments older than the days before `newest_ms`. */
rp_err rp_access_expire(const char *folder, uint64_t newest_ms);
/* Calls each for every segment newer than `after_ms`, in order of time, with its hash: those whose
 * leaf a crash may have prevented. */
rp_err rp_access_each_after(const char *folder, uint64_t after_ms,
                            rp_err (*each)(void *ctx, uint64_t time_ms,
                                           const struct rp_sha256 *sha256),
                            void *ctx);

#endif
