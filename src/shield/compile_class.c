/* compile_class.c — what rules look at: units, and the classes that they make up. */
#include "base/assert.h"
#include "base/checked.h"
#include "shield/compile.h"

/* What rules write, and what is only known when it is asked for: in no collection beforehand. */
static bool is_made_meanwhile(unsigned variable) {
    switch (variable) {
    case RP_VAR_TX:
    case RP_VAR_IP:
    case RP_VAR_GLOBAL:
    case RP_VAR_SESSION:
    case RP_VAR_RESOURCE:
    case RP_VAR_USER:
    case RP_VAR_GEO:
    case RP_VAR_RULE:
    case RP_VAR_ENV:
    case RP_VAR_MATCHED_VAR:
    case RP_VAR_MATCHED_VARS:
    case RP_VAR_MATCHED_VAR_NAME:
    case RP_VAR_MATCHED_VARS_NAMES:
    case RP_VAR_HIGHEST_SEVERITY:
    case RP_VAR_DURATION:
    case RP_VAR_TIME:
    case RP_VAR_TIME_DAY:
    case RP_VAR_TIME_EPOCH:
    case RP_VAR_TIME_HOUR:
    case RP_VAR_TIME_MIN:
    case RP_VAR_TIME_MON:
    case RP_VAR_TIME_SEC:
    case RP_VAR_TIME_WDAY:
    case RP_VAR_TIME_YEAR:
    case RP_VAR_FULL_REQUEST:
    case RP_VAR_FULL_REQUEST_LENGTH:
    case RP_VAR_SESSIONID:
    case RP_VAR_USERID:
    case RP_VAR_MSC_PCRE_ERROR:
    case RP_VAR_MSC_PCRE_LIMITS_EXCEEDED:
        return true;
    default:
        return false;
    }
}

static rp_err unit(struct rp_compiler *c, const struct rp_img_target *target, uint32_t pipeline,
                   bool each_step, uint32_t *ret_unit) {
    struct rp_img_unit img;
    memset(&img, 0, sizeof img); /* it is a key, gaps and all */
    img.target = *target;
    img.pipeline = pipeline;
    img.each_step = each_step && pipeline != 0;
    if (target->name != 0) {
        img.target.selector = (struct rp_img_text){0, 0}; /* the number says it, in any case */
    }
    if (pipeline != 0) {
        RP_TRY(unit(c, target, 0, false, &img.source));
    }
    struct rp_intern_row *row;
    bool is_new;
    RP_TRY(rp_intern_slot(&c->units, c->scratch, rp_view_of(&img, sizeof img), &row, &is_new));
    if (is_new) {
        if (pipeline == 0) {
            img.source = (uint32_t)(c->sections[RP_SECTION_UNITS].n / sizeof img);
        }
        row->value = rp_compile_push(c, RP_SECTION_UNITS, &img, sizeof img);
    }
    *ret_unit = row->value;
    return RP_OK;
}

static const struct rp_img_target *target_row(const struct rp_compiler *c, size_t row) {
    return (const struct rp_img_target *)(const void *)c->sections[RP_SECTION_TARGETS].p + row;
}

/* One row a set of targets and a pipeline; NONE when a rule may change what they hold, or when
 * they are counted. */
rp_err rp_compile_class(struct rp_compiler *c, struct rp_img_span targets, uint32_t pipeline,
                        bool each_step, uint32_t *ret_class) {
    *ret_class = RP_IMAGE_NONE;
    for (size_t i = 0; i < targets.count; i++) {
        const struct rp_img_target *target = target_row(c, targets.first + i);
        if (target->count || is_made_meanwhile(target->variable)) {
            return RP_OK;
        }
    }
    uint32_t *units = rp_arena_array(c->scratch, targets.count + 1, sizeof *units);
    if (!units) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < targets.count; i++) {
        const struct rp_img_target target = *target_row(c, targets.first + i);
        RP_TRY(unit(c, &target, pipeline, each_step, &units[i]));
    }
    struct rp_intern_row *row;
    bool is_new;
    rp_view key = rp_view_of(units, targets.count * sizeof *units);
    RP_TRY(rp_intern_slot(&c->classes, c->scratch, key, &row, &is_new));
    if (is_new) {
        struct rp_img_class img = {
            {(uint32_t)(c->sections[RP_SECTION_MEMBERS].n / sizeof *units), targets.count}};
        rp_buf_add(&c->sections[RP_SECTION_MEMBERS], key);
        row->value = rp_compile_push(c, RP_SECTION_CLASSES, &img, sizeof img);
    }
    *ret_class = row->value;
    return RP_OK;
}
