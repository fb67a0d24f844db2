/* seclang_internal.h — what the parts of the SecLang reader share; nobody else includes it.
 *
 * The reader keeps one logical line at hand: the physical lines that backslashes join, with a note
 * of where each began, so that any view into it has a line and a column. A directive's words are
 * views into that line and keep their backslashes; the escapes go when a value is taken. Rules are
 * kept as drafts until the last file is read, because SecRuleUpdate* and SecDefaultAction speak
 * about rules of other files.
 */
#ifndef RP_SHIELD_SECLANG_INTERNAL_H
#define RP_SHIELD_SECLANG_INTERNAL_H

#include "base/checked.h"
#include "shield/seclang.h"

#define SECLANG_LIMIT_MAX ((uint64_t)1 << 40) /* bytes; what a directive or ctl may allow */

enum {
    SECLANG_FILES_MAX = 1024,
    SECLANG_DEPTH_MAX = 16,
    SECLANG_RULES_MAX = 100000,
    SECLANG_SHOWN = 60, /* bytes of somebody's text in a message */
};

/* Where a physical line begins within the logical one. */
struct seclang_step {
    size_t offset;
    unsigned line, column;
};

struct seclang_line {
    rp_view file; /* its path */
    rp_view text;
    const struct seclang_step *steps;
    size_t step_count;
};

struct seclang_file {
    rp_view path, text;
    size_t at;
    unsigned line; /* of the byte at `at` */
    const struct seclang_file *parent;
    unsigned depth;
};

/* A list in the arena that grows by doubling. */
struct seclang_list {
    void *items;
    size_t count, capacity;
};

/* One word of a directive: what stands between the quotes, or between spaces. */
struct seclang_word {
    rp_view raw;
    uint8_t quote; /* '"', '\'' or 0 */
};

struct seclang_action {
    rp_view name, value; /* the value without its quotes; p == NULL when there is no colon */
    rp_view at;          /* the whole of it, for messages */
};

struct seclang_draft {
    struct rp_waf_rule rule;
    struct seclang_line line;
    struct seclang_list targets, transforms, tags, setvars, ctls, expires, initcols;
    size_t head;           /* the chain's first rule; its own index when it is one */
    unsigned log_set;      /* bits of `logging` that the rule sets itself … */
    unsigned log_cleared;  /* … and that it clears */
    bool transforms_reset; /* t:none: the defaults' transformations do not come first */
    bool removed;
};

enum seclang_update_kind {
    SECLANG_REMOVE,
    SECLANG_UPDATE_TARGETS,
    SECLANG_UPDATE_ACTIONS,
};
enum seclang_by { SECLANG_BY_ID, SECLANG_BY_TAG, SECLANG_BY_MSG };
struct seclang_range {
    uint64_t first, last;
};
struct seclang_update {
    enum seclang_update_kind kind;
    enum seclang_by by;
    struct seclang_line line;
    struct seclang_list ranges; /* by id */
    size_t chain_offset;        /* id:N, the N-th rule of the chain after its first */
    rp_view text;               /* by tag, by message */
    struct seclang_list targets;
    struct seclang_list replaced;
    rp_view actions;
};

struct seclang {
    const struct rp_waf_loader *loader;
    struct rp_arena *arena;
    struct rp_diag *diag;
    struct rp_waf_place *place;

    struct seclang_line line;
    unsigned at_line, at_column; /* scratch of seclang_fail */
    const struct seclang_file *file;
    size_t file_count;

    struct seclang_list drafts;  /* struct seclang_draft */
    struct seclang_list updates; /* struct seclang_update */
    struct seclang_list notes;   /* struct rp_waf_note */
    struct seclang_list response_types;
    struct rp_waf_settings settings;
    bool chain_open; /* the last draft waits for its next rule */

    struct seclang_draft *defaults[6]; /* SecDefaultAction by phase */
    uint64_t *ids;                     /* open addressing, 0 = free */
    size_t id_capacity, id_count;
};

/* ---- seclang.c ---- */

void seclang_locate(struct seclang *in, rp_view at);
#define seclang_fail(in, at, err, ...)                                                             \
    (seclang_locate((in), (at)),                                                                   \
     rp_fail_at((in)->diag, (err), (in)->at_line, (in)->at_column, __VA_ARGS__))
/* For "%.*s" of somebody's text, bounded. */
#define SECLANG_FMT(v) (int)RP_MIN((v).n, (size_t)SECLANG_SHOWN), (const char *)(v).p

