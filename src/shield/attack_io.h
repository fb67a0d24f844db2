/* attack_io.h — "under attack" as core keeps it: rows, and the table that workers map.
 *
 * A change and its event commit together. The salt is drawn anew when run/attack.tab is missing: a
 * reboot forgets the passes that were given out, a restart of core does not.
 * Thread: the system database's.
 */
#ifndef RP_SHIELD_ATTACK_IO_H
#define RP_SHIELD_ATTACK_IO_H

#include "shield/attack.h"
#include "store/store.h"

struct rp_attack_change {
    rp_view app; /* empty: all applications */
    bool on;
    int64_t until_ms; /* 0: until it is switched off */
    rp_view who;
};

/* NOT_FOUND where what is to be switched off is not on. */
rp_err rp_attack_switch(const struct rp_env *env, struct rp_db *db,
                        const struct rp_attack_change *change);
/* Those that are on now. Views are good until each returns. */
rp_err rp_attack_each(const struct rp_env *env, struct rp_db *db,
                      rp_err (*each)(void *ctx, const struct rp_attack_change *row), void *ctx);
/* Puts run/attack.tab in place as the rows are, if it is not so already. */
rp_err rp_attack_publish(const struct rp_env *env, struct rp_db *db);

#endif
