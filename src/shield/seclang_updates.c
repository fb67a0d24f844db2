/* seclang_updates.c — SecRuleRemoveBy*, SecRuleUpdate*: what operators change in others' rules.
 *
 * They speak about every rule of the set, read before or after them, as ModSecurity 3 has it; so
 * they are kept until the last file is read, then applied in the order written.
 */
#include "base/assert.h"
#include "shield/seclang_internal.h"

/* ---- reading ---- */

/* "1,5-9" or "1 5-9", and "id:offset" where a chain's later rule is meant. */
static rp_err read_ids(struct seclang *in, rp_view text, bool offset_allowed,
                       struct seclang_update *update) {
    rp_view rest = rp_view_trim(text);
    size_t colon = rp_view_find_byte(rest, ':');
    if (offset_allowed && colon < rest.n) {
        uint64_t offset = 0;
        if (!rp_view_to_u64(rp_view_from(rest, colon + 1), 1000, &offset)) {
            return seclang_fail(in, rest, RP_ERR(INVALID),
                                "\"%.*s\": expected id:N, the N-th rule behind the chain's first",
                                SECLANG_FMT(rest));
        }
        update->chain_offset = (size_t)offset;
        rest = rp_view_sub(rest, 0, colon);
    }
    do {
        size_t n = 0;
        while (n < rest.n && rest.p[n] != ',' && !seclang_is_space(rest.p[n])) {
            n++;
        }
        struct seclang_range *range = seclang_add(in, &update->ranges, sizeof *range);
        if (!range) {
            return RP_ERR(TOO_LARGE);
        }
        RP_TRY(seclang_range(in, rp_view_sub(rest, 0, n), &range->first, &range->last));
        rest = rp_view_from(rest, n);
        while (rest.n > 0 && (rest.p[0] == ',' || seclang_is_space(rest.p[0]))) {
            rest = rp_view_from(rest, 1);
        }
    } while (rest.n > 0);
    return RP_OK;
}

static rp_err read_which(struct seclang *in, rp_view *rest, struct seclang_update *update) {
    rp_view text;
    if (update->by != SECLANG_BY_ID) {
        return seclang_value(in, rest, update->by == SECLANG_BY_TAG ? "a tag" : "a message",
                             &update->text);
    }
    RP_TRY(seclang_value(in, rest, "a rule's id, or ids", &text));
    RP_TRY(read_ids(in, text, update->kind != SECLANG_REMOVE, update));
    /* SecRuleRemoveById takes several words. */
    while (update->kind == SECLANG_REMOVE && rest->n > 0) {
        RP_TRY(seclang_value(in, rest, "a rule's id", &text));
        RP_TRY(read_ids(in, text, false, update));
    }
    return RP_OK;
}

/* id, phase and chain are what a rule is, not what it does. */
static rp_err check_actions(struct seclang *in, rp_view list) {
    static const char *const fixed[] = {"id", "phase", "chain"};
    rp_view rest = list;
    do {
        struct seclang_action action;
        RP_TRY(seclang_next_action(in, &rest, &action));
        for (size_t i = 0; i < RP_COUNT_OF(fixed); i++) {
            if (seclang_is_word(action.name, fixed[i])) {
                return seclang_fail(in, action.at, RP_ERR(INVALID),
                                    "SecRuleUpdateActionById cannot change %s; expected other "
                                    "actions",
                                    fixed[i]);
            }
        }
    } while (rest.p != NULL);
    struct seclang_draft scratch = {.head = in->drafts.count};
    return seclang_actions(in, list, &scratch);
}

static rp_err read_what(struct seclang *in, rp_view *rest, struct seclang_update *update) {
    struct seclang_word word;
    if (update->kind == SECLANG_REMOVE) {
        return RP_OK;
    }
    bool actions = update->kind == SECLANG_UPDATE_ACTIONS;
    RP_TRY(seclang_next_word(in, rest, &word));
    if (word.raw.p == NULL) {
        return seclang_fail(in, *rest, RP_ERR(SYNTAX), "the line ends here; expected %s",
                            rp_diag_say(in->diag, actions ? "a list of actions"
                                                          : "variables, such as \"!ARGS:name\""));
    }
    if (actions) {
        update->actions = word.raw;
        return check_actions(in, word.raw);
    }
    RP_TRY(seclang_targets(in, word.raw, &update->targets));
    RP_TRY(seclang_next_word(in, rest, &word));
    return word.raw.p ? seclang_targets(in, word.raw, &update->replaced) : RP_OK;
}

rp_err seclang_update(struct seclang *in, rp_view name, rp_view rest, bool *ret_known) {
    static const struct {
        const char *name;
        enum seclang_update_kind kind;
        enum seclang_by by;
    } names[] = {
        {"SecRuleRemoveById", SECLANG_REMOVE, SECLANG_BY_ID},
        {"SecRuleRemoveByTag", SECLANG_REMOVE, SECLANG_BY_TAG},
        {"SecRuleRemoveByMsg", SECLANG_REMOVE, SECLANG_BY_MSG},
        {"SecRuleUpdateTargetById", SECLANG_UPDATE_TARGETS, SECLANG_BY_ID},
        {"SecRuleUpdateTargetByTag", SECLANG_UPDATE_TARGETS, SECLANG_BY_TAG},
        {"SecRuleUpdateTargetByMsg", SECLANG_UPDATE_TARGETS, SECLANG_BY_MSG},
        {"SecRuleUpdateActionById", SECLANG_UPDATE_ACTIONS, SECLANG_BY_ID},
    };
    size_t i = 0;
    while (i < RP_COUNT_OF(names) && !seclang_is_word(name, names[i].name)) {
        i++;
    }
    *ret_known = i < RP_COUNT_OF(names);
    if (!*ret_known) {
        return RP_OK;
    }
    struct seclang_update update = {.kind = names[i].kind, .by = names[i].by, .line = in->line};
    RP_TRY(read_which(in, &rest, &update));
    RP_TRY(read_what(in, &rest, &update));
    RP_TRY(seclang_end_of_line(in, rest));
    struct seclang_update *added = seclang_add(in, &in->updates, sizeof *added);
    if (!added) {
        return RP_ERR(TOO_LARGE);
    }
    *added = update;
    return RP_OK;
}

