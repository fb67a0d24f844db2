/* brief.c — rules in brief, what selects names, and what is too short for a unit: found once, when
 * an image is opened.
 *
 * A rule set asks hundreds of questions that need no text: is the paranoia level under two, was a
 * variable set before. They are answered from a row of some forty bytes. Where a match does nothing
 * but write TX variables and jump, and nobody wants to hear of it, the rule itself is not looked
 * at.
 */
#include "base/checked.h"
#include "shield/tx.h"

static const uint32_t least_max = 64; /* bytes that a rule must be given; more are not counted */

/* The TX variable that is all of a text with %{…}; 0 when it is anything else. */
static uint32_t only_tx(const struct rp_image *m, struct rp_img_span pieces) {
    const struct rp_img_piece *piece = &m->pieces[pieces.first];
    bool is = pieces.count == 1 && !piece->literal && piece->variable == RP_VAR_TX &&
              piece->name < m->settings->tx_names;
    return is ? piece->name : 0;
}

/* A text of its own words and TX variables: what matched is not asked for. */
static bool is_plain(const struct rp_image *m, struct rp_img_span pieces) {
    for (uint32_t i = 0; i < pieces.count; i++) {
        const struct rp_img_piece *piece = &m->pieces[pieces.first + i];
        if (!piece->literal && piece->variable != RP_VAR_TX) {
            return false;
        }
    }
    return true;
}

static bool writes_plainly(const struct rp_image *m, const struct rp_img_rule *rule) {
    for (uint32_t i = 0; i < rule->setvars.count; i++) {
        const struct rp_img_setvar *set = &m->setvars[rule->setvars.first + i];
        if (set->collection != RP_VAR_TX || !is_plain(m, set->name) || !is_plain(m, set->value)) {
            return false;
        }
    }
    return true;
}

static bool passes(const struct rp_image *m, const struct rp_img_rule *rule) {
    uint32_t how = rule->disruption == RP_DISRUPT_BLOCK
                       ? m->settings->default_disruption[rule->phase]
                       : rule->disruption;
    return how == RP_DISRUPT_NONE || how == RP_DISRUPT_PASS || how == RP_DISRUPT_BLOCK;
}

static bool is_quiet(const struct rp_image *m, const struct rp_img_rule *rule) {
    return (rule->flags & (RP_IMG_LOG | RP_IMG_CHAINED)) == 0 && rule->severity == 8 &&
           rule->ctls.count == 0 && rule->expires.count == 0 && rule->initcols.count == 0 &&
           rule->skip_label == RP_IMAGE_NONE && passes(m, rule) && writes_plainly(m, rule);
}

static bool is_known_tx(const struct rp_image *m, const struct rp_img_target *target) {
    return target->variable == RP_VAR_TX && target->select == RP_SELECT_NAME && target->name != 0 &&
           target->name < m->settings->tx_names;
}

/* TX variables of known names, or their counts, against a number: no text is made of them. */
static bool compares_tx(const struct rp_image *m, const struct rp_img_rule *rule) {
    bool number = (rule->flags & RP_IMG_DYNAMIC) == 0 || only_tx(m, rule->argument) != 0;
    if (!number || rule->targets.count == 0 || rule->targets.count > UINT8_MAX ||
        rule->exclusions.count > 0 || rule->pipeline != 0 || (rule->flags & RP_IMG_MULTI_MATCH) ||
        rule->op < RP_OP_EQ || rule->op > RP_OP_LT) {
        return false;
    }
    for (uint32_t i = 0; i < rule->targets.count; i++) {
        if (!is_known_tx(m, &m->targets[rule->targets.first + i])) {
            return false;
        }
    }
    return true;
}

