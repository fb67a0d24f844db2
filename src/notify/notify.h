/* notify.h — telling people: a notice is put down with the change that causes it, and sent once.
 *
 * A notice names a template, a person (or a bare address, for links to people who are not there
 * yet), a language, and the values that the template prints. It is written into the system database
 * in the caller's transaction, so that a change and its notice are both there or neither. Core's
 * sender thread hands what is due to the courier role, which alone speaks SMTP; answers
 * come back as sent, try again (with growing pauses, 3 days at most), or refused for good. A notice
 * with a key that was put before is the same notice: never twice.
 *
 * Values are sealed under the key of the tenant's database owner until they are sent, then removed.
 * Owner: the caller's views are copied.   Fails: DUPLICATE (this key is there), OVERLOAD (10,000
 * waiting).
 */
#ifndef RP_NOTIFY_NOTIFY_H
#define RP_NOTIFY_NOTIFY_H

#include "base/env.h"
#include "keys/client.h"
#include "store/store.h"

/* notices.def: RP_NOTICE(NAME, "name", "values that its texts print"); one template fr and en each.
 */
enum rp_notice_kind {
#define RP_NOTICE(NAME, name, values) RP_NOTICE_##NAME,
#include "notify/notices.def"
#undef RP_NOTICE
    RP_NOTICE_COUNT
};

enum rp_notice_channel { /* a set */
                         RP_NOTICE_MAIL = 1,
                         RP_NOTICE_INBOX = 2 /* the person's own list in account and console */
};

struct rp_notice_value {
    const char *name; /* as notices.def lists it */
    rp_view value;
};

struct rp_notice {
    enum rp_notice_kind kind;
    unsigned channels;
    rp_id tenant;    /* whose key seals the values */
    rp_id person;    /* none: `address` alone */
    rp_view address; /* of mail; empty = the person's own */
    enum rp_lang lang;
    rp_view key;    /* 1 to 64 bytes: what makes it the same notice; empty = always a new one */
    int64_t due_ms; /* not before; 0 = now */
    bool gentle;    /* a reminder: its time follows what its person chooses */
    bool gather;    /* its mail may be told together with others of the same person and kind */
    const struct rp_notice_value *values;
    size_t value_count;
};

/* Inside the caller's transaction on the system database. *key: the tenant's, on lease. */
rp_err rp_notify_put(const struct rp_env *env, struct rp_db *db, const struct rp_secret *key,
                     const struct rp_notice *notice);

#endif
