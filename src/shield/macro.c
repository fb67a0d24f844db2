/* macro.c — %{…}: a variable's value in a text. */
#include "base/assert.h"
#include "shield/tx.h"

/* The collections' first value of that name. */
static rp_view entry_text(struct rp_waf_tx *tx, unsigned variable, uint32_t name_id, rp_view name) {
    const struct rp_waf_collection *from = &tx->collections[variable];
    for (uint32_t i = 0; i < from->n; i++) {
        bool fits = name.n == 0 || (name_id != 0 ? from->p[i].name_id == name_id
                                                 : rp_view_equal_nocase(from->p[i].name, name));
        if (fits) {
            return tx->values.p[from->p[i].value].bytes;
        }
    }
    return (rp_view){NULL, 0};
}

/* A message that names itself ends there. */
static rp_view own_text(struct rp_waf_tx *tx, struct rp_img_span pieces) {
    rp_view text = {NULL, 0};
    if (!tx->in_own_text) {
        tx->in_own_text = true;
        text = rp_waf_expand(tx, pieces);
        tx->in_own_text = false;
    }
    return text;
}

/* %{rule.id}, %{rule.msg} … of the rule at work. */
static rp_view rule_text(struct rp_waf_tx *tx, rp_view name) {
    const struct rp_img_rule *rule = tx->rule;
    if (!rule) {
        return (rp_view){NULL, 0};
    }
    if (rp_view_equal_nocase(name, RP_VIEW("id"))) {
        return rp_arena_printf(tx->arena, "%llu", (unsigned long long)rule->id);
    }
    if (rp_view_equal_nocase(name, RP_VIEW("msg"))) {
        return own_text(tx, rule->message);
    }
    if (rp_view_equal_nocase(name, RP_VIEW("logdata"))) {
        return own_text(tx, rule->log_data);
    }
    if (rp_view_equal_nocase(name, RP_VIEW("severity"))) {
        return rp_arena_printf(tx->arena, "%u", rule->severity);
    }
    if (rp_view_equal_nocase(name, RP_VIEW("rev"))) {
        return rp_image_text(tx->image, rule->revision);
    }
    return (rp_view){NULL, 0};
}

static rp_view seen_text(struct rp_waf_tx *tx, unsigned variable) {
    if (tx->seen_n == 0) {
        return (rp_view){NULL, 0};
    }
    const struct rp_waf_seen *first = &tx->seen[0];
    return variable == RP_VAR_MATCHED_VARS ? first->value : rp_waf_seen_name(tx, first);
}

rp_view rp_waf_variable_text(struct rp_waf_tx *tx, unsigned variable, uint32_t name_id,
                             rp_view name) {
    if (variable == RP_VAR_TX && name_id != 0 && name_id < tx->image->settings->tx_names) {
        return rp_waf_slot_text(tx, &tx->tx[name_id]);
    }
    if (rp_waf_store_of(tx, variable)) {
        struct rp_waf_slot *slot = rp_waf_slot_find(tx, variable, name, false);
        return slot ? rp_waf_slot_text(tx, slot) : (rp_view){NULL, 0};
    }
    if (variable == RP_VAR_RULE) {
        return rule_text(tx, name);
    }
    if (variable == RP_VAR_MATCHED_VARS || variable == RP_VAR_MATCHED_VARS_NAMES) {
        return seen_text(tx, variable);
    }
    return tx->collections[variable].n > 0 ? entry_text(tx, variable, name_id, name)
                                           : rp_waf_computed(tx, variable);
}

static rp_view piece_text(struct rp_waf_tx *tx, const struct rp_img_piece *piece) {
    rp_view words = rp_image_text(tx->image, piece->text);
    return piece->literal ? words : rp_waf_variable_text(tx, piece->variable, piece->name, words);
}

/* What the pieces say now, and how long they are together. */
static rp_view *piece_texts(struct rp_waf_tx *tx, struct rp_img_span pieces, size_t *ret_bytes) {
    rp_view *texts = rp_arena_room(tx->arena, pieces.count * sizeof *texts);
    *ret_bytes = 0;
    for (uint32_t i = 0; texts && i < pieces.count; i++) {
        texts[i] = piece_text(tx, &tx->image->pieces[pieces.first + i]);
        *ret_bytes += texts[i].n;
    }
    return texts;
}

static rp_view joined(struct rp_waf_tx *tx, struct rp_img_span pieces) {
    size_t bytes;
    const rp_view *texts = piece_texts(tx, pieces, &bytes);
    uint8_t *whole = texts ? rp_arena_room(tx->arena, bytes) : NULL;
    if (!whole) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return RP_VIEW("");
    }
    size_t at = 0;
    for (uint32_t i = 0; i < pieces.count; i++) {
        if (texts[i].n > 0) {
            memcpy(whole + at, texts[i].p, texts[i].n);
            at += texts[i].n;
        }
    }
    return rp_view_of(whole, bytes);
}

rp_view rp_waf_expand(struct rp_waf_tx *tx, struct rp_img_span pieces) {
    rp_view text = pieces.count == 0   ? RP_VIEW("")
                   : pieces.count == 1 ? piece_text(tx, &tx->image->pieces[pieces.first])
                                       : joined(tx, pieces);
    rp_waf_spend(tx, text.n);
    return text.p ? text : RP_VIEW("");
}
