/* reader_io.h — a backup read back: the head, then every chunk unsealed, checked and unpacked.
 *
 * Nothing is given out that was not authenticated. What is altered, left out, moved or cut off is
 * CORRUPT, with the chunk's number and place in the file in the diag.
 *
 * Memory: some 3 MiB whatever the size. Owner: one thread.
 */
#ifndef RP_KEEP_READER_IO_H
#define RP_KEEP_READER_IO_H

#include "keep/head.h"

struct rp_keep_reader;

/* Reads the head from fd, which stays the caller's. Views into the arena. */
rp_err rp_keep_read_head(int fd, struct rp_arena *arena, struct rp_keep_head *ret_head,
                         rp_view *ret_bytes, struct rp_diag *diag);

/* head: the bytes that rp_keep_read_head gave. key must outlive the reader. */
rp_err rp_keep_reader_new(int fd, rp_view head, const struct rp_secret *key,
                          struct rp_keep_reader **ret_reader);
/* The next bytes, valid until the next call; none (n == 0) after the last chunk, when nothing but
 * the end follows it. */
rp_err rp_keep_read(struct rp_keep_reader *reader, rp_view *ret_bytes, struct rp_diag *diag);
/* The same chunk as it was sealed: one gzip member. Valid until the next call. */
rp_view rp_keep_reader_member(const struct rp_keep_reader *reader);
uint64_t rp_keep_reader_chunks(const struct rp_keep_reader *reader);
void rp_keep_reader_free(struct rp_keep_reader *reader); /* accepts NULL */

#endif