static void brief_tx(const struct rp_image *m, const struct rp_img_rule *rule,
                     struct rp_waf_brief *brief) {
    const struct rp_img_target *target = &m->targets[rule->targets.first];
    brief->by = rule->targets.count > 1 ? RP_BY_TX_ANY : target->count ? RP_BY_TX_COUNT : RP_BY_TX;
    brief->targets = (uint8_t)rule->targets.count;
    brief->subject = rule->targets.count > 1 ? rule->targets.first : target->name;
    brief->other = rule->flags & RP_IMG_DYNAMIC ? only_tx(m, rule->argument) : 0;
    brief->quiet = brief->quiet && (rule->targets.count == 1 || rule->setvars.count == 0);
}

static struct rp_waf_brief brief_of(const struct rp_image *m, const struct rp_img_rule *rule) {
    struct rp_waf_brief brief = {.by = RP_BY_ASKING,
                                 .op = rule->op,
                                 .negated = (rule->flags & RP_IMG_NEGATED) != 0,
                                 .quiet = is_quiet(m, rule),
                                 .after = rule->after,
                                 .number = rule->number};
    brief.jump = rule->skip_to != RP_IMAGE_NONE ? rule->skip_to : rule->after;
    if (rule->flags & RP_IMG_UNCONDITIONAL) {
        brief.by = brief.quiet ? RP_BY_NOTHING : RP_BY_ASKING;
    } else if (rule->group != RP_IMAGE_NONE) {
        brief.by = RP_BY_FILTER;
        brief.group = (uint8_t)rule->group;
        brief.bit = rule->bit;
        brief.subject = rule->class_id;
    } else if (compares_tx(m, rule)) {
        brief_tx(m, rule, &brief);
    }
    return brief;
}

/* ---- selectors ---- */

/* Which of the image's names does it mean? */
static bool ask_names(const struct rp_waf *waf, const pcre2_code *code, uint64_t *hits) {
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    bool known = data != NULL;
    for (size_t i = 1; known && i < waf->image.names_n; i++) {
        rp_view name = rp_image_text(&waf->image, waf->image.names[i].text);
        const uint8_t *p = name.n > 0 ? name.p : (const uint8_t *)"";
        int found = pcre2_match(code, p, name.n, 0, 0, data, NULL);
        known = found >= 0 || found == PCRE2_ERROR_NOMATCH; /* what explodes is asked later */
        hits[i / 64] |= (uint64_t)(found >= 0) << i % 64;
    }
    pcre2_match_data_free(data);
    return known;
}

