/* writer_io.h — a stream of bytes into sealed chunks of at most 1 MiB, each a gzip member.
 *
 *   head (head.h) · { length of the sealed chunk (u32, big-endian) · last (u8) · sealed chunk }…
 *
 * A chunk is sealed by AES-256-GCM (aead.h) under the backup's key and bound to the head's
 * SHA-256, its number and whether it is the last: none can be altered, left out, moved, added or
 * taken from another backup, and an end that is missing is noticed. Unsealed, the chunks one after
 * the other are a .tar.gz that any tar reads. What does not shrink is stored, not squeezed again.
 *
 * Memory: some 3 MiB whatever the size. Owner: one thread.
 */
#ifndef RP_KEEP_WRITER_IO_H
#define RP_KEEP_WRITER_IO_H

#include "keep/head.h"

enum { RP_KEEP_CHUNK = 1 << 20, RP_KEEP_SEALED_MAX = RP_KEEP_CHUNK + 4096 };

/* What a chunk is bound to, in 48 bytes. For both ends. */
void rp_keep_chunk_place(const struct rp_sha256 *head, uint64_t number, bool last,
                         struct rp_buf *out);

struct rp_keep_writer;

/* Writes the head. fd stays the caller's; env and key must outlive the writer. */
rp_err rp_keep_writer_new(const struct rp_env *env, int fd, rp_view head,
                          const struct rp_secret *key, struct rp_keep_writer **ret_writer);
rp_err rp_keep_write(struct rp_keep_writer *writer, rp_view bytes);
/* The last chunk. Nothing is whole before this returned RP_OK and the file is synced. */
rp_err rp_keep_writer_end(struct rp_keep_writer *writer);
uint64_t rp_keep_writer_bytes(const struct rp_keep_writer *writer); /* in the file so far */
void rp_keep_writer_free(struct rp_keep_writer *writer);            /* accepts NULL */

#endif
