/* untar.h — an archive of tar.h read as it comes in, in pieces of any size.
 *
 * Push bytes; each step takes some of them and says what they were: a file begins, bytes of it, or
 * the end of the archive. Only what rp_tar_header and rp_tar_set_mode print is taken.
 */
#ifndef RP_WIRE_UNTAR_H
#define RP_WIRE_UNTAR_H

#include "wire/tar.h"

enum rp_untar_what {
    RP_UNTAR_MORE,  /* all bytes are used; push more */
    RP_UNTAR_FILE,  /* entry: a file of entry.size bytes begins (its name: until the next step) */
    RP_UNTAR_BYTES, /* bytes: the next of it (views into what was pushed) */
    RP_UNTAR_CLOSE, /* the file is whole */
    RP_UNTAR_END    /* the two empty blocks; nothing may follow */
};

struct rp_untar {
    uint8_t block[RP_TAR_BLOCK];
    size_t have;    /* of the header */
    size_t padding; /* zeros still to come */
    uint64_t left;  /* of the file */
    bool in_file;
    unsigned empty; /* empty blocks seen */
};

struct rp_untar_step {
    enum rp_untar_what what;
    struct rp_tar_entry entry;
    rp_view bytes;
};

/* Starts as {0}. Cuts what it used off *rest. CORRUPT. */
rp_err rp_untar_step(struct rp_untar *untar, rp_view *rest, struct rp_untar_step *ret_step);
/* True when the archive ended: otherwise the end is missing. */
bool rp_untar_ended(const struct rp_untar *untar);

#endif
