/* seclang_finish.c — drafts to rules: defaults of the phase worked in, what was removed left out.
 */
#include "base/assert.h"
#include "shield/seclang_internal.h"

static void apply_logging(const struct seclang_draft *draft, unsigned base,
                          struct rp_waf_rule *rule) {
    rule->logging = (base & ~draft->log_cleared) | draft->log_set;
}

static unsigned default_logging(const struct seclang_draft *defaults) {
    unsigned standard = RP_WAF_LOG | RP_WAF_AUDITLOG;
    return defaults ? (standard & ~defaults->log_cleared) | defaults->log_set : standard;
}

/* The defaults' transformations come first, unless the rule says t:none. */
static rp_err merge_transforms(struct seclang *in, const struct seclang_draft *defaults,
                               struct seclang_draft *draft) {
    if (!defaults || defaults->transforms.count == 0 || draft->transforms_reset) {
        return RP_OK;
    }
    struct seclang_list merged = {0};
    const struct seclang_list *parts[] = {&defaults->transforms, &draft->transforms};
    for (size_t part = 0; part < RP_COUNT_OF(parts); part++) {
        const enum rp_transform *transforms = parts[part]->items;
        for (size_t i = 0; i < parts[part]->count; i++) {
            enum rp_transform *added = seclang_add(in, &merged, sizeof *added);
            if (!added) {
                return RP_ERR(TOO_LARGE);
            }
            *added = transforms[i];
        }
    }
    draft->transforms = merged;
    return RP_OK;
}

static void apply_defaults(const struct seclang_draft *defaults, struct rp_waf_rule *rule) {
    if (rule->disruption != RP_DISRUPT_NONE) {
        return;
    }
    rule->disruption = defaults ? defaults->rule.disruption : RP_DISRUPT_PASS;
    if (defaults && rule->status == 0) {
        rule->status = defaults->rule.status;
    }
    if (defaults && rule->redirect.count == 0) {
        rule->redirect = defaults->rule.redirect;
    }
}

static void hand_over(const struct seclang_draft *draft, struct rp_waf_rule *rule) {
    rule->targets = draft->targets.items;
    rule->target_count = draft->targets.count;
    rule->transforms = draft->transforms.items;
    rule->transform_count = draft->transforms.count;
    rule->tags = draft->tags.items;
    rule->tag_count = draft->tags.count;
    rule->setvars = draft->setvars.items;
    rule->setvar_count = draft->setvars.count;
    rule->ctls = draft->ctls.items;
    rule->ctl_count = draft->ctls.count;
    rule->expires = draft->expires.items;
    rule->expire_count = draft->expires.count;
    rule->initcols = draft->initcols.items;
    rule->initcol_count = draft->initcols.count;
}

/* What a chain says of itself stands with its first rule; where it does not, with the next one that
 * has it. */
static void take_texts(struct seclang_draft *head, const struct seclang_draft *link) {
    if (head->rule.message.count == 0) {
        head->rule.message = link->rule.message;
    }
    if (head->rule.log_data.count == 0) {
        head->rule.log_data = link->rule.log_data;
    }
}

static rp_err finish_rule(struct seclang *in, struct seclang_draft *draft) {
    struct seclang_draft *head = (struct seclang_draft *)in->drafts.items + draft->head;
    struct rp_waf_rule *rule = &draft->rule;
    if (rule->marker) {
        return RP_OK;
    }
    bool first = draft == head;
    rule->phase = !first ? head->rule.phase : rule->phase == 0 ? 2 : rule->phase;
    const struct seclang_draft *defaults = in->defaults[rule->phase];
    RP_TRY(merge_transforms(in, defaults, draft));
    apply_logging(draft, first ? default_logging(defaults) : head->rule.logging, rule);
    if (first) {
        apply_defaults(defaults, rule);
    }
    hand_over(draft, rule);
    return RP_OK;
}

/* A jump to nowhere skips the rest of the phase: worth saying. */
static rp_err note_jump(struct seclang *in, size_t index) {
    const struct seclang_draft *drafts = in->drafts.items;
    const struct rp_waf_rule *rule = &drafts[index].rule;
    if (rule->skip_after.n == 0) {
        return RP_OK;
    }
    for (size_t i = index + 1; i < in->drafts.count; i++) {
        if (drafts[i].rule.marker && rp_view_equal(drafts[i].rule.label, rule->skip_after)) {
            return RP_OK;
        }
    }
    in->line = drafts[index].line;
    return seclang_note(
        in, "skipAfter:%.*s: no such SecMarker follows, so the rest of the phase is skipped",
        SECLANG_FMT(rule->skip_after));
}

static void default_verdicts(struct seclang *in) {
    for (unsigned phase = 1; phase <= 5; phase++) {
        const struct seclang_draft *defaults = in->defaults[phase];
        in->settings.default_disruption[phase] =
            defaults ? defaults->rule.disruption : RP_DISRUPT_PASS;
        in->settings.default_status[phase] = defaults ? defaults->rule.status : 0;
    }
}

rp_err seclang_finish(struct seclang *in, struct rp_waf_ruleset *ret_rules) {
    struct seclang_draft *drafts = in->drafts.items;
    struct rp_waf_rule *rules = rp_arena_array(in->arena, in->drafts.count, sizeof *rules);
    size_t count = 0;
    if (!rules) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < in->drafts.count; i++) {
        take_texts(&drafts[drafts[i].head], &drafts[i]);
    }
    for (size_t i = 0; i < in->drafts.count; i++) {
        RP_TRY(finish_rule(in, &drafts[i]));
        if (!drafts[i].removed) {
            RP_TRY(note_jump(in, i));
            rules[count++] = drafts[i].rule;
        }
    }
    default_verdicts(in);
    in->settings.response_types = in->response_types.items;
    in->settings.response_type_count = in->response_types.count;
    *ret_rules = (struct rp_waf_ruleset){.settings = in->settings,
                                         .rules = rules,
                                         .rule_count = count,
                                         .notes = in->notes.items,
                                         .note_count = in->notes.count};
    return RP_OK;
}
