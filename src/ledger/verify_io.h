/* verify_io.h — the parts of rp_verify_folder (read_io.h), shared by its files and nobody else.
 *
 * verify_io.c walks the ledger's folder, verify_tree_io.c one tree, verify_tiles_io.c its
 * tiles, verify_links_io.c what ties trees: anchors, and the access segments whose hashes are
 * leaves.
 */
#ifndef RP_LEDGER_VERIFY_IO_H
#define RP_LEDGER_VERIFY_IO_H

#include "ledger/anchor.h"
#include "ledger/note.h"
#include "ledger/read_io.h"
#include "ledger/tiles.h"

enum {
    RP_VERIFY_PATH_MAX = 512,
    RP_VERIFY_FILE_MAX = RP_TILE_WIDTH * (RP_TLOG_ENTRY_MAX + 2),
    RP_VERIFY_LOOKS = 20 /* at a growing log, 100 ms apart; then what is missing counts as gone */
};

/* A public leaf that anchors others. */
struct rp_verify_anchor {
    uint64_t index;
    uint64_t trees, found;
    rp_hash root;
};

/* A leaf of the operator's tree that names an access segment. */
struct rp_verify_segment {
    uint64_t time_ms; /* the file's name */
    rp_hash sha256;
    bool found;
};

struct rp_verify {
    const char *folder;
    void (*progress)(void *ctx, uint64_t entries);
    void *ctx;
    struct rp_verify_report report;
    struct rp_buf anchors;  /* of rp_verify_anchor, by index */
    struct rp_buf segments; /* of rp_verify_segment */
    bool whole;             /* a ledger's folder, not one tree's */
    uint64_t public_size;
};

/* One tree while it is looked at. */
struct rp_verify_tree {
    struct rp_verify *v;
    const char *name; /* "public", …; "" when the folder is the tree's own */
    char folder[RP_VERIFY_PATH_MAX];
    struct rp_arena *arena; /* for one file at a time */
    char origin[RP_ORIGIN_MAX];
    struct rp_arena *key_arena;
    struct rp_tlog_vkey vkey;
    uint64_t size;
    rp_hash root;
    struct rp_merkle_edge edge; /* over the entries as they are read */
};

/* Says what does not fit, once, and returns CORRUPT. file is relative to the tree's folder (tree
 * NULL: to the ledger's). */
rp_err rp_verify_bad(struct rp_verify *v, const struct rp_verify_tree *tree, const char *file,
                     uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* The same of what is said in both languages already. */
rp_err rp_verify_bad_as(struct rp_verify *v, const struct rp_verify_tree *tree, const char *file,
                        const char *english, const char *french);
/* "folder/name"; both were bounded before. */
void rp_verify_path(const char *folder, const char *name, char out[static RP_VERIFY_PATH_MAX]);
/* Counts a file that fits. */
void rp_verify_count(struct rp_verify *v, uint64_t bytes);
/* A short sleep between two looks at a log that is growing. */
void rp_verify_wait(void);

/* The whole file; the tree's arena is for one at a time. */
rp_err rp_verify_file(struct rp_verify_tree *tree, const char *file, size_t max,
                      rp_view *ret_bytes);
rp_err rp_verify_missing(struct rp_verify_tree *tree, const char *file);
/* Each entry, and each hash above it, up to the signed root. */
rp_err rp_verify_tiles(struct rp_verify_tree *tree);
/* Whatever else lies in the folder; what nobody knows does not fit. */
rp_err rp_verify_other_files(struct rp_verify_tree *tree);

/* Entries, tiles, checkpoint, key; every file of the tree's folder; its anchor records. */
rp_err rp_verify_tree(struct rp_verify *v, const char *name);
/* The signed size that stands there now; 0 when it cannot be read. */
uint64_t rp_verify_size_now(const struct rp_verify_tree *tree);

/* `witnessed`, where there is one: ours, and a beginning of this tree. */
rp_err rp_verify_witnessed(struct rp_verify_tree *tree);

/* Called for each entry of the public and of the operator's tree. */
rp_err rp_verify_see_entry(struct rp_verify_tree *tree, uint64_t index, rp_view entry);
/* One file of anchor records; *next_number and *last_index go on from file to file. */
rp_err rp_verify_anchor_file(struct rp_verify_tree *tree, struct rp_log *log, const char *name,
                             uint64_t *next_number, uint64_t *last_index);
/* Each anchor was found in as many trees as it says. */
rp_err rp_verify_anchor_counts(struct rp_verify *v);
/* Files of access/ against the leaves. */
rp_err rp_verify_access(struct rp_verify *v);

#endif
