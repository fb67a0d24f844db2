/* vault_parts_io.h — what the files of rp_vault (vault_io.h) share, and nobody else.
 *
 * vault_io.c takes entries and checkpoints, vault_trees_io.c says which trees are open,
 * vault_records_io.c keeps their anchor records, vault_access_io.c the access segments.
 */
#ifndef RP_LEDGER_VAULT_PARTS_IO_H
#define RP_LEDGER_VAULT_PARTS_IO_H

#include "base/buf.h"
#include "ledger/grow_io.h"
#include "ledger/vault_io.h"

enum { RP_VAULT_PATH_MAX = 256, RP_VAULT_TREES_OPEN = 64 };

/* How far a tree's anchor records go. */
struct rp_vault_records {
    bool known;
    uint64_t file; /* the newest file's name */
    uint64_t bytes;
    uint64_t next, last_index;
};

struct rp_vault_tree {
    struct rp_grow *grow;
    struct rp_vault_records records;
    uint64_t used; /* a counter: the least is the longest unused */
};

/* A segment that an entry names and that is not in access/ yet. */
struct rp_vault_wanted {
    uint64_t time_ms;
    uint64_t index; /* of its entry */
    rp_hash sha256;
    uint64_t bytes; /* that are here */
    bool whole;     /* and wait for the checkpoint that covers its entry */
};

struct rp_vault {
    const struct rp_env *env;
    const struct rp_disk *disk;
    char folder[RP_VAULT_PATH_MAX / 4];
    char host[256];
    struct rp_grow_home home;
    struct rp_vault_tree open[RP_VAULT_TREES_OPEN];
    size_t open_count;
    uint64_t clock;
    struct rp_vault_tally tally;
    struct rp_buf wanted; /* of struct rp_vault_wanted, by entry */
};

/* "FOLDER/<format>". */
void rp_vault_path(const struct rp_vault *vault, char out[static RP_VAULT_PATH_MAX],
                   const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The tree, opened if it was not; it is there afterwards even if nobody asked to keep it before.
 * Good until the next one is asked for. */
rp_err rp_vault_tree_get(struct rp_vault *vault, struct rp_tree tree,
                         struct rp_vault_tree **ret_tree, struct rp_diag *diag);
/* The same of a tree that is kept here; else NOT_FOUND, and being asked about leaves no trace. */
rp_err rp_vault_tree_get_here(struct rp_vault *vault, struct rp_tree tree,
                              struct rp_vault_tree **ret_tree, struct rp_diag *diag);
/* Entries under its checkpoint, and their root; 0 and nothing where there is none yet. */
uint64_t rp_vault_tree_covered(const struct rp_grow *grow, rp_hash *ret_root);
/* What no checkpoint covers: the tree is closed, and opened anew from its files. */
void rp_vault_tree_forget(struct rp_vault *vault, const struct rp_vault_tree *tree);

/* The tree's records as its files have them; a torn last write is cut off. */
rp_err rp_vault_records_load(const struct rp_vault *vault, struct rp_vault_tree *tree,
                             struct rp_diag *diag);
rp_err rp_vault_records_take(struct rp_vault *vault, struct rp_vault_tree *tree, rp_view records,
                             struct rp_diag *diag);

/* After trees are open: what the operator's tree names and access/ does not hold. */
rp_err rp_vault_access_open(struct rp_vault *vault, struct rp_diag *diag);
/* An entry of the operator's tree came. */
rp_err rp_vault_access_see(struct rp_vault *vault, uint64_t index, rp_view entry);
/* Entries from this one on are forgotten. */
void rp_vault_access_forget(struct rp_vault *vault, uint64_t from);
/* A checkpoint of so many entries is about to get its name, and all files are durable: segments
 * that it covers take their place. */
rp_err rp_vault_access_place(struct rp_vault *vault, uint64_t size);

#endif