static bool is_word(uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

/* The words that an expression begins with: those before the first byte that may be more than
 * itself, the last of them left out, which a "*" may follow. An alternative anywhere: none. */
static void learn_literal(rp_view text, struct rp_waf_selector *selector) {
    size_t first = text.n > 0 && text.p[0] == '^' ? 1 : 0,
           n = 0; /* of any line: it may stand later */
    while (first + n < text.n && is_word(text.p[first + n])) {
        n++;
    }
    n -= n > 0 && first + n < text.n ? 1 : 0;
    bool plain = rp_view_find_byte(text, '|') == text.n && rp_view_find_byte(text, '(') == text.n;
    selector->literal = rp_view_sub(text, first, plain ? n : 0);
    selector->begins = first == 1 && n > 0 && first + n == text.n;
}

rp_err rp_waf_selector_learn(struct rp_waf *waf, uint32_t pattern) {
    struct rp_waf_selector *selector = &waf->selectors[pattern];
    if (selector->hits) {
        return RP_OK;
    }
    learn_literal(rp_image_text(&waf->image, waf->image.patterns[pattern].text), selector);
    uint64_t *hits = calloc(waf->image.names_n / 64 + 1, sizeof *hits);
    if (!hits) {
        return RP_ERR(NO_MEMORY);
    }
    if (ask_names(waf, waf->patterns[pattern].code, hits)) {
        selector->hits = hits;
    } else {
        free(hits);
    }
    return RP_OK;
}

/* ---- units ---- */

/* The fewest bytes that a rule can match. */
static uint32_t least_bytes(const struct rp_waf *waf, const struct rp_img_rule *rule) {
    bool known = rule->op == RP_OP_RX && (rule->flags & (RP_IMG_NEGATED | RP_IMG_DYNAMIC)) == 0;
    return known ? RP_MIN(waf->patterns[rule->operand].min_bytes, least_max) : 0;
}

/* The longest that a unit may make of a value of n bytes. */
static size_t longest(const struct rp_image *m, const struct rp_img_unit *unit, size_t n) {
    struct rp_img_span steps = m->pipelines[unit->pipeline].steps;
    size_t most = n;
    for (uint32_t i = 0; i < steps.count; i++) {
        n = rp_transform_longest((enum rp_transform)m->steps[steps.first + i], n);
        most = RP_MAX(most, n);
    }
    return unit->each_step ? most : n;
}

static rp_err learn_bounds(struct rp_waf *waf) {
    const struct rp_image *m = &waf->image;
    waf->bounds = calloc(m->units_n + 1, sizeof *waf->bounds);
    if (!waf->bounds) {
        return RP_ERR(NO_MEMORY);
    }
    for (size_t i = 0; i < m->units_n; i++) {
        waf->bounds[i].least = least_max;
    }
    for (size_t row = 0; row < m->rules_n; row++) {
        const struct rp_img_rule *rule = &m->rules[row];
        struct rp_img_span units = {0, 0};
        if (rule->class_id != RP_IMAGE_NONE) {
            units = m->classes[rule->class_id].units;
        }
        for (uint32_t i = 0; i < units.count; i++) {
            struct rp_waf_bounds *bounds = &waf->bounds[m->members[units.first + i]];
            bounds->least = RP_MIN(bounds->least, least_bytes(waf, rule));
        }
    }
    for (size_t i = 0; i < m->units_n; i++) {
        struct rp_waf_bounds *bounds = &waf->bounds[i];
        while (longest(m, &m->units[i], bounds->shortest) < bounds->least) {
            bounds->shortest++;
        }
    }
    return RP_OK;
}

/* ---- classes ---- */

static rp_err learn_members(struct rp_waf *waf) {
    const struct rp_image *m = &waf->image;
    waf->members = calloc(m->members_n + 1, sizeof *waf->members);
    if (!waf->members) {
        return RP_ERR(NO_MEMORY);
    }
    for (size_t i = 0; i < m->members_n; i++) {
        uint32_t id = m->members[i];
        const struct rp_img_unit *unit = &m->units[id];
        waf->members[i] = (struct rp_waf_member){
            .mask = unit->source != id ? m->pipelines[unit->pipeline].mask : 0,
            .unit = id,
            .source = unit->source,
            .variable = unit->target.variable};
    }
    return RP_OK;
}

static bool look_alike(const struct rp_image *m, const struct rp_img_class *a,
                       const struct rp_img_class *b) {
    bool alike = a->units.count == b->units.count;
    for (uint32_t i = 0; alike && i < a->units.count; i++) {
        uint32_t one = m->members[a->units.first + i], other = m->members[b->units.first + i];
        alike = m->units[one].source == m->units[other].source;
    }
    return alike;
}

static rp_err learn_alike(struct rp_waf *waf) {
    const struct rp_image *m = &waf->image;
    waf->alike = calloc(m->classes_n + 1, sizeof *waf->alike);
    if (!waf->alike) {
        return RP_ERR(NO_MEMORY);
    }
    for (uint32_t i = 0; i < m->classes_n; i++) {
        uint32_t first = 0;
        while (!look_alike(m, &m->classes[first], &m->classes[i])) {
            first++;
        }
        waf->alike[i] = first;
    }
    return RP_OK;
}

/* ---- all rules ---- */

rp_err rp_waf_briefs(struct rp_waf *waf) {
    const struct rp_image *m = &waf->image;
    waf->briefs = calloc(m->rules_n + 1, sizeof *waf->briefs);
    if (!waf->briefs) {
        return RP_ERR(NO_MEMORY);
    }
    for (size_t i = 0; i < m->rules_n; i++) {
        waf->briefs[i] = brief_of(m, &m->rules[i]);
    }
    RP_TRY(learn_bounds(waf));
    RP_TRY(learn_members(waf));
    return learn_alike(waf);
}
