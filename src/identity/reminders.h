/* reminders.h — a person's own quiet hours and digest, in the place of the installation's.
 *
 * They hold for reminders alone: what is due, overdue or about a person's own access goes at once.
 * A choice holds at once too: what waits already gets its time anew, in the same transaction.
 *
 * Threads: as identity.h.
 */
#ifndef RP_IDENTITY_REMINDERS_H
#define RP_IDENTITY_REMINDERS_H

#include "identity/identity.h"

enum { RP_QUIET_TEXT = 11 /* "22:00-07:00" */, RP_DIGEST_TEXT = 5 /* "08:00" */ };

struct rp_reminders {
    bool own_quiet, own_digest;    /* false: the installation's, whatever the text is */
    char quiet[RP_QUIET_TEXT + 1]; /* empty: none */
    char digest[RP_DIGEST_TEXT + 1];
};

/* "default", "none", "22:00-07:00": one half of the choice. INVALID, and nothing is changed. */
rp_err rp_reminders_set_quiet(struct rp_reminders *reminders, rp_view word);
/* "default", "none", "08:00". INVALID. */
rp_err rp_reminders_set_digest(struct rp_reminders *reminders, rp_view word);
/* The word that says the same. */
const char *rp_reminders_quiet_word(const struct rp_reminders *reminders);
const char *rp_reminders_digest_word(const struct rp_reminders *reminders);

/* NOT_FOUND: no such person, or none of this tenant's. */
rp_err rp_identity_reminders(struct rp_identity *identity, rp_id person, rp_id tenant,
                             struct rp_reminders *ret_reminders);
struct rp_reminders_choice {
    rp_id person, tenant;
    rp_id by; /* none: the machine's own administrator */
    struct rp_reminders reminders;
};
/* NOT_FOUND. The same choice once more is no event. */
rp_err rp_identity_choose_reminders(struct rp_identity *identity,
                                    const struct rp_reminders_choice *choice);

#endif
