/* inspect.h — a tenant's file as it lies, for who may look and not touch.
 *
 * The file probe reads databases that core owns: no migration, no lock, no byte written, nothing
 * in the file believed. The handle answers rp_db_query; every change fails.
 *
 * Fails: NOT_FOUND, DENIED, CORRUPT, BUSY (core is just writing: look again).
 */
#ifndef RP_STORE_INSPECT_H
#define RP_STORE_INSPECT_H

#include "store/store.h"

rp_err rp_inspect_open(const char *file, struct rp_db **ret_db);
void rp_inspect_close(struct rp_db *db); /* accepts NULL */

/* Calls each with every tenant's file below tenants/, and the id that its name says (none when the
 * name is not one). */
rp_err rp_inspect_each_tenant(rp_err (*each)(void *ctx, const char *file, rp_id tenant), void *ctx);

#endif
