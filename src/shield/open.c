/* open.c — an image is checked, its expressions are compiled and translated to machine code. */
#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "shield/operators.h"
#include "shield/phrases.h"
#include "shield/waf.h"

/* ---- expressions ---- */

static struct rp_byte_set either_case(uint32_t unit) {
    struct rp_byte_set set = {{0}};
    uint8_t byte = (uint8_t)unit;
    set.bits[byte / 64] |= (uint64_t)1 << byte % 64;
    uint8_t other = byte ^ 0x20;
    if ((other >= 'a' && other <= 'z') || (other >= 'A' && other <= 'Z')) {
        set.bits[other / 64] |= (uint64_t)1 << other % 64;
    }
    return set;
}

static const struct rp_byte_set every_byte = {{~0ULL, ~0ULL, ~0ULL, ~0ULL}};

/* What only looks at where a search began cannot be searched for in portions of a text. */
static bool is_divisible(const pcre2_code *code, rp_view text) {
    uint32_t options = 0;
    RP_ASSERT(pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options) == 0);
    return (options & PCRE2_ANCHORED) == 0 && rp_view_find(text, RP_VIEW("\\G")) == text.n &&
           rp_view_find(text, RP_VIEW("(*")) == text.n;
}

/* What PCRE2 found out by itself. A pattern that can match nothing at all needs nothing. */
static void learn(struct rp_waf_pattern *pattern) {
    pattern->first = pattern->last = every_byte;
    uint32_t type = 0, unit = 0;
    const uint8_t *bitmap = NULL;
    RP_ASSERT(pcre2_pattern_info(pattern->code, PCRE2_INFO_MINLENGTH, &pattern->min_bytes) == 0);
    RP_ASSERT(pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &pattern->captures) == 0);
    if (pattern->min_bytes == 0) {
        return;
    }
    RP_ASSERT(pcre2_pattern_info(pattern->code, PCRE2_INFO_FIRSTCODETYPE, &type) == 0);
    if (type == 1) {
        RP_ASSERT(pcre2_pattern_info(pattern->code, PCRE2_INFO_FIRSTCODEUNIT, &unit) == 0);
        pattern->first = either_case(unit);
    } else {
        RP_ASSERT(pcre2_pattern_info(pattern->code, PCRE2_INFO_FIRSTBITMAP, &bitmap) == 0);
        if (bitmap) {
            memcpy(&pattern->first, bitmap, sizeof pattern->first);
        }
    }
    RP_ASSERT(pcre2_pattern_info(pattern->code, PCRE2_INFO_LASTCODETYPE, &type) == 0);
    if (type == 1) {
        RP_ASSERT(pcre2_pattern_info(pattern->code, PCRE2_INFO_LASTCODEUNIT, &unit) == 0);
        pattern->last = either_case(unit);
    }
}

/* NULL when memory is out, or PCRE2 refuses it. */
static pcre2_code *compile(rp_view text, uint32_t options, bool *ret_jit) {
    int code;
    PCRE2_SIZE where;
    pcre2_code *compiled =
        pcre2_compile(text.n > 0 ? text.p : (const uint8_t *)"", text.n,
                      PCRE2_DOTALL | PCRE2_MULTILINE | options, &code, &where, NULL);
    *ret_jit = compiled && pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE) == 0;
    return compiled;
}

struct rp_waf_pattern rp_waf_pattern_new(rp_view text, bool nocase) {
    struct rp_waf_pattern pattern = {.code = NULL};
    uint32_t options = PCRE2_USE_OFFSET_LIMIT | (nocase ? PCRE2_CASELESS : 0U);
    pattern.code = compile(text, options, &pattern.jit);
    if (pattern.code) {
        pattern.takes_all =
            rp_view_equal(text, RP_VIEW("^.*$")) || rp_view_equal(text, RP_VIEW(".*"));
        pattern.is_divisible = is_divisible(pattern.code, text);
        learn(&pattern);
    }
    return pattern;
}

/* For texts on which it might not end in time. */
static pcre2_code *compile_stoppable(rp_view text, bool nocase) {
    int code;
    PCRE2_SIZE where;
    uint32_t options = PCRE2_DOTALL | PCRE2_MULTILINE | PCRE2_USE_OFFSET_LIMIT |
                       PCRE2_AUTO_CALLOUT | (nocase ? PCRE2_CASELESS : 0U);
    return pcre2_compile(text.n > 0 ? text.p : (const uint8_t *)"", text.n, options, &code, &where,
                         NULL);
}

