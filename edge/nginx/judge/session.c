#include "judge/session.h"

#include "base/assert.h"
#include "judge/cookie.h"

static rp_err find(const struct judge_tables *tables, rp_view cookie, int64_t now_ms,
                   struct rp_session_view *ret_session) {
    if (!tables->sessions || !tables->seen) {
        return RP_ERR(UNREACHABLE);
    }
    if (!judge_cookie_well_formed(cookie)) {
        return RP_ERR(UNAUTHENTICATED);
    }
    struct rp_sha256 hash = rp_sha256_of(cookie);
    return rp_session_table_find(tables->sessions, tables->seen, &hash, now_ms, ret_session);
}

static enum rp_gate_reason reason_of(rp_err err) {
    if (rp_is(err, RP_E_UNREACHABLE)) {
        return RP_GATE_REASON_CORE_DOWN;
    }
    return rp_is(err, RP_E_EXPIRED) ? RP_GATE_REASON_SESSION_EXPIRED : RP_GATE_REASON_NO_SESSION;
}

enum rp_gate_reason judge_visitor(const struct judge_tables *tables, struct judge_rule rule,
                                  rp_view cookie, int64_t now_ms,
                                  struct judge_visitor *ret_visitor) {
    RP_ASSERT(tables != NULL && ret_visitor != NULL);
    struct judge_visitor visitor = {0};
    if (rule.need == JUDGE_NEED_NONE) {
        *ret_visitor = visitor;
        return RP_GATE_REASON_NONE;
    }
    /* Without a cookie the answer is the same whether core lives or not: sign in first. */
    rp_err err =
        cookie.p ? find(tables, cookie, now_ms, &visitor.session) : RP_ERR(UNAUTHENTICATED);
    enum rp_gate_reason reason = rp_ok(err) ? RP_GATE_REASON_NONE : reason_of(err);
    /*= S99: a session of the password alone is not enough where the place asks for two factors. */
    if (rp_ok(err) && visitor.session.acr < rule.least_acr) {
        reason = RP_GATE_REASON_SECOND_FACTOR;
    }
    visitor.known = reason == RP_GATE_REASON_NONE;
    *ret_visitor = visitor;
    return rule.need == JUDGE_NEED_OPTIONAL ? RP_GATE_REASON_NONE : reason;
}

rp_err judge_assertion(const struct judge_tables *tables, rp_id session, rp_view app,
                       int64_t now_ms, bool last_resort, uint8_t out[static RP_ASSERTION_BYTES],
                       struct rp_assertion_entry *ret_entry) {
    RP_ASSERT(tables != NULL && !rp_id_is_none(session));
    _Static_assert((int)JUDGE_ASSERTION_LAST_MS > (int)RP_ASSERTION_FRESH_MS,
                   "the last resort is older");
    if (!tables->assertions) {
        return RP_ERR(NOT_FOUND);
    }
    rp_err err = rp_assertion_table_get(tables->assertions, session, app, now_ms, out, ret_entry);
    if (rp_ok(err) || !last_resort) {
        return err;
    }
    int64_t then_ms = now_ms - (JUDGE_ASSERTION_LAST_MS - RP_ASSERTION_FRESH_MS);
    return rp_assertion_table_get(tables->assertions, session, app, then_ms, out, ret_entry);
}
