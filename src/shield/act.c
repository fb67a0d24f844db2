/* act.c — what a match says: ctl, removals, disruption, the record for the log. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/tx.h"

enum { MATCHES_START = 128, STATUS_DENIED = 403, STATUS_FOUND = 302, PHASE_LOGGING = 5 };

/* ---- the record ---- */

static bool record_grow(struct rp_waf_tx *tx) {
    size_t room = tx->match_room ? 2 * tx->match_room : MATCHES_START;
    struct rp_waf_match *p = rp_arena_array(tx->arena, room, sizeof *p);
    if (!p) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return false;
    }
    if (tx->match_count > 0) {
        memcpy(p, tx->matches, tx->match_count * sizeof *p);
    }
    tx->matches = p;
    tx->match_room = room;
    return true;
}

static void copy_tags(struct rp_waf_tx *tx, const struct rp_img_rule *rule,
                      struct rp_waf_match *match) {
    rp_view *tags = rp_arena_array(tx->arena, rule->tags.count, sizeof *tags);
    if (!tags) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return;
    }
    for (uint32_t i = 0; i < rule->tags.count; i++) {
        tags[i] = rp_image_text(tx->image, tx->image->strings[rule->tags.first + i]);
    }
    match->tags = tags;
    match->tag_count = rule->tags.count;
}

void rp_waf_record(struct rp_waf_tx *tx, const struct rp_img_rule *rule,
                   const struct rp_waf_seen *seen, rp_view message, rp_view log_data) {
    if (tx->match_count == RP_WAF_MATCHES_MAX) {
        tx->match_dropped++;
        return;
    }
    if (tx->match_count == tx->match_room && !record_grow(tx)) {
        return;
    }
    bool somewhere = seen->variable < RP_COLL_COUNT;
    struct rp_waf_match match = {
        .id = rule->id,
        .phase = rule->phase,
        .severity = rule->severity,
        .variable = somewhere ? rp_waf_seen_name(tx, seen) : RP_VIEW(""),
        .value = somewhere ? seen->value : RP_VIEW(""),
        .message = message,
        .log_data = log_data,
        .file = rp_image_text(tx->image, rule->file),
        .line = rule->line,
        .logged = (rule->flags & RP_IMG_LOG) != 0,
    };
    if (match.logged) {
        copy_tags(tx, rule, &match);
    }
    tx->matches[tx->match_count++] = match;
}

/* ---- removals ---- */

static void remove_rules(struct rp_waf_tx *tx, const uint64_t *set) {
    size_t words = tx->image->settings->set_words;
    if (!tx->removed) {
        tx->removed = rp_arena_array(tx->arena, words, sizeof *tx->removed);
    }
    if (!tx->removed) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return;
    }
    for (size_t i = 0; i < words; i++) {
        tx->removed[i] |= set[i];
    }
}

static void remove_target(struct rp_waf_tx *tx, const uint64_t *rules,
                          const struct rp_img_target *target, rp_view selector) {
    struct rp_waf_removal *removal = rp_arena_alloc(tx->arena, sizeof *removal);
    if (!removal) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return;
    }
    *removal = (struct rp_waf_removal){
        .rules = rules, .target = *target, .selector = selector, .next = tx->removals};
    tx->removals = removal;
}

/* ---- ctl ---- */

static bool is_on(rp_view value) {
    return rp_view_equal_nocase(value, RP_VIEW("on"));
}

static void set_engine(struct rp_waf_tx *tx, rp_view value) {
    if (is_on(value)) {
        tx->mode = tx->site.mode; /* a rule may spare a request, never harden a site that detects */
    } else if (rp_view_equal_nocase(value, RP_VIEW("detectiononly"))) {
        tx->mode = RP_MIN(tx->site.mode, RP_WAF_DETECT);
    } else {
        tx->mode = RP_WAF_OFF;
    }
}

static void set_processor(struct rp_waf_tx *tx, rp_view value) {
    static const char *const names[RP_BODY_KINDS] = {"URLENCODED", "MULTIPART", "JSON", "XML"};
    for (unsigned kind = 0; kind < RP_BODY_KINDS; kind++) {
        if (rp_view_equal_nocase(value, rp_view_from_cstr(names[kind]))) {
            tx->body_kind = (int)kind;
            rp_waf_scalar(tx, RP_VAR_REQBODY_PROCESSOR, rp_view_from_cstr(names[kind]));
        }
    }
}

