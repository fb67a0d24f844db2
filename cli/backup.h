/* backup.h — what the parts of `rempart backup` share.
 *
 *   backup.c          the words; list, verify, open
 *   backup_file.c     one backup that is there: its head, its key, its bytes
 *   backup_run.c      one consistent copy, made while everything runs
 *   backup_copy.c     what is in it, and in which order
 *   backup_ledger.c   the log's part of it
 *   backup_tenants.c  beside the archives: what lets a tenant's key end, replaced by each backup
 *   backup_restore.c  back into a state folder
 *   backup_folder.c   that folder as a whole: removed, or given to the roles
 *
 * The command line runs as the machine's owner, who can read all of it anyway; but it opens no
 * database (core copies them), and the log stands still while its edges are copied (the ledger
 * holds). docs/operations/backup.md says why the parts fit together.
 */
#ifndef RP_CLI_BACKUP_H
#define RP_CLI_BACKUP_H

#include "cli.h"
#include "crypto/secret.h"
#include "ipc/ipc.h"
#include "keep/head.h"
#include "keep/writer_io.h"

/* ---- making one ---- */

/* Where the key service has a machine of its own, each machine's backup is a part of the whole. */
enum backup_part { BACKUP_WHOLE, BACKUP_DATA, BACKUP_KEYS };

struct backup {
    struct cli *cli;
    enum backup_part part;
    rp_view other; /* the machine that has the other part */
    struct rp_env env;
    struct rp_keep_writer *writer;
    rp_id id;
    int64_t now_s, held_ms, said_ms;
    bool holding; /* core keeps its outboxes for us */
    uint64_t files, databases, tenant_keys;
    struct rp_buf halves; /* the file beside it: a tar of kms/tenants */
    const char *doing;    /* for the progress line */
    struct rp_diag diag;
};

/* backup_copy.c: all of it into the archive, up to its end. */
struct backup_log;
rp_err backup_copy(struct backup *b, struct backup_log *log);
/* The keys' part of it: no log, no databases. */
rp_err backup_copy_keys(struct backup *b);
rp_err backup_ask_core(struct backup *b, const char *path, const struct rp_json *body,
                       struct rp_json **ret_answer);
int64_t backup_monotonic_ms(const struct backup *b);
/* One file of the archive. A file that is not there is NOT_FOUND. */
rp_err backup_put(struct backup *b, const char *name, unsigned mode, rp_view content);
rp_err backup_put_fd(struct backup *b, const char *name, int fd, uint64_t size);
rp_err backup_put_file(struct backup *b, const char *name, const char *path);

/* backup_ledger.c: first what never changes; then, while the ledger holds, the edges of the trees
 * and the place that the journal is copied up to; then the journal. */
struct backup_log *backup_log_new(void);
void backup_log_free(struct backup_log *log);
rp_err backup_log_settled(struct backup *b, struct backup_log *log);
rp_err backup_log_edges(struct backup *b, struct backup_log *log);
rp_err backup_log_journal(struct backup *b, struct backup_log *log);

/* backup_tenants.c: read after the databases, so that each tenant in them has its half; written
 * beside the archive, in place of the one before. */
enum { BACKUP_HALVES_MAX = 256 << 20, BACKUP_MANIFEST_MAX = 64 * 1024 }; /* some 250,000 tenants */
rp_err backup_tenants_gather(struct backup *b);
rp_err backup_tenants_write(struct backup *b, const char *folder, const struct rp_keep_head *head);
/* What lies beside the backup at `path`, into kms/tenants of the folder that is being put together.
 * present (nullable): the folder that is being replaced; what it lacks was destroyed since, and is
 * not put back. wanted: as many as the backup's manifest says. */
struct backup_tenants {
    const char *path, *present;
    const struct rp_keep_head *head;
    uint64_t wanted;
    uint64_t put_back, left_out; /* what became of them */
};
rp_err backup_tenants_restore(struct cli *cli, struct backup_tenants *tenants,
                              struct rp_diag *diag);
/* The same walk, and nothing is written: is the file there, and whole? put_back counts. */
rp_err backup_tenants_verify(struct cli *cli, struct backup_tenants *tenants, struct rp_diag *diag);

/* backup_run.c, backup_restore.c: the words that take the most. */
enum rp_exit backup_run(struct cli *cli, const char *folder);
enum rp_exit backup_restore(struct cli *cli, const char *file);

/* ---- reading one ---- */

struct backup_file {
    int fd;
    struct rp_keep_head head;
    rp_view head_bytes;
    struct rp_secret *key;
};

/* Opens the file and reads its head; then finds its key: --passphrase-file, the key service when
 * it runs, the state folder's own key file, or what is typed (the recovery sheet's code, or the
 * passphrase). Tells stderr what is wrong. */
rp_err backup_file_open(struct cli *cli, const char *path, struct backup_file *ret_file);
rp_err backup_file_key(struct cli *cli, struct backup_file *file);
void backup_file_done(struct backup_file *file);

/* Reads all of it; `step` sees each step of the archive. */
struct rp_untar_step;
rp_err backup_file_walk(struct backup_file *file,
                        rp_err (*step)(void *ctx, const struct rp_untar_step *step), void *ctx,
                        uint64_t *ret_chunks, struct rp_diag *diag);

/* ---- the folder that one is restored into ---- */

/* All of it, if it is there. Only ever of a folder that this program made. */
rp_err backup_folder_remove(const char *path);
/* What lies in the working folder, to the user and group of the role that each part is for. */
rp_err backup_folder_give_to_roles(void);

/* A passphrase from the file that --passphrase-file names, without its line end. */
rp_err backup_passphrase(struct cli *cli, rp_view *ret_passphrase);

#endif