/* ---- applying ---- */

static bool has_tag(const struct seclang_draft *draft, rp_view tag) {
    const rp_view *tags = draft->tags.items;
    for (size_t i = 0; i < draft->tags.count; i++) {
        if (rp_view_equal(tags[i], tag)) {
            return true;
        }
    }
    return false;
}

/* The message as it stands in the file: pieces are views into one text, in order. */
static bool has_message(const struct seclang_draft *draft, rp_view message) {
    rp_view literal;
    return draft->rule.message.count > 0 && seclang_text_literal(&draft->rule.message, &literal) &&
           rp_view_equal(literal, message);
}

static bool in_ranges(const struct seclang_list *list, uint64_t id) {
    const struct seclang_range *ranges = list->items;
    for (size_t i = 0; i < list->count; i++) {
        if (id >= ranges[i].first && id <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

static bool fits(const struct seclang_draft *draft, const struct seclang_update *update) {
    switch (update->by) {
    case SECLANG_BY_ID:
        return draft->rule.id != 0 && in_ranges(&update->ranges, draft->rule.id);
    case SECLANG_BY_TAG:
        return has_tag(draft, update->text);
    case SECLANG_BY_MSG:
        return has_message(draft, update->text);
    }
    RP_UNREACHABLE();
}

static bool same_target(const struct rp_waf_target *a, const struct rp_waf_target *b) {
    return a->variable == b->variable && a->select == b->select && a->count == b->count &&
           a->exclude == b->exclude &&
           (a->select == RP_SELECT_REGEX ? rp_view_equal(a->selector, b->selector)
                                         : rp_view_equal_nocase(a->selector, b->selector));
}

static void drop_target(struct seclang_list *list, const struct rp_waf_target *target) {
    struct rp_waf_target *targets = list->items;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (!same_target(&targets[i], target)) {
            targets[kept++] = targets[i];
        }
    }
    list->count = kept;
}

static rp_err update_targets(struct seclang *in, const struct seclang_update *update,
                             struct seclang_draft *draft) {
    const struct rp_waf_target *replaced = update->replaced.items, *targets = update->targets.items;
    for (size_t i = 0; i < update->replaced.count; i++) {
        drop_target(&draft->targets, &replaced[i]);
    }
    for (size_t i = 0; i < update->targets.count; i++) {
        struct rp_waf_target *added = seclang_add(in, &draft->targets, sizeof *added);
        if (!added) {
            return RP_ERR(TOO_LARGE);
        }
        *added = targets[i];
    }
    return RP_OK;
}

/* The whole chain goes with its first rule. */
static void remove_rule(struct seclang *in, size_t index) {
    struct seclang_draft *drafts = in->drafts.items;
    size_t head = drafts[index].head;
    for (size_t i = head; i < in->drafts.count && drafts[i].head == head; i++) {
        drafts[i].removed = true;
    }
}

static rp_err apply_to(struct seclang *in, const struct seclang_update *update, size_t index) {
    struct seclang_draft *drafts = in->drafts.items;
    size_t at = index + update->chain_offset;
    if (update->kind == SECLANG_REMOVE) {
        remove_rule(in, index);
        return RP_OK;
    }
    if (at >= in->drafts.count || drafts[at].head != drafts[index].head) {
        return seclang_fail(in, update->line.text, RP_ERR(INVALID),
                            "the chain of rule %llu has no rule %zu behind its first",
                            (unsigned long long)drafts[index].rule.id, update->chain_offset);
    }
    return update->kind == SECLANG_UPDATE_TARGETS
               ? update_targets(in, update, &drafts[at])
               : seclang_actions(in, update->actions, &drafts[at]);
}

static rp_err apply(struct seclang *in, const struct seclang_update *update) {
    bool found = false;
    in->line = update->line;
    for (size_t i = 0; i < in->drafts.count; i++) {
        const struct seclang_draft *draft = (const struct seclang_draft *)in->drafts.items + i;
        bool looks = update->kind != SECLANG_UPDATE_TARGETS || !draft->rule.unconditional;
        if (!draft->rule.marker && looks && fits(draft, update)) {
            found = true;
            RP_TRY(apply_to(in, update, i));
        }
    }
    if (found) {
        return RP_OK;
    }
    return seclang_note(in, "%.*s: no rule fits", SECLANG_FMT(update->line.text));
}

rp_err seclang_updates_apply(struct seclang *in) {
    const struct seclang_update *updates = in->updates.items;
    for (size_t i = 0; i < in->updates.count; i++) {
        RP_TRY(apply(in, &updates[i]));
    }
    return RP_OK;
}
