/* forest_io.h — all trees of an installation, grown from the journal and nothing else.
 *
 * derive() reads the journal on from where it stopped and feeds each record to its tree. A record
 * knows its place in its tree, so one that is there already is passed over: starting again after
 * any crash is the same code as running. Trees are opened when touched and closed when others
 * need the room. Publishing signs checkpoints; anchoring ties the private trees to the public one.
 *
 * Threads: one. Fails: NO_SPACE and IO mean "again later", nothing is lost; CORRUPT says which
 * file and must end the program.
 */
#ifndef RP_LEDGER_FOREST_IO_H
#define RP_LEDGER_FOREST_IO_H

#include "ledger/anchor.h"
#include "ledger/grow_io.h"
#include "ledger/idmap.h"
#include "ledger/journal_io.h"

enum rp_forest_which { RP_FOREST_FIXED /* public, operator, newborn */, RP_FOREST_ALL };

struct rp_forest;

/* Opens public and operator; `from`: where derive begins. home must outlive the forest. */
rp_err rp_forest_new(const struct rp_grow_home *home, const struct rp_env *env,
                     struct rp_journal_place from, struct rp_forest **ret_forest,
                     struct rp_diag *diag);
void rp_forest_free(struct rp_forest *forest); /* accepts NULL */

rp_err rp_forest_derive(struct rp_forest *forest, struct rp_journal_place end,
                        struct rp_diag *diag);
struct rp_journal_place rp_forest_place(const struct rp_forest *forest);

rp_err rp_forest_publish(struct rp_forest *forest, enum rp_forest_which which,
                         struct rp_diag *diag);
/* Publishes the tree and appends its checkpoint's text. */
rp_err rp_forest_head(struct rp_forest *forest, struct rp_tree tree, struct rp_buf *out,
                      struct rp_diag *diag);

/* Publishes everything, and makes the plan of an anchor over the trees that changed since the last
 * one; *ret_count 0: none did. The plan is durable when this returns. The caller appends the
 * ANCHOR event with this root to the public tree; deriving that writes the records. */
rp_err rp_forest_plan_anchor(struct rp_forest *forest, rp_hash *ret_root, size_t *ret_count,
                             struct rp_diag *diag);

/* What a tree's folder says about its size, without opening it for growth; 0 for none. */
rp_err rp_forest_size_on_disk(const struct rp_grow_home *home, struct rp_tree tree,
                              uint64_t *ret_size);

#endif
