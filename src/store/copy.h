/* copy.h — a whole store into another: from files into PostgreSQL, or from there into files.
 *
 * Tenants go first, each in one transaction, and the system's database last: a target without it
 * was not finished, and can be begun again. What is there stays where it is. Nobody else has
 * either store open.
 *
 * Fails: DUPLICATE (the target holds data), INVALID (both are of one kind), NOT_FOUND (there is no
 * source), CORRUPT (a table came over with another number of rows).
 */
#ifndef RP_STORE_COPY_H
#define RP_STORE_COPY_H

#include "store/store.h"

struct rp_copying {
    /* After each database; databases counts the system's. */
    void (*each)(void *ctx, const struct rp_copying *copying);
    void *ctx;
    uint64_t databases, rows; /* so far */
};

/* URLs as wire/store_url.h has them; files are below the working folder. */
rp_err rp_store_copy_all(const char *from, const char *to, struct rp_copying *copying,
                         struct rp_diag *diag);

#endif
