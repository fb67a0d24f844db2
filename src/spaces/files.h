/* files.h — a tenant's files: a record says what each is, sealed chunks beside the database hold
 * it.
 *
 * A file has all that a record has: versions and their ETag, label, trash, limits, events, export.
 * Its record lies in the collection "@NAME" and names the bytes; several versions may name the
 * same. Bytes that no version names any more are taken off the disk by rp_files_sweep.
 *
 * An upload is known by its own id until it ends; what rp_upload_keep made durable is not sent
 * again. At most 100 of a tenant wait at once, each a day after its last byte.
 *
 * The space handle is one of records, as rp_space_read wants it. Limits: 1 GiB, a name of 255
 * bytes. Promises: S66, S67, S82, S89, S174.
 */
#ifndef RP_SPACES_FILES_H
#define RP_SPACES_FILES_H

#include "spaces/blob_io.h"

enum { RP_FILE_NAME_MAX = 255, RP_FILE_TYPE_MAX = 127, RP_UPLOADS_MAX = 100, RP_UPLOAD_HOURS = 24 };
#define RP_FILE_MAX ((uint64_t)1 << 30)
#define RP_SIZE_UNKNOWN UINT64_MAX

struct rp_file {
    struct rp_record record; /* its document is not for others */
    rp_view name, type;
    uint64_t size;
    rp_id blob;
    uint64_t made; /* the version that brought the bytes */
};

/* version 0 = as it is now, and not in the trash. NOT_FOUND, CORRUPT. */
rp_err rp_space_file_read(struct rp_space *space, rp_view collection, rp_id id, uint64_t version,
                          struct rp_arena *arena, struct rp_file *ret_file);
/* In id order; query->field is not for files. */
rp_err rp_space_file_find(struct rp_space *space, rp_view collection,
                          const struct rp_space_query *query, struct rp_arena *arena,
                          struct rp_file **ret_files, size_t *ret_count);
/* Another name (p == NULL: the same) or label: a new version of the same bytes. */
rp_err rp_space_file_change(struct rp_space *space, rp_view collection, rp_id id,
                            uint64_t if_version, rp_view name, enum rp_label label,
                            struct rp_arena *arena, struct rp_file *ret_file, struct rp_diag *diag);
/* As for records. */
rp_err rp_space_file_delete(struct rp_space *space, rp_view collection, rp_id id,
                            uint64_t if_version);
rp_err rp_space_file_restore(struct rp_space *space, rp_view collection, rp_id id, uint64_t version,
                             struct rp_arena *arena, struct rp_file *ret_file,
                             struct rp_diag *diag);
rp_err rp_space_file_versions(struct rp_space *space, rp_view collection, rp_id id,
                              struct rp_arena *arena, struct rp_record **ret_records,
                              size_t *ret_count);
/* Its bytes, to be read with rp_blob_read; collection and application must outlive the blob.
 * CORRUPT, with an event, when they are not there or not whole. */
rp_err rp_space_file_open(struct rp_space *space, rp_view collection, const struct rp_file *file,
                          struct rp_arena *arena, struct rp_blob *ret_blob);
/* The event, and CORRUPT: for who finds that a chunk does not open. */
rp_err rp_space_file_tell_corrupt(struct rp_space *space, rp_view collection, rp_id id,
                                  struct rp_arena *arena);
/* "name/of/it" as a file's name: INVALID unless it is 1 to 255 bytes of UTF-8 without slashes
 * and what rp_utf8_is_name refuses. */
rp_err rp_space_file_check_name(rp_view name, struct rp_diag *diag);
/* "application/pdf": INVALID unless it is 1 to 127 printable characters of ASCII, without < and >.
 */
rp_err rp_space_file_check_type(rp_view type, struct rp_diag *diag);

/* ---- uploads (uploads.c) ---- */

struct rp_upload {
    rp_id id; /* of the bytes too */
    rp_view collection;
    rp_id file;       /* none: a new file */
    uint64_t version; /* the one that it becomes; 1 = a new file */
    enum rp_label label;
    rp_view name, type;
    uint64_t size; /* RP_SIZE_UNKNOWN */
    uint64_t received;
    uint64_t turn; /* whose it is to go on */
};

/* wish: collection, file, label, name, type, size; if_version as in rp_space_update, for a file
 * that is there. The quota is asked now and at the end. RATE when 100 uploads wait. */
rp_err rp_upload_begin(struct rp_space *space, const struct rp_upload *wish, uint64_t if_version,
                       struct rp_arena *arena, struct rp_upload *ret_upload,
                       struct rp_blob *ret_blob, struct rp_diag *diag);
/* NOT_FOUND; also for another application's. */
rp_err rp_upload_find(struct rp_space *space, rp_id id, struct rp_arena *arena,
                      struct rp_upload *ret_upload);
/* Before each piece: NOT_FOUND when it was taken back, CONFLICT when somebody else goes on. */
rp_err rp_upload_check(struct rp_space *space, const struct rp_upload *upload);
/* Its bytes, to go on; upload->received may shrink by a chunk. */
rp_err rp_upload_resume(struct rp_space *space, struct rp_upload *upload, struct rp_arena *arena,
                        struct rp_blob *ret_blob);
/* What came so far is durable. TOO_LARGE when the tenant may not hold it. */
rp_err rp_upload_keep(struct rp_space *space, struct rp_upload *upload, struct rp_blob *blob,
                      struct rp_diag *diag);
/* All has come: the file, or its next version. CONFLICT when it changed in the meantime. */
rp_err rp_upload_end(struct rp_space *space, const struct rp_upload *upload, struct rp_blob *blob,
                     struct rp_arena *arena, struct rp_file *ret_file, struct rp_diag *diag);
/* Takes it back, with what came. */
rp_err rp_upload_drop(struct rp_space *space, rp_id id);

/* Takes bytes that nobody holds off the disk, and uploads that were left; at most max of each.
 * Needs no key. */
rp_err rp_files_sweep(const struct rp_env *env, struct rp_db *db, size_t max);

#endif