void rp_waf_ctl(struct rp_waf_tx *tx, const struct rp_img_ctl *ctl) {
    rp_view value = rp_image_text(tx->image, ctl->value);
    const uint64_t *set =
        ctl->kind >= RP_CTL_RULE_REMOVE_BY_ID
            ? tx->image->sets + (size_t)ctl->rule_set * tx->image->settings->set_words
            : NULL;
    switch ((enum rp_waf_ctl_kind)ctl->kind) {
    case RP_CTL_FORCE_REQUEST_BODY_VARIABLE:
        tx->force_request_body = is_on(value);
        break;
    case RP_CTL_REQUEST_BODY_ACCESS:
        tx->request_body = is_on(value);
        break;
    case RP_CTL_RESPONSE_BODY_ACCESS:
        tx->response_body = is_on(value);
        break;
    case RP_CTL_REQUEST_BODY_LIMIT:
        (void)rp_view_to_u64(value, UINT64_MAX, &tx->request_body_limit);
        break;
    case RP_CTL_RESPONSE_BODY_LIMIT:
        (void)rp_view_to_u64(value, UINT64_MAX, &tx->response_body_limit);
        break;
    case RP_CTL_REQUEST_BODY_PROCESSOR:
        set_processor(tx, value);
        break;
    case RP_CTL_RULE_ENGINE:
        set_engine(tx, value);
        break;
    case RP_CTL_RULE_REMOVE_BY_ID:
    case RP_CTL_RULE_REMOVE_BY_TAG:
    case RP_CTL_RULE_REMOVE_BY_MSG:
        remove_rules(tx, set);
        break;
    case RP_CTL_RULE_REMOVE_TARGET_BY_ID:
    case RP_CTL_RULE_REMOVE_TARGET_BY_TAG:
    case RP_CTL_RULE_REMOVE_TARGET_BY_MSG:
        if (ctl->has_target) {
            remove_target(tx, set, &ctl->target, rp_image_text(tx->image, ctl->target.selector));
        }
        break;
    case RP_CTL_AUDIT_ENGINE: /* the log is not the rules' business here */
    case RP_CTL_AUDIT_LOG_PARTS:
    case RP_CTL_DEBUG_LOG_LEVEL:
    case RP_CTL_HASH_ENFORCEMENT: /* off, as ever */
    case RP_CTL_HASH_ENGINE:
    case RP_CTL_PARSE_XML_INTO_ARGS:
    case RP_CTL_COUNT:
        break;
    }
}

/* ---- exclusions of the site ---- */

static bool rule_has_tag(const struct rp_image *m, const struct rp_img_rule *rule, rp_view tag) {
    for (uint32_t i = 0; i < rule->tags.count; i++) {
        if (rp_view_equal(rp_image_text(m, m->strings[rule->tags.first + i]), tag)) {
            return true;
        }
    }
    return false;
}

static bool rule_has_message(const struct rp_image *m, const struct rp_img_rule *rule,
                             rp_view message) {
    return rule->message.count == 1 &&
           rp_view_equal(rp_image_text(m, m->pieces[rule->message.first].text), message);
}

static bool site_means(const struct rp_image *m, const struct rp_img_rule *rule,
                       const struct rp_waf_ctl *ctl) {
    if (ctl->kind == RP_CTL_RULE_REMOVE_BY_TAG || ctl->kind == RP_CTL_RULE_REMOVE_TARGET_BY_TAG) {
        return rule_has_tag(m, rule, ctl->value);
    }
    if (ctl->kind == RP_CTL_RULE_REMOVE_BY_MSG || ctl->kind == RP_CTL_RULE_REMOVE_TARGET_BY_MSG) {
        return rule_has_message(m, rule, ctl->value);
    }
    return rule->id >= ctl->id_first && rule->id <= ctl->id_last;
}

static void add_chain(const struct rp_image *m, uint32_t row, uint64_t *set) {
    for (uint32_t i = row; i < m->rules[row].after; i++) {
        set[i / 64] |= (uint64_t)1 << i % 64;
    }
}