static rp_err open_patterns(struct rp_waf *waf, struct rp_diag *diag) {
    waf->patterns = calloc(waf->image.patterns_n + 1, sizeof *waf->patterns);
    if (!waf->patterns) {
        return RP_ERR(NO_MEMORY);
    }
    for (size_t i = 0; i < waf->image.patterns_n; i++) {
        const struct rp_img_pattern *row = &waf->image.patterns[i];
        waf->patterns[i] =
            rp_waf_pattern_new(rp_image_text(&waf->image, row->text), row->nocase != 0);
        if (!waf->patterns[i].code) {
            return rp_fail(diag, RP_ERR(CORRUPT), "expression %zu is none", i);
        }
        waf->patterns[i].stoppable =
            compile_stoppable(rp_image_text(&waf->image, row->text), row->nocase != 0);
        if (!waf->patterns[i].stoppable) {
            return RP_ERR(NO_MEMORY);
        }
        waf->patterns[i].clauses =
            (struct rp_clauses){waf->image.clauses + row->clauses.first, row->clauses.count};
        size_t bytes = 0;
        if (pcre2_pattern_info(waf->patterns[i].code, PCRE2_INFO_JITSIZE, &bytes) == 0) {
            waf->jit_bytes += bytes;
        }
    }
    return RP_OK;
}

/* Numbers with check digits are looked for at each byte. */
static rp_err open_numbers(struct rp_waf *waf) {
    for (size_t i = 0; i < waf->image.rules_n; i++) {
        const struct rp_img_rule *rule = &waf->image.rules[i];
        bool number = rule->op >= RP_OP_VERIFY_CC && rule->op <= RP_OP_VERIFY_SVNR;
        if (!number || rule->operand == RP_IMAGE_NONE || waf->patterns[rule->operand].at_start) {
            continue;
        }
        struct rp_waf_pattern *pattern = &waf->patterns[rule->operand];
        rp_view text = rp_image_text(&waf->image, waf->image.patterns[rule->operand].text);
        bool jit = false;
        pattern->at_start = compile(text, PCRE2_ANCHORED, &jit);
        if (!pattern->at_start) {
            return RP_ERR(NO_MEMORY);
        }
        pattern->jit = pattern->jit && jit;
    }
    return RP_OK;
}

/* ---- blobs of other modules ---- */

static bool operand_is_whole(const struct rp_image *m, const struct rp_img_rule *rule) {
    if (rule->flags & (RP_IMG_DYNAMIC | RP_IMG_UNCONDITIONAL)) {
        return true;
    }
    switch (rule->op) {
    case RP_OP_PM:
    case RP_OP_PM_FROM_FILE:
        return rp_phrases_check(rp_image_blob(m, rule->operand));
    case RP_OP_IP_MATCH:
    case RP_OP_IP_MATCH_FROM_FILE:
        return rp_ip_table_check(rp_image_blob(m, rule->operand));
    default:
        return true;
    }
}

static rp_err check_blobs(struct rp_waf *waf, struct rp_diag *diag) {
    const struct rp_image *m = &waf->image;
    for (size_t i = 0; i < m->rules_n; i++) {
        if (!operand_is_whole(m, &m->rules[i])) {
            return rp_fail(diag, RP_ERR(CORRUPT), "the operand of rule %llu is altered",
                           (unsigned long long)m->rules[i].id);
        }
    }
    for (unsigned i = 0; i < RP_IMAGE_GROUPS; i++) {
        if (m->settings->group_sizes[i] > 0 &&
            !rp_literals_check(rp_image_blob(m, m->settings->group_blobs[i]),
                               m->settings->group_sizes[i])) {
            return rp_fail(diag, RP_ERR(CORRUPT), "the prefilter is altered");
        }
        if (m->settings->group_sizes[i] > 0) {
            const uint8_t *set = rp_image_blob(m, m->settings->group_blobs[i]).p;
            waf->literals[i] = rp_literals_at((const void *)set, set);
        }
    }
    return RP_OK;
}

/* ---- rules by id ---- */

