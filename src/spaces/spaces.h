/* spaces.h — a tenant's records: sealed under the tenant's key, versioned, and logged.
 *
 * A handle is bound to one tenant when it is opened; no call names another. A record is a JSON
 * document in a collection of an application; what is stored is AES-256-GCM bound to (tenant, app,
 * collection, id, version), so that a row copied elsewhere does not open. Each change commits
 * together with its event.
 *
 * Limits: a document up to 256 KiB, a collection's name 1 to 64 of [a-z0-9-].
 * Promises: S66, S67, S68, S82, S114.
 */
#ifndef RP_SPACES_SPACES_H
#define RP_SPACES_SPACES_H

#include "keys/client.h"
#include "policy/policy.h"
#include "store/store.h"

enum { RP_RECORD_MAX = 256 * 1024, RP_COLLECTION_MAX = 64, RP_PAGE_MAX = 200 };

struct rp_space {
    const struct rp_env *env;
    struct rp_db *db;            /* the tenant's */
    const struct rp_secret *key; /* the tenant's, on lease */
    rp_id tenant, person;
    rp_view app;
};

struct rp_record {
    rp_id id;
    uint64_t version; /* from 1; the ETag */
    int64_t changed_ms;
    rp_view document; /* canonical JSON, in the arena */
};

/* document: any JSON text; stored canonical. INVALID (bad collection name), SYNTAX, TOO_LARGE. */
rp_err rp_space_create(struct rp_space *space, rp_view collection, rp_view document,
                       struct rp_arena *arena, struct rp_record *ret_record, struct rp_diag *diag);
/* NOT_FOUND; CORRUPT (and an event) when what is stored does not open. */
rp_err rp_space_read(struct rp_space *space, rp_view collection, rp_id id, struct rp_arena *arena,
                     struct rp_record *ret_record);
/* if_version 0 = whatever it is; else CONFLICT unless it is the current one. */
rp_err rp_space_update(struct rp_space *space, rp_view collection, rp_id id, uint64_t if_version,
                       rp_view document, struct rp_arena *arena, struct rp_record *ret_record,
                       struct rp_diag *diag);
rp_err rp_space_delete(struct rp_space *space, rp_view collection, rp_id id, uint64_t if_version);
/* Records after `after` (none = from the start) in id order, at most limit (≤ RP_PAGE_MAX). */
rp_err rp_space_list(struct rp_space *space, rp_view collection, rp_id after, size_t limit,
                     struct rp_arena *arena, struct rp_record **ret_records, size_t *ret_count);

#endif