static void site_rules(struct rp_waf_tx *tx, const struct rp_waf_ctl *ctl, uint64_t *set) {
    const struct rp_image *m = tx->image;
    bool by_id =
        ctl->kind == RP_CTL_RULE_REMOVE_BY_ID || ctl->kind == RP_CTL_RULE_REMOVE_TARGET_BY_ID;
    if (by_id && ctl->id_first == ctl->id_last) {
        uint32_t row = rp_waf_row(tx->waf, ctl->id_first);
        if (row != RP_IMAGE_NONE) {
            add_chain(m, row, set);
        }
        return;
    }
    for (size_t i = 0; i < tx->waf->id_count; i++) {
        uint32_t row = tx->waf->ids[i].row;
        if (site_means(m, &m->rules[row], ctl)) {
            add_chain(m, row, set);
        }
    }
}

void rp_waf_exclude(struct rp_waf_tx *tx, const struct rp_waf_ctl *ctl) {
    if (ctl->kind < RP_CTL_RULE_REMOVE_BY_ID || ctl->kind >= RP_CTL_COUNT) {
        return;
    }
    uint64_t *set = rp_arena_array(tx->arena, tx->image->settings->set_words + 1, sizeof *set);
    if (!set) {
        rp_waf_note(tx, RP_ERR(TOO_LARGE));
        return;
    }
    site_rules(tx, ctl, set);
    if (!ctl->has_target) {
        remove_rules(tx, set);
        return;
    }
    struct rp_img_target target = {.variable = (uint8_t)ctl->target.variable,
                                   .select = (uint8_t)ctl->target.select,
                                   .pattern = RP_IMAGE_NONE};
    if (target.select == RP_SELECT_REGEX) { /* learnt exclusions name what they mean */
        rp_waf_note(tx, RP_ERR(UNSUPPORTED));
        return;
    }
    if (target.select == RP_SELECT_NAME) {
        target.name = rp_image_name(tx->image, ctl->target.selector);
    }
    remove_target(tx, set, &target, ctl->target.selector);
}

/* ---- after the whole chain ---- */

void rp_waf_act(struct rp_waf_tx *tx, const struct rp_img_rule *rule) {
    tx->rule = rule;
    for (uint32_t i = 0; i < rule->ctls.count; i++) {
        rp_waf_ctl(tx, &tx->image->ctls[rule->ctls.first + i]);
    }
    rp_waf_expires(tx, rule);
}

static void intervene(struct rp_waf_tx *tx, const struct rp_img_rule *rule,
                      enum rp_waf_action action, unsigned status) {
    struct rp_waf_verdict *verdict = &tx->verdict;
    if (verdict->would_block || tx->phase == PHASE_LOGGING) {
        return; /* the first word counts; and behind the answer nothing is left to refuse */
    }
    verdict->would_block = true;
    verdict->status = status;
    verdict->rule = rule->id;
    verdict->phase = tx->phase;
    if (action == RP_WAF_REDIRECT) {
        verdict->redirect = rp_waf_expand(tx, rule->redirect);
    }
    if (tx->mode == RP_WAF_ON) {
        verdict->action = action;
    }
}

void rp_waf_disrupt(struct rp_waf_tx *tx, const struct rp_img_rule *rule) {
    const struct rp_img_settings *settings = tx->image->settings;
    unsigned how = rule->disruption, status = rule->status;
    if (how == RP_DISRUPT_BLOCK) {
        how = settings->default_disruption[rule->phase];
        status = status ? status : settings->default_status[rule->phase];
    }
    switch ((enum rp_waf_disruption)how) {
    case RP_DISRUPT_NONE:
    case RP_DISRUPT_PASS:
    case RP_DISRUPT_BLOCK:
        break;
    case RP_DISRUPT_DENY:
        intervene(tx, rule, RP_WAF_DENY, status ? status : STATUS_DENIED);
        break;
    case RP_DISRUPT_DROP:
        intervene(tx, rule, RP_WAF_DROP, status ? status : STATUS_DENIED);
        break;
    case RP_DISRUPT_REDIRECT:
        intervene(tx, rule, RP_WAF_REDIRECT,
                  status >= 301 && status <= 308 ? status : STATUS_FOUND);
        break;
    case RP_DISRUPT_ALLOW:
        tx->allow = tx->mode == RP_WAF_ON ? RP_ALLOW_ALL : tx->allow;
        break;
    case RP_DISRUPT_ALLOW_PHASE:
        tx->allow = tx->mode == RP_WAF_ON ? RP_ALLOW_PHASE : tx->allow;
        break;
    case RP_DISRUPT_ALLOW_REQUEST:
        tx->allow = tx->mode == RP_WAF_ON ? RP_ALLOW_REQUEST : tx->allow;
        break;
    }
}
