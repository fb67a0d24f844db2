/* settle.c — rules that are answered without a look at them: by the prefilter, or by numbers in TX.
 */
#include "shield/tx.h"

static bool is_removed(const struct rp_waf_tx *tx, uint32_t row) {
    return tx->removed && (tx->removed[row / 64] >> row % 64 & 1);
}

static bool compares(struct rp_waf_tx *tx, const struct rp_waf_brief *brief, int64_t value) {
    int64_t argument =
        brief->other != 0 ? rp_waf_slot_number(&tx->tx[brief->other]) : brief->number;
    return rp_waf_compare((enum rp_waf_operator)brief->op, value, argument) != brief->negated;
}

enum settled { ASK, MISS, QUIET_HIT };

static enum settled hit(const struct rp_waf_tx *tx, const struct rp_waf_brief *brief) {
    return brief->quiet && tx->site.logged_only ? QUIET_HIT : ASK;
}

static bool tx_matches(struct rp_waf_tx *tx, const struct rp_waf_brief *brief, uint32_t name,
                       bool count) {
    struct rp_waf_slot *slot = &tx->tx[name];
    return count ? compares(tx, brief, slot->set)
                 : slot->set && compares(tx, brief, rp_waf_slot_number(slot));
}

static bool any_tx_matches(struct rp_waf_tx *tx, const struct rp_waf_brief *brief) {
    if (brief->by != RP_BY_TX_ANY) {
        return tx_matches(tx, brief, brief->subject, brief->by == RP_BY_TX_COUNT);
    }
    bool any = false;
    for (uint32_t i = 0; i < brief->targets && !any; i++) {
        const struct rp_img_target *target = &tx->image->targets[brief->subject + i];
        any = tx_matches(tx, brief, target->name, target->count);
    }
    return any;
}

/* Is the rule answered without a look at it? */
static enum settled settle(struct rp_waf_tx *tx, const struct rp_waf_brief *brief) {
    switch ((enum rp_waf_settled_by)brief->by) {
    case RP_BY_FILTER: /* no value of the rule's class can match */
        return rp_waf_has_bit(rp_waf_class_any(tx, brief->subject, brief->group), brief->bit)
                   ? ASK
                   : MISS;
    case RP_BY_TX:
    case RP_BY_TX_COUNT:
    case RP_BY_TX_ANY:
        return tx->removals ? ASK : any_tx_matches(tx, brief) ? hit(tx, brief) : MISS;
    case RP_BY_NOTHING:
        return hit(tx, brief);
    case RP_BY_ASKING:
        break;
    }
    return ASK;
}

uint32_t rp_waf_run_settled(struct rp_waf_tx *tx, uint32_t row, uint32_t end) {
    while (row < end && rp_ok(tx->failed)) {
        const struct rp_waf_brief *brief = &tx->waf->briefs[row];
        enum settled settled = is_removed(tx, row) ? MISS : settle(tx, brief);
        if (settled == ASK) {
            return row;
        }
        if (settled == QUIET_HIT) {
            tx->seen_n = 0;
            tx->rule = &tx->image->rules[row];
            rp_waf_setvars(tx, tx->rule->setvars);
        }
        row = settled == MISS ? brief->after : brief->jump;
    }
    return row;
}