/* A new zeroed element at the end; NULL when the arena is full. */
void *seclang_add(struct seclang *in, struct seclang_list *list, size_t size);
/* Says what is read and does nothing, or not all, in the reader's language; the same text once. */
rp_err seclang_note(struct seclang *in, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
rp_err seclang_read_file(struct seclang *in, rp_view from, rp_view path, unsigned depth);

/* ---- seclang_lines.c ---- */

/* The next logical line that is neither empty nor a comment. */
rp_err seclang_next_line(struct seclang *in, struct seclang_file *file, bool *ret_found);
/* Cuts the next word off; ret_word->raw.p == NULL at the end. */
rp_err seclang_next_word(struct seclang *in, rp_view *rest, struct seclang_word *ret_word);
/* A quoted word's value: a backslash before the quote goes, every other backslash stays. */
rp_err seclang_unquote(struct seclang *in, rp_view raw, uint8_t quote, rp_view *ret_value);
bool seclang_is_space(uint8_t byte);
rp_view seclang_skip_spaces(rp_view v);
bool seclang_is_word(rp_view v, const char *word);
/* Cuts the next action off a list; rest->p == NULL behind the last one. */
rp_err seclang_next_action(struct seclang *in, rp_view *rest, struct seclang_action *ret_action);

/* ---- seclang_directives.c ---- */

rp_err seclang_directive(struct seclang *in, rp_view name, rp_view rest);
/* Refuses anything after the last word. */
rp_err seclang_end_of_line(struct seclang *in, rp_view rest);
rp_err seclang_value(struct seclang *in, rp_view *rest, const char *expected, rp_view *ret_value);

/* ---- seclang_settings.c ---- */

rp_err seclang_setting(struct seclang *in, rp_view name, rp_view rest, bool *ret_known);
void seclang_settings_default(struct rp_waf_settings *settings);

/* ---- seclang_targets.c ---- */

rp_err seclang_targets(struct seclang *in, rp_view text, struct seclang_list *targets);
rp_err seclang_target(struct seclang *in, rp_view *rest, struct rp_waf_target *ret_target);
rp_err seclang_variable(struct seclang *in, rp_view name, enum rp_waf_variable *ret_variable);

/* ---- seclang_operators.c ---- */

rp_err seclang_operator(struct seclang *in, const struct seclang_word *word,
                        struct seclang_draft *draft);

/* ---- seclang_lists.c ---- */

/* @pm: words between spaces, |41 42| in place of bytes. */
rp_err seclang_phrases(struct seclang *in, rp_view at, rp_view text, struct seclang_list *phrases);
/* @ipMatch: addresses and networks between commas. */
rp_err seclang_nets(struct seclang *in, rp_view at, rp_view text, struct seclang_list *phrases);
/* Files of one or the other, a line each. */
rp_err seclang_list_files(struct seclang *in, rp_view at, rp_view text, bool nets,
                          struct seclang_list *phrases);

/* ---- seclang_actions.c ---- */

/* Works a whole list into a draft. */
rp_err seclang_actions(struct seclang *in, rp_view list, struct seclang_draft *draft);

/* ---- seclang_setvar.c, seclang_ctl.c: actions with a language of their own ---- */

rp_err seclang_setvar(struct seclang *in, const struct seclang_action *action,
                      struct seclang_draft *draft);
rp_err seclang_expirevar(struct seclang *in, const struct seclang_action *action,
                         struct seclang_draft *draft);
rp_err seclang_initcol(struct seclang *in, const struct seclang_action *action,
                       struct seclang_draft *draft);
rp_err seclang_ctl(struct seclang *in, const struct seclang_action *action,
                   struct seclang_draft *draft);
rp_err seclang_range(struct seclang *in, rp_view text, uint64_t *ret_first, uint64_t *ret_last);

/* ---- seclang_texts.c ---- */

rp_err seclang_text(struct seclang *in, rp_view at, rp_view text, struct rp_waf_text *ret_text);
bool seclang_text_literal(const struct rp_waf_text *text, rp_view *ret_value);

/* ---- seclang_updates.c ---- */

rp_err seclang_update(struct seclang *in, rp_view name, rp_view rest, bool *ret_known);
rp_err seclang_updates_apply(struct seclang *in);

/* ---- seclang_finish.c ---- */

rp_err seclang_finish(struct seclang *in, struct rp_waf_ruleset *ret_rules);

#endif