static int by_id(const void *a, const void *b) {
    const struct rp_waf_row_of_id *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static rp_err index_ids(struct rp_waf *waf) {
    waf->ids = calloc(waf->image.rules_n + 1, sizeof *waf->ids);
    if (!waf->ids) {
        return RP_ERR(NO_MEMORY);
    }
    for (size_t i = 0; i < waf->image.rules_n; i++) {
        if (!(waf->image.rules[i].flags & RP_IMG_LINK)) {
            waf->ids[waf->id_count++] =
                (struct rp_waf_row_of_id){waf->image.rules[i].id, (uint32_t)i};
        }
    }
    qsort(waf->ids, waf->id_count, sizeof *waf->ids, by_id);
    return RP_OK;
}

uint32_t rp_waf_row(const struct rp_waf *waf, uint64_t id) {
    struct rp_waf_row_of_id key = {id, 0};
    const struct rp_waf_row_of_id *found =
        bsearch(&key, waf->ids, waf->id_count, sizeof key, by_id);
    return found ? found->row : RP_IMAGE_NONE;
}

static rp_err look_at_selectors(struct rp_waf *waf) {
    waf->selectors = calloc(waf->image.patterns_n + 1, sizeof *waf->selectors);
    if (!waf->selectors) {
        return RP_ERR(NO_MEMORY);
    }
    for (size_t i = 0; i < waf->image.targets_n; i++) {
        const struct rp_img_target *target = &waf->image.targets[i];
        if (target->select == RP_SELECT_REGEX) {
            RP_TRY(rp_waf_selector_learn(waf, target->pattern));
        }
    }
    return RP_OK;
}

/* ---- transformations by the bytes that matter to them ---- */

static void learn_transform(struct rp_waf *waf, enum rp_transform transform) {
    uint64_t bit = (uint64_t)1 << transform;
    struct rp_byte_set others = {{0}};
    waf->touched_always |= rp_transform_touches(transform, &others) ? bit : 0;
    for (unsigned byte = 0; byte < 256; byte++) {
        struct rp_byte_set one = {{0}};
        one.bits[byte >> 6] = (uint64_t)1 << (byte & 63);
        if (rp_transform_touches(transform, &one)) {
            waf->touched_by[byte] |= bit;
        } else {
            others.bits[byte >> 6] |= one.bits[byte >> 6];
        }
    }
    waf->touched_by_two |= rp_transform_touches(transform, &others) ? bit : 0;
}

static void learn_transforms(struct rp_waf *waf) {
    uint64_t used = 0;
    for (size_t i = 0; i < waf->image.pipelines_n; i++) {
        used |= waf->image.pipelines[i].mask;
    }
    for (; used != 0; used &= used - 1) {
        learn_transform(waf, (enum rp_transform)__builtin_ctzll(used));
    }
}

/* ---- the whole ---- */

static rp_err open_waf(rp_view image, struct rp_waf *waf, struct rp_diag *diag) {
    RP_TRY(rp_image_check(image, &waf->image, diag));
    RP_TRY(check_blobs(waf, diag));
    RP_TRY(open_patterns(waf, diag));
    RP_TRY(open_numbers(waf));
    RP_TRY(index_ids(waf));
    RP_TRY(look_at_selectors(waf));
    RP_TRY(rp_waf_briefs(waf));
    learn_transforms(waf);
    struct rp_sha256 sum = rp_sha256_of(image);
    memcpy(waf->sha256, sum.b, sizeof waf->sha256);
    return RP_OK;
}

rp_err rp_waf_open(rp_view image, struct rp_waf **ret_waf, struct rp_diag *diag) {
    struct rp_waf *waf = calloc(1, sizeof *waf);
    if (!waf) {
        return RP_ERR(NO_MEMORY);
    }
    rp_err err = open_waf(image, waf, diag);
    if (!rp_ok(err)) {
        rp_waf_close(waf);
        return err;
    }
    *ret_waf = waf;
    return RP_OK;
}

void rp_waf_close(struct rp_waf *waf) {
    if (!waf) {
        return;
    }
    for (size_t i = 0; waf->patterns && i < waf->image.patterns_n; i++) {
        pcre2_code_free(waf->patterns[i].code);
        pcre2_code_free(waf->patterns[i].at_start);
        pcre2_code_free(waf->patterns[i].stoppable);
    }
    free(waf->patterns);
    for (size_t i = 0; waf->selectors && i < waf->image.patterns_n; i++) {
        free(waf->selectors[i].hits);
    }
    free(waf->ids);
    free(waf->selectors);
    free(waf->briefs);
    free(waf->bounds);
    free(waf->members);
    free(waf->alike);
    free(waf);
}

void rp_waf_info(const struct rp_waf *waf, struct rp_waf_info *ret_info) {
    *ret_info = (struct rp_waf_info){
        .component = rp_image_text(&waf->image, waf->image.settings->component),
        .rules = waf->image.rules_n,
        .expressions = waf->image.patterns_n,
        .jit_bytes = waf->jit_bytes,
        .image_bytes = waf->image.bytes.n,
        .mode = (enum rp_waf_mode)waf->image.settings->mode,
    };
    memcpy(ret_info->sha256, waf->sha256, sizeof waf->sha256);
}
