/* image.c — an image is looked through once: every index that running follows stays inside. */
#include "shield/image.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "shield/compile.h"

/* ---- names ---- */

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
    return hash ^ hash >> 29;
}

static uint64_t word_at(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* The last bytes in one word: of a text of eight and more its last eight, some of them again. */
static uint64_t last_word(rp_view text) {
    if (text.n >= 8) {
        return word_at(text.p + text.n - 8);
    }
    if (text.n >= 4) {
        uint32_t first, last;
        memcpy(&first, text.p, sizeof first);
        memcpy(&last, text.p + text.n - 4, sizeof last);
        return first | (uint64_t)last << 32;
    }
    return text.n == 0
               ? 0
               : text.p[0] | (uint64_t)text.p[text.n / 2] << 8 | (uint64_t)text.p[text.n - 1] << 16;
}

uint64_t rp_image_hash(rp_view text) {
    uint64_t hash = text.n * 0xff51afd7ed558ccdU + 1;
    for (size_t i = 0; i + 8 < text.n; i += 8) {
        hash = mix(hash, word_at(text.p + i));
    }
    hash = mix(hash, last_word(text));
    return hash ^ hash >> 32;
}

uint64_t rp_image_hash_lower(rp_view text) {
    uint64_t hash = text.n * 0xff51afd7ed558ccdU + 1;
    for (size_t i = 0; i + 8 < text.n; i += 8) {
        hash = mix(hash, rp_lower_word(word_at(text.p + i)));
    }
    hash = mix(hash, rp_lower_word(last_word(text)));
    return hash ^ hash >> 32;
}

uint32_t rp_image_name(const struct rp_image *image, rp_view text) {
    uint64_t hash = rp_image_hash_lower(text);
    size_t mask = image->buckets_n - 1;
    for (size_t at = hash & mask; image->buckets[at] != 0; at = (at + 1) & mask) {
        const struct rp_img_name *name = &image->names[image->buckets[at]];
        if (name->hash == hash && rp_view_equal_nocase(rp_image_text(image, name->text), text)) {
            return image->buckets[at];
        }
    }
    return 0;
}

/* ---- rows ---- */

static bool text_ok(const struct rp_image *m, struct rp_img_text text) {
    return text.at <= m->text_n && text.n <= m->text_n - text.at;
}

static bool span_ok(struct rp_img_span span, size_t count) {
    return span.first <= count && span.count <= count - span.first;
}

static bool row_ok(uint32_t row, size_t count) {
    return row == RP_IMAGE_NONE || row < count;
}

static bool target_ok(const struct rp_image *m, const struct rp_img_target *t) {
    return t->variable < RP_COLL_COUNT && t->select <= RP_SELECT_REGEX && t->name < m->names_n &&
           row_ok(t->pattern, m->patterns_n) && text_ok(m, t->selector) &&
           (t->select != RP_SELECT_REGEX || t->pattern != RP_IMAGE_NONE);
}

static bool is_memory(unsigned collection) {
    return collection == RP_VAR_TX || collection == RP_VAR_IP || collection == RP_VAR_GLOBAL ||
           collection == RP_VAR_SESSION || collection == RP_VAR_RESOURCE ||
           collection == RP_VAR_USER;
}

static bool unit_ok(const struct rp_image *m, uint32_t row) {
    const struct rp_img_unit *u = &m->units[row];
    return target_ok(m, &u->target) && u->target.count == 0 && !is_memory(u->target.variable) &&
           u->pipeline < m->pipelines_n && u->source <= row &&
           (u->source == row) == (u->pipeline == 0) && m->units[u->source].source == u->source &&
           u->each_step <= 1;
}

static bool pipeline_ok(const struct rp_image *m, const struct rp_img_pipeline *p) {
    if (!span_ok(p->steps, m->steps_n)) {
        return false;
    }
    uint64_t mask = 0;
    for (uint32_t i = 0; i < p->steps.count; i++) {
        if (m->steps[p->steps.first + i] >= RP_T_COUNT) {
            return false;
        }
        mask |= (uint64_t)1 << m->steps[p->steps.first + i];
    }
    return mask == p->mask;
}

static bool piece_ok(const struct rp_image *m, const struct rp_img_piece *p) {
    return p->literal <= 1 && p->variable < RP_VAR_COUNT && p->name < m->names_n &&
           text_ok(m, p->text);
}

static bool setvar_ok(const struct rp_image *m, const struct rp_img_setvar *s) {
    return is_memory(s->collection) && s->how <= RP_ASSIGN_UNSET && s->numeric <= 1 &&
           s->name_id < m->settings->tx_names && span_ok(s->name, m->pieces_n) &&
           span_ok(s->value, m->pieces_n);
}

static bool ctl_ok(const struct rp_image *m, const struct rp_img_ctl *c) {
    uint64_t words = m->settings->set_words;
    bool removal = c->kind >= RP_CTL_RULE_REMOVE_BY_ID;
    return c->kind < RP_CTL_COUNT && text_ok(m, c->value) && c->has_target <= 1 &&
           target_ok(m, &c->target) &&
           (!removal || (c->rule_set + (uint64_t)1) * words <= m->sets_n);
}

static bool label_ok(const struct rp_image *m, const struct rp_img_label *l) {
    for (unsigned phase = 1; phase < RP_IMAGE_PHASES; phase++) {
        if (l->rows[phase] < m->phases[phase].first ||
            l->rows[phase] > m->phases[phase].first + m->phases[phase].count) {
            return false;
        }
    }
    return text_ok(m, l->name);
}

static bool operand_ok(const struct rp_image *m, const struct rp_img_rule *r) {
    if (r->flags & (RP_IMG_DYNAMIC | RP_IMG_UNCONDITIONAL)) {
        return true;
    }
    switch (r->op) {
    case RP_OP_RX:
    case RP_OP_RX_GLOBAL:
    case RP_OP_VERIFY_CC:
    case RP_OP_VERIFY_SSN:
    case RP_OP_VERIFY_CPF:
    case RP_OP_VERIFY_SVNR:
        return r->operand < m->patterns_n;
    case RP_OP_PM:
    case RP_OP_PM_FROM_FILE:
    case RP_OP_IP_MATCH:
    case RP_OP_IP_MATCH_FROM_FILE:
        return r->operand < m->blobs_n;
    case RP_OP_VALIDATE_BYTE_RANGE:
        return r->operand < m->blobs_n && m->blobs[r->operand].n == sizeof(struct rp_byte_set);
    default:
        return true;
    }
}

static bool rule_texts_ok(const struct rp_image *m, const struct rp_img_rule *r) {
    return text_ok(m, r->file) && text_ok(m, r->argument_text) && text_ok(m, r->revision) &&
           text_ok(m, r->version) && span_ok(r->argument, m->pieces_n) &&
           span_ok(r->message, m->pieces_n) && span_ok(r->log_data, m->pieces_n) &&
           span_ok(r->redirect, m->pieces_n) && span_ok(r->tags, m->strings_n) &&
           span_ok(r->phrases, m->strings_n);
}

static bool rule_parts_ok(const struct rp_image *m, const struct rp_img_rule *r) {
    return r->pipeline < m->pipelines_n && span_ok(r->targets, m->targets_n) &&
           span_ok(r->exclusions, m->targets_n) && row_ok(r->class_id, m->classes_n) &&
           span_ok(r->setvars, m->setvars_n) && span_ok(r->ctls, m->ctls_n) &&
           span_ok(r->expires, m->expires_n) && span_ok(r->initcols, m->initcols_n) &&
           row_ok(r->skip_label, m->labels_n);
}

/* The prefilter's bit, and jumps, which only go forward and stay in their phase. */
static bool rule_place_ok(const struct rp_image *m, const struct rp_img_rule *r, uint32_t row) {
    if (r->phase < 1 || r->phase >= RP_IMAGE_PHASES) {
        return false;
    }
    struct rp_img_span phase = m->phases[r->phase];
    uint32_t end = phase.first + phase.count;
    bool filtered = r->group != RP_IMAGE_NONE;
    return row >= phase.first && row < end && r->after > row && r->after <= end &&
           (r->skip_to == RP_IMAGE_NONE || (r->skip_to > row && r->skip_to <= end)) &&
           (!(r->flags & RP_IMG_CHAINED) || row + 1 < r->after) &&
           (!filtered || (r->group < RP_IMAGE_GROUPS && r->class_id != RP_IMAGE_NONE &&
                          r->bit < m->settings->group_sizes[r->group]));
}

static bool rule_ok(const struct rp_image *m, uint32_t row) {
    const struct rp_img_rule *r = &m->rules[row];
    return (r->flags & ~(unsigned)RP_IMG_FLAGS) == 0 && r->op < RP_OP_COUNT && r->severity <= 8 &&
           r->disruption <= RP_DISRUPT_ALLOW_REQUEST && rule_texts_ok(m, r) &&
           rule_parts_ok(m, r) && operand_ok(m, r) && rule_place_ok(m, r, row);
}

static bool settings_ok(const struct rp_image *m) {
    const struct rp_img_settings *s = m->settings;
    if (m->settings_n != 1 || m->phases_n != RP_IMAGE_PHASES || m->names_n < 11 ||
        m->names_n > UINT16_MAX || s->tx_names > m->names_n || s->tx_names < 11 ||
        s->mode > RP_WAF_ON || !span_ok(s->response_types, m->strings_n) ||
        !text_ok(m, s->component) || s->set_words != (m->rules_n + 63) / 64 ||
        (s->has_unicode_map && m->unicode_n != 65536)) {
        return false;
    }
    for (unsigned i = 0; i < RP_IMAGE_GROUPS; i++) {
        if (s->group_sizes[i] > 2048 ||
            (s->group_sizes[i] > 0 && s->group_blobs[i] >= m->blobs_n)) {
            return false;
        }
    }
    for (unsigned i = 0; i < RP_IMAGE_PHASES; i++) {
        if (!span_ok(m->phases[i], m->rules_n) ||
            s->default_disruption[i] > RP_DISRUPT_ALLOW_REQUEST || s->default_status[i] > 599) {
            return false;
        }
    }
    return true;
}

/* A search must end: at least one bucket is empty. */
static bool buckets_ok(const struct rp_image *m) {
    if (m->buckets_n < 16 || (m->buckets_n & (m->buckets_n - 1)) != 0) {
        return false;
    }
    size_t empty = 0;
    for (size_t i = 0; i < m->buckets_n; i++) {
        if (m->buckets[i] >= m->names_n) {
            return false;
        }
        empty += m->buckets[i] == 0;
    }
    return empty > 0;
}

#define ALL_OK(section, check)                                                                     \
    for (size_t i = 0; i < m->section##_n; i++) {                                                  \
        if (!(check)) {                                                                            \
            return #section;                                                                       \
        }                                                                                          \
    }

/* The name of the section that is wrong, or NULL. */
static const char *wrong_section(const struct rp_image *m) {
    if (m->settings_n != 1 || m->phases_n != RP_IMAGE_PHASES || !settings_ok(m)) {
        return "settings";
    }
    ALL_OK(strings, text_ok(m, m->strings[i]))
    ALL_OK(names, text_ok(m, m->names[i].text))
    ALL_OK(patterns,
           text_ok(m, m->patterns[i].text) && span_ok(m->patterns[i].clauses, m->clauses_n))
    ALL_OK(clauses, m->clauses[i].any_count <= RP_CLAUSE_SETS)
    ALL_OK(blobs, m->blobs[i].at % 16 == 0 && m->blobs[i].at <= m->data_n &&
                      m->blobs[i].n <= m->data_n - m->blobs[i].at)
    ALL_OK(targets, target_ok(m, &m->targets[i]))
    ALL_OK(pipelines, pipeline_ok(m, &m->pipelines[i]))
    ALL_OK(units, unit_ok(m, (uint32_t)i))
    ALL_OK(members, m->members[i] < m->units_n)
    ALL_OK(classes, span_ok(m->classes[i].units, m->members_n))
    ALL_OK(pieces, piece_ok(m, &m->pieces[i]))
    ALL_OK(setvars, setvar_ok(m, &m->setvars[i]))
    ALL_OK(ctls, ctl_ok(m, &m->ctls[i]))
    ALL_OK(expires, is_memory(m->expires[i].collection) && text_ok(m, m->expires[i].name) &&
                        span_ok(m->expires[i].text, m->pieces_n))
    ALL_OK(initcols,
           is_memory(m->initcols[i].collection) && span_ok(m->initcols[i].key, m->pieces_n))
    ALL_OK(labels, label_ok(m, &m->labels[i]))
    ALL_OK(rules, rule_ok(m, (uint32_t)i))
    if (m->pipelines_n == 0 || m->pipelines[0].steps.count != 0) {
        return "pipelines";
    }
    return buckets_ok(m) ? NULL : "buckets";
}

static rp_err take_sections(const struct rp_img_header *header, rp_view bytes, struct rp_image *m) {
    m->bytes = bytes;
#define X(NAME, name, type)                                                                        \
    {                                                                                              \
        uint64_t at = header->section[RP_SECTION_##NAME].at;                                       \
        uint64_t n = header->section[RP_SECTION_##NAME].bytes;                                     \
        if (at % 16 != 0 || at > bytes.n || n > bytes.n - at || n % sizeof(type) != 0) {           \
            return RP_ERR(CORRUPT);                                                                \
        }                                                                                          \
        m->name = (const type *)(const void *)(bytes.p + at);                                      \
        m->name##_n = n / sizeof(type);                                                            \
    }
    RP_IMAGE_SECTIONS(X)
#undef X
    return RP_OK;
}

rp_err rp_image_check(rp_view bytes, struct rp_image *ret_image, struct rp_diag *diag) {
    struct rp_img_header header;
    if (bytes.n < sizeof header || (uintptr_t)bytes.p % 16 != 0) {
        return rp_fail(diag, RP_ERR(CORRUPT), "no rule image: too short, or not aligned");
    }
    memcpy(&header, bytes.p, sizeof header);
    if (!rp_view_equal(rp_view_of(header.magic, sizeof header.magic),
                       rp_view_of(rp_image_magic, sizeof rp_image_magic))) {
        return rp_fail(diag, RP_ERR(CORRUPT), "no rule image: `rempart waf compile` writes one");
    }
    if (header.format != RP_IMAGE_FORMAT || header.sections != RP_SECTION_COUNT) {
        bool newer = header.format > RP_IMAGE_FORMAT;
        return rp_fail(diag, newer ? RP_ERR(EXISTS_NEWER) : RP_ERR(CORRUPT),
                       "the image has format %u, this program reads %u: make it again with "
                       "`rempart waf compile`",
                       header.format, (unsigned)RP_IMAGE_FORMAT);
    }
    struct rp_sha256 sum = rp_sha256_of2(rp_view_of(header.section, sizeof header.section),
                                         rp_view_from(bytes, sizeof header));
    if (header.bytes != bytes.n ||
        !rp_view_equal(rp_view_of(sum.b, sizeof sum.b),
                       rp_view_of(header.sha256, sizeof header.sha256))) {
        return rp_fail(diag, RP_ERR(CORRUPT), "the image was altered or cut off");
    }
    struct rp_image image;
    if (!rp_ok(take_sections(&header, bytes, &image))) {
        return rp_fail(diag, RP_ERR(CORRUPT), "a section leaves the image");
    }
    const char *wrong = wrong_section(&image);
    if (wrong) {
        return rp_fail(diag, RP_ERR(CORRUPT), "section %s holds what leaves the image", wrong);
    }
    *ret_image = image;
    return RP_OK;
}
