/* internal.h — how a record lies in its row, and what the files of this room share. */
#ifndef RP_SPACES_INTERNAL_H
#define RP_SPACES_INTERNAL_H

#include "crypto/hash.h"
#include "spaces/files.h"

/* Where a record belongs and what is said of it; all of it is bound into what is sealed. */
struct rp_record_place {
    rp_id tenant;
    rp_view app, collection;
    rp_id id;
    uint64_t version;
    int64_t changed_ms, trashed_ms;
    enum rp_label label; /* none: sealed before there were labels */
};

/* Reads any JSON, answers its canonical form in the arena. SYNTAX, TOO_LARGE. */
rp_err rp_record_canonical(rp_view text, struct rp_arena *arena, rp_view *ret_document,
                           struct rp_diag *diag);
/* Appends the sealed form. */
rp_err rp_record_seal(const struct rp_env *env, const struct rp_secret *key,
                      const struct rp_record_place *place, rp_view document, struct rp_buf *out);
/* The document, in the arena. CORRUPT unless it was sealed for exactly this place. */
rp_err rp_record_open(const struct rp_secret *key, const struct rp_record_place *place,
                      rp_view sealed, struct rp_arena *arena, rp_view *ret_document);
/* [a-z0-9-]{1,64} */
bool rp_collection_is_good(rp_view collection);
/* The same for a handle of records; after the mark for a handle of files. A document that says
 * where a file's bytes lie can so be written by files.c alone. */
enum { RP_FILES_MARK = '@' };
bool rp_space_takes(const struct rp_space *space, rp_view collection);

/* The handle and the database must name the same tenant. */
void rp_space_check(const struct rp_space *space);
struct rp_record_place rp_space_place(const struct rp_space *space, rp_view collection,
                                      const struct rp_record *record);
/* Inside a transaction. */
rp_err rp_space_emit(const struct rp_space *space, enum rp_event_kind kind,
                     const struct rp_record_place *place);
/* Inside a transaction: counts what comes in, or TOO_LARGE. */
rp_err rp_space_count_in(const struct rp_space *space, uint64_t records, uint64_t bytes,
                         struct rp_diag *diag);
/* As rp_space_create, under an id of the caller's choice. */
rp_err rp_space_create_as(struct rp_space *space, rp_view collection, rp_id id, rp_view document,
                          enum rp_label label, struct rp_arena *arena, struct rp_record *ret_record,
                          struct rp_diag *diag);
/* Inside a transaction: a record of another house, as it was there: id, version, time, label and
 * trash too; its document canonical. DUPLICATE for an id that is there. */
rp_err rp_space_bring(const struct rp_space *space, rp_view collection,
                      const struct rp_record *record, struct rp_arena *arena, struct rp_diag *diag);
/* Outside of any statement: the event, and CORRUPT. */
rp_err rp_space_tell_corrupt(const struct rp_space *space, rp_view collection, rp_id id);
/* Columns id, version, changed_ms, label, trashed_ms, sealed; with the document when there is an
 * arena. */
#define RP_RECORD_COLUMNS "id, version, changed_ms, label, trashed_ms, sealed"
rp_err rp_space_row(const struct rp_space *space, rp_view collection, struct rp_row *row,
                    struct rp_arena *arena, struct rp_record *ret_record);

/* ---- files.c ---- */

/* What the record of a file says; and read back. CORRUPT. */
rp_err rp_space_file_parse(const struct rp_record *record, struct rp_arena *arena,
                           struct rp_file *ret_file);
rp_err rp_space_file_document(const struct rp_file *file, struct rp_arena *arena,
                              rp_view *ret_document);
/* Inside the transaction that puts this version of a file: its bytes are held by it. */
rp_err rp_space_file_hold(const struct rp_space *space, rp_view collection,
                          const struct rp_record *record, struct rp_arena *arena,
                          struct rp_diag *diag);
/* Inside the transaction in which versions of a file ended: what they alone held is counted out,
 * and swept later. */
rp_err rp_space_file_let_go(struct rp_db *db, rp_view app, rp_view collection, rp_id id);

/* ---- uploads.c ---- */

/* As rp_upload_begin, of a file that is not there, as which version the wish says. */
rp_err rp_upload_begin_as(struct rp_space *space, const struct rp_upload *wish,
                          struct rp_arena *arena, struct rp_upload *ret_upload,
                          struct rp_blob *ret_blob, struct rp_diag *diag);

/* ---- bearer.c: tokens of links and of grants ---- */

enum { RP_BEARER_EVENT_ARENA = 64 * 1024 };

/* Random bytes; what is stored of them. The caller wipes them. */
struct rp_sha256 rp_bearer_token(const struct rp_space *space, uint8_t *ret_token, size_t n);
/* Appends the seal over the row's place. */
rp_err rp_bearer_seal(const struct rp_space *space, const struct rp_buf *place,
                      struct rp_buf *sealed);
/* CORRUPT unless it was sealed for exactly this place. */
rp_err rp_bearer_check(const struct rp_space *space, const struct rp_buf *place, rp_view sealed);
/* Of the handle's tenant and person; NULL without memory. */
struct rp_event *rp_bearer_event(const struct rp_space *space, enum rp_event_kind kind,
                                 struct rp_arena *arena);
/* sql: a count of those that live at ?1. */
rp_err rp_bearer_count(struct rp_db *db, const char *sql, int64_t now_ms, uint64_t *ret_count);
/* sql: deletes those that were over before ?1, which is a month ago. */
rp_err rp_bearer_sweep(const struct rp_env *env, struct rp_db *db, const char *sql);

/* ---- search.c ---- */

struct rp_token32 {
    uint8_t b[32];
};
/* Puts the tokens of the document in place of what stood there; an empty document only removes. */
rp_err rp_search_put(const struct rp_space *space, rp_view collection, rp_id id, rp_view document,
                     struct rp_arena *arena);
/* The two tokens that a text may mean: as a string, and as a number or a truth value (else the
 * first again). INVALID for a field that was not declared. */
rp_err rp_search_tokens(struct rp_space *space, rp_view collection, rp_view field, rp_view value,
                        struct rp_arena *arena, struct rp_token32 ret_tokens[static 2],
                        struct rp_diag *diag);

#endif
