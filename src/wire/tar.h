/* tar.h — POSIX ustar headers, written and read: what every tar reads.
 *
 * A name of up to 100 bytes, a size up to 8 GiB less one. Content follows, padded to 512 bytes; two
 * empty blocks end an archive.
 */
#ifndef RP_WIRE_TAR_H
#define RP_WIRE_TAR_H

#include "base/err.h"

enum { RP_TAR_BLOCK = 512, RP_TAR_NAME_MAX = 100 };

/* INVALID for an empty name, one with NUL, or one that leaves its folder; TOO_LARGE. */
rp_err rp_tar_header(rp_view name, uint64_t size, int64_t mtime_s,
                     uint8_t ret_block[static RP_TAR_BLOCK]);
/* Gives a header that was just made another mode, 0 to 0777. */
void rp_tar_set_mode(uint8_t block[static RP_TAR_BLOCK], unsigned mode);

struct rp_tar_entry {
    rp_view name; /* into the block; never absolute, never out of its folder */
    uint64_t size;
    unsigned mode;
};
/* A plain file's header as rp_tar_header makes it; CORRUPT for anything else. An empty block, of
 * which two end an archive, gives an empty name. */
rp_err rp_tar_parse(const uint8_t block[static RP_TAR_BLOCK], struct rp_tar_entry *ret_entry);

/* How many zeros fill the last block of a content. */
static inline size_t rp_tar_padding(uint64_t size) {
    return (size_t)((RP_TAR_BLOCK - size % RP_TAR_BLOCK) % RP_TAR_BLOCK);
}

#endif
