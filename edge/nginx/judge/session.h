/* session.h — who is there, and whether that is enough for this place.
 *
 * The cookie's SHA-256 is looked up in the table that core writes; what the place asks for
 * (nobody, anybody, a person, a person with a second factor) decides the rest. Core's silence
 * closes what needs a person and makes a stranger of everybody else. The gate signs nothing: it
 * copies the assertion that core put into the other table.
 *
 * Pure: works on mapped memory. Promises: S99, S175.
 */
#ifndef RP_EDGE_SESSION_H
#define RP_EDGE_SESSION_H

#include "event/gate_record.h"
#include "identity/assertion_table.h"
#include "identity/session_table.h"

enum judge_need { JUDGE_NEED_NONE, JUDGE_NEED_OPTIONAL, JUDGE_NEED_REQUIRED };

/* What a place asks for. */
struct judge_rule {
    enum judge_need need;
    enum rp_acr least_acr;
};

/* The mappings; NULL while core has not made them. */
struct judge_tables {
    const void *sessions;
    void *seen;
    const void *assertions;
};

struct judge_visitor {
    bool known; /* session is filled and strong enough for the place */
    struct rp_session_view session;
};

/* NONE: go on, as *ret_visitor says. Else the reason to refuse: NO_SESSION, SESSION_EXPIRED,
 * SECOND_FACTOR, CORE_DOWN. cookie: the value of the only session cookie, p == NULL without. */
enum rp_gate_reason judge_visitor(const struct judge_tables *tables, struct judge_rule rule,
                                  rp_view cookie, int64_t now_ms,
                                  struct judge_visitor *ret_visitor);

/* How old an assertion may be when core cannot be asked for a new one; it is valid for 60 s. */
enum { JUDGE_ASSERTION_LAST_MS = 55 * 1000 };
/* NOT_FOUND when there is none. last_resort also takes one that is no longer fresh. */
rp_err judge_assertion(const struct judge_tables *tables, rp_id session, rp_view app,
                       int64_t now_ms, bool last_resort, uint8_t out[static RP_ASSERTION_BYTES],
                       struct rp_assertion_entry *ret_entry);

#endif
