/* breached.h — is this password in a list of leaked ones? A file of any size, searched where it
 * lies.
 *
 *   file = 1*(line end)        line = 40HEXDIG [":" 1*DIGIT]        end = LF | CRLF; sorted by hash
 *
 * The form in which "Pwned Passwords" publishes SHA-1 hashes, ordered by hash: some 40 GB. Nothing
 * of it is held in memory. Each search reads about thirty short pieces, as many for what is there
 * as for what is not. The file is opened once, before a role is entered, and never leaves this
 * machine.
 *
 * Owner: the caller; threads share one list. Fails: CORRUPT (a line that is none), SYSTEM.
 * Promises: S170.
 */
#ifndef RP_IDENTITY_BREACHED_H
#define RP_IDENTITY_BREACHED_H

#include "base/err.h"

enum { RP_BREACHED_LINE_MAX = 64, RP_BREACHED_HASH = 20 };

struct rp_breached {
    /* n bytes from at; fewer only at the end of the file. */
    rp_err (*read)(void *ctx, uint64_t at, uint8_t *out, size_t n, size_t *ret_n);
    void *ctx;
    uint64_t size;
};

/* Pure, but for read. */
rp_err rp_breached_find(const struct rp_breached *list, const uint8_t hash[static RP_BREACHED_HASH],
                        bool *ret_found);
/* Looks at this many places for form and order; says at which byte it is wrong. */
rp_err rp_breached_sample(const struct rp_breached *list, unsigned places, struct rp_diag *diag);

/* ---- a file ---- */
struct rp_breached_file {
    int fd; /* -1: there is no list */
    struct rp_breached list;
};
/* CORRUPT with the reason when its first line is none: the list of NTLM hashes, a packed file. */
rp_err rp_breached_open(const char *path, struct rp_breached_file *ret_file, struct rp_diag *diag);
void rp_breached_close(struct rp_breached_file *file);
/* false where there is no list. */
rp_err rp_breached_has(const struct rp_breached_file *file, rp_view password, bool *ret_found);

#endif
