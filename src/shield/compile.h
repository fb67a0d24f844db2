/* compile.h — inside the compiler: the sections as they grow, and what is kept once.
 *
 * compile.c orders the rows and resolves jumps, compile_rule.c turns one rule into a row,
 * compile_parts.c interns texts, names and pipelines, compile_class.c what rules look at,
 * compile_filter.c makes patterns, phrase automata and the prefilter. Everything lives in the
 * scratch arena and the buffers.
 */
#ifndef RP_SHIELD_COMPILE_H
#define RP_SHIELD_COMPILE_H

#include "shield/image.h"
#include "shield/literals.h"

/* XML's two kinds are two collections here. */
enum { RP_COLL_XML_ATTRIBUTES = RP_VAR_COUNT, RP_COLL_COUNT };

/* Bytes to a number, each kept once. */
struct rp_intern {
    struct rp_intern_row {
        rp_view key;
        uint64_t hash;
        uint32_t value;
    } * slots;
    size_t count, room;
};
/* The value of the key, or NULL with *ret_slot where a new one goes. */
rp_err rp_intern_slot(struct rp_intern *intern, struct rp_arena *arena, rp_view key,
                      struct rp_intern_row **ret_row, bool *ret_new);

struct rp_compiler {
    const struct rp_waf_ruleset *rules;
    struct rp_arena *scratch;
    struct rp_buf sections[RP_SECTION_COUNT];
    struct rp_intern texts, names, patterns, pipelines, classes, units;
    uint32_t name_count;
    uint32_t row_count;
    uint32_t *row_of;                    /* rule index → its row; NONE for markers */
    uint32_t *next_row[RP_IMAGE_PHASES]; /* rule index → first row of the phase at or after */
    uint32_t phase_start[RP_IMAGE_PHASES + 1];
    struct rp_needs *needs[RP_IMAGE_GROUPS]; /* of each rule of the prefilter */
    uint32_t group_sizes[RP_IMAGE_GROUPS];
    const struct rp_waf_rule *rule; /* the one at hand, for errors */
    struct rp_waf_place *place;
    struct rp_diag *diag;
};

/* Says which rule it was. */
rp_err rp_compile_fail(struct rp_compiler *c, rp_err err, const char *what, size_t where);

/* compile_parts.c */
uint32_t rp_compile_push(struct rp_compiler *c, enum rp_image_section section, const void *row,
                         size_t size);
rp_err rp_compile_text(struct rp_compiler *c, rp_view text, struct rp_img_text *ret_text);
rp_err rp_compile_name(struct rp_compiler *c, rp_view name, uint32_t *ret_name);
rp_err rp_compile_tx_names(struct rp_compiler *c);
rp_err rp_compile_pieces(struct rp_compiler *c, const struct rp_waf_text *text,
                         struct rp_img_span *ret_span);
rp_err rp_compile_strings(struct rp_compiler *c, const rp_view *list, size_t count,
                          struct rp_img_span *ret_span);
rp_err rp_compile_pipeline(struct rp_compiler *c, const enum rp_transform *steps, size_t count,
                           uint32_t *ret_pipeline);
rp_err rp_compile_target(struct rp_compiler *c, const struct rp_waf_target *target,
                         struct rp_img_target *ret_row);
bool rp_text_is_static(const struct rp_waf_text *text);
rp_view rp_text_whole(const struct rp_waf_text *text); /* of a static one */

/* compile_class.c */
rp_err rp_compile_class(struct rp_compiler *c, struct rp_img_span targets, uint32_t pipeline,
                        bool each_step, uint32_t *ret_class);

/* compile_filter.c */
rp_err rp_compile_pattern(struct rp_compiler *c, rp_view text, bool nocase, uint32_t *ret_pattern);
rp_err rp_compile_operand(struct rp_compiler *c, const struct rp_waf_rule *rule,
                          struct rp_img_rule *row);
rp_err rp_compile_filter(struct rp_compiler *c, const struct rp_waf_rule *rule,
                         struct rp_img_rule *row);
rp_err rp_compile_groups(struct rp_compiler *c, struct rp_img_settings *settings);

/* compile_rule.c */
rp_err rp_compile_rule(struct rp_compiler *c, size_t index, const struct rp_waf_rule *first);

#endif
