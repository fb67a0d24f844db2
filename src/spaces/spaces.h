/* spaces.h — a tenant's records: sealed under the tenant's key, versioned, labelled, and logged.
 *
 * A handle is bound to one tenant when it is opened; no call names another. A record is a JSON
 * document in a collection of an application; what is stored is AES-256-GCM bound to (tenant, app,
 * collection, id, version, time, label, trash), so that a row copied elsewhere or altered does not
 * open. Each change makes a new version, keeps the last 50, and commits together with its event.
 * Deleted is in the trash for thirty days, then gone.
 *
 * Limits: a document up to 256 KiB, a collection's name 1 to 64 of [a-z0-9-].
 * Promises: S66, S67, S68, S82, S114.
 */
#ifndef RP_SPACES_SPACES_H
#define RP_SPACES_SPACES_H

#include "keys/client.h"
#include "policy/policy.h"
#include "store/store.h"

enum {
    RP_RECORD_MAX = 256 * 1024,
    RP_COLLECTION_MAX = 64,
    RP_PAGE_MAX = 200,
    RP_VERSIONS_KEPT = 50,
    RP_TRASH_DAYS = 30,
    RP_SEARCH_FIELDS_MAX = 8,
    RP_SEARCH_VALUE_MAX = 1024,
    RP_DECLARE_RECORDS_MAX = 10000 /* what one declaration may have to index */
};

/* A version from elsewhere is at most this, so that JSON carries the number of every later one. */
#define RP_VERSION_BROUGHT_MAX (UINT64_C(1) << 52)

/* How far a record may go. None: as it is, or internal for a new one. */
enum rp_label {
    RP_LABEL_NONE,
    RP_LABEL_PUBLIC,
    RP_LABEL_INTERNAL,
    RP_LABEL_PERSONAL,
    RP_LABEL_SENSITIVE,
    RP_LABEL_COUNT
};
const char *rp_label_name(enum rp_label label); /* "personal" */
bool rp_label_of(rp_view name, enum rp_label *ret_label);

struct rp_space {
    const struct rp_env *env;
    struct rp_db *db;            /* the tenant's */
    const struct rp_secret *key; /* the tenant's, on lease */
    rp_id tenant, person;
    rp_view app;
    bool files;                      /* set by files.c: the collections are those of files */
    bool may_lower;                  /* a label, that is */
    uint64_t records_max, bytes_max; /* 0 = no limit */
};

struct rp_record {
    rp_id id;
    uint64_t version; /* from 1; the ETag */
    int64_t changed_ms;
    int64_t trashed_ms; /* 0 = live */
    enum rp_label label;
    rp_view document; /* canonical JSON, in the arena */
};

/* document: any JSON text; stored canonical. INVALID (bad collection name), SYNTAX, TOO_LARGE (also
 * for a tenant that holds all it may). */
rp_err rp_space_create(struct rp_space *space, rp_view collection, rp_view document,
                       enum rp_label label, struct rp_arena *arena, struct rp_record *ret_record,
                       struct rp_diag *diag);
/* NOT_FOUND; CORRUPT (and an event) when what is stored does not open. */
rp_err rp_space_read(struct rp_space *space, rp_view collection, rp_id id, struct rp_arena *arena,
                     struct rp_record *ret_record);
/* if_version 0 = whatever it is; else CONFLICT unless it is the current one. DENIED for a lower
 * label, unless the handle may. */
rp_err rp_space_update(struct rp_space *space, rp_view collection, rp_id id, uint64_t if_version,
                       rp_view document, enum rp_label label, struct rp_arena *arena,
                       struct rp_record *ret_record, struct rp_diag *diag);
/* Into the trash. */
rp_err rp_space_delete(struct rp_space *space, rp_view collection, rp_id id, uint64_t if_version);
/* Back as a new version: from the trash (version 0), or as it was in an earlier version. The label
 * stays the higher of the two, unless the handle may lower it. */
rp_err rp_space_restore(struct rp_space *space, rp_view collection, rp_id id, uint64_t version,
                        struct rp_arena *arena, struct rp_record *ret_record, struct rp_diag *diag);

/* ---- lists ---- */

struct rp_space_query {
    rp_id after;          /* none = from the start */
    size_t limit;         /* 1 to RP_PAGE_MAX */
    bool trashed;         /* what is in the trash, instead of what lives */
    rp_view field, value; /* p == NULL: all; else records whose field is exactly this */
};
/* In id order. INVALID for a field that was not declared. */
rp_err rp_space_find(struct rp_space *space, rp_view collection, const struct rp_space_query *query,
                     struct rp_arena *arena, struct rp_record **ret_records, size_t *ret_count,
                     struct rp_diag *diag);
/* All live ones. */
rp_err rp_space_list(struct rp_space *space, rp_view collection, rp_id after, size_t limit,
                     struct rp_arena *arena, struct rp_record **ret_records, size_t *ret_count);

/* ---- versions ---- */

/* Newest first, the current one too; without documents. NOT_FOUND. */
rp_err rp_space_versions(struct rp_space *space, rp_view collection, rp_id id,
                         struct rp_arena *arena, struct rp_record **ret_records, size_t *ret_count);
/* One of them, whole. */
rp_err rp_space_read_version(struct rp_space *space, rp_view collection, rp_id id, uint64_t version,
                             struct rp_arena *arena, struct rp_record *ret_record);

/* ---- exact search ---- */

/* Which members of a document can be searched for: at most 8 names. What is there already is
 * indexed at once; TOO_LARGE over 10,000 records. */
rp_err rp_space_declare(struct rp_space *space, rp_view collection, const rp_view *fields,
                        size_t count, struct rp_arena *arena, struct rp_diag *diag);
rp_err rp_space_declared(struct rp_space *space, rp_view collection, struct rp_arena *arena,
                         rp_view fields[static RP_SEARCH_FIELDS_MAX], size_t *ret_count);

/* ---- everything, for who takes it elsewhere ---- */

enum { RP_EXPORT_PAGE = 2000, RP_EXPORT_FILES = 64 };
/* Where the bytes of a file on the page are. */
struct rp_exported_file {
    rp_id id, blob;
    uint64_t size, made;
};
/* One page of one collection: JSON lines, each a record with all that is said of it, the trash too.
 * The place of the last record read, at first nothing; count 0 = all was read. A page of files has
 * at most RP_EXPORT_FILES. */
struct rp_space_export {
    rp_view app, collection;
    rp_id after;
    struct rp_buf *lines; /* empty, room for at least one record */
    size_t count;
    struct rp_exported_file files[RP_EXPORT_FILES];
    size_t file_count;
};
/* space needs no application. CORRUPT at the first record that does not open: half an export is
 * none. */
rp_err rp_space_export(struct rp_space *space, struct rp_space_export *page,
                       struct rp_arena *arena);

/* ---- what is used, and what runs out ---- */

struct rp_space_use {
    uint64_t records, bytes;
};
rp_err rp_space_use(struct rp_db *db, struct rp_space_use *ret_use);
/* Ends what was trashed before; at most max records, each with its event. Needs no key. */
rp_err rp_space_purge(const struct rp_env *env, struct rp_db *db, int64_t before_ms, size_t max,
                      size_t *ret_count);

#endif
