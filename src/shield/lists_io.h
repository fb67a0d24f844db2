/* lists_io.h — the lists as core keeps them: rows with a reason, an end, and who said so; and the
 * table that the gate's workers map, made anew from the rows after each change.
 *
 * A change is all or nothing, and its event commits with it. Publishing is a step of its own: what
 * is stored and not yet published (a full disk) is published by the next round of core's chores.
 * Thread: the system database's.
 */
#ifndef RP_SHIELD_LISTS_IO_H
#define RP_SHIELD_LISTS_IO_H

#include "shield/lists.h"
#include "store/store.h"

enum { RP_LIST_IMPORT_MAX = 100000, RP_LIST_WHO_MAX = 64 };

/* What all entries of one change have in common. */
struct rp_list_change {
    enum rp_list_action action;
    rp_view reason;     /* why, for those who come later; 1 to 200 bytes */
    rp_view who;        /* 1 to 64 bytes */
    int64_t expires_ms; /* 0 = never */
};

struct rp_list_row {
    rp_id id;
    struct rp_list_entry entry;
    rp_view network; /* as text, empty: any */
    rp_view reason, who;
    int64_t created_ms, expires_ms;
};

/* Adds entries, or changes action, reason and end of those that are there. The entries' own action
 * and end are not read. INVALID, TOO_LARGE (more than a table takes). *ret_id: of one of them. */
rp_err rp_lists_put(const struct rp_env *env, struct rp_db *db, const struct rp_list_change *change,
                    const struct rp_list_entry *entries, size_t count, rp_id *ret_id,
                    struct rp_diag *diag);
/* NOT_FOUND. */
rp_err rp_lists_remove(const struct rp_env *env, struct rp_db *db, rp_id id, rp_view who);
/* The id that an entry has, whoever made it. */
rp_id rp_list_id(const struct rp_list_entry *entry);
/* Removes what ran out. */
rp_err rp_lists_expire(const struct rp_env *env, struct rp_db *db, size_t *ret_count);

/* In the order of their ids, after one (none: from the start), at most limit. Views are good until
 * each returns. */
rp_err rp_lists_each(struct rp_db *db, rp_id after, size_t limit,
                     rp_err (*each)(void *ctx, const struct rp_list_row *row), void *ctx);

/* Puts run/lists.tab in place as the rows are now. always = false: only when what lies there is
 * another state of them, or no good. */
rp_err rp_lists_publish(struct rp_db *db, bool always);

#endif
