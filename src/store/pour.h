/* pour.h — all that one database holds, into another, whichever engines the two have.
 *
 * The tables are those of SQLite's schema, in the order of their making (what refers to another
 * comes after it). Both databases are at this program's version, and the target holds nothing but
 * what a new one holds. A few rows go at a time, so that whoever pours has time for others.
 *
 * What differs is known here alone: numbers beside texts in register_value, the index of words.
 * Neither handle is used by anybody else meanwhile; the caller holds a transaction on both. A
 * connection of PostgreSQL pours once: its statements are known by addresses that end with the
 * pour.
 */
#ifndef RP_STORE_POUR_H
#define RP_STORE_POUR_H

#include "store/store.h"

struct rp_pour;

/* sqlite: whichever of the two is SQLite's, whose schema is read. */
rp_err rp_pour_start(struct rp_db *from, struct rp_db *to, struct rp_db *sqlite,
                     struct rp_pour **ret_pour);
/* Up to so many rows; *ret_more is false when all are there. */
rp_err rp_pour_step(struct rp_pour *pour, size_t rows, bool *ret_more);
/* Counts each table on both sides: CORRUPT where they differ. */
rp_err rp_pour_check(struct rp_pour *pour);
uint64_t rp_pour_rows(const struct rp_pour *pour); /* so far */
void rp_pour_free(struct rp_pour *pour);           /* accepts NULL */

#endif
