/* seclang.h — rule files read, checked and resolved: what the compiler knows before it writes the
 * image.
 *
 * SecLang is the language of ModSecurity and of the OWASP Core Rule Set. The reader takes files in
 * order, follows Include, applies what operators tune with (SecRuleRemove*, SecRuleUpdate*,
 * SecDefaultAction), reads data files (pmFromFile, ipMatchFromFile), and leaves one flat list:
 * rules and markers in the order in which they run, chains as consecutive rules. What Rempart does
 * not support is an error that names file, line, column, what was found and why it is refused;
 * nothing is skipped in silence.
 *
 * Everything lives in the arena. Files come through a loader, so that this is pure (compile_io.c
 * has the one that reads a disk).   Promises: S58, S64.
 */
#ifndef RP_SHIELD_SECLANG_H
#define RP_SHIELD_SECLANG_H

#include "base/arena.h"
#include "shield/transform.h"

/* ---- what a rule looks at ---- */

enum rp_waf_variable {
#define RP_VARIABLE(NAME, name, shape) RP_VAR_##NAME,
#include "shield/variables.def"
#undef RP_VARIABLE
    RP_VAR_COUNT
};

enum rp_waf_shape {
    RP_SHAPE_SCALAR,     /* one value: REQUEST_METHOD */
    RP_SHAPE_COLLECTION, /* named values: ARGS, TX, REQUEST_HEADERS */
};

enum rp_waf_select { RP_SELECT_ALL, RP_SELECT_NAME, RP_SELECT_REGEX };

/* ARGS, ARGS:id, ARGS:/^utm_/, &ARGS, !ARGS:comment. Names compare without regard to case. */
struct rp_waf_target {
    enum rp_waf_variable variable;
    enum rp_waf_select select;
    rp_view selector; /* the name, or the expression between the slashes */
    bool count;       /* & */
    bool exclude;     /* ! */
};

const char *rp_waf_variable_name(enum rp_waf_variable variable);
enum rp_waf_shape rp_waf_variable_shape(enum rp_waf_variable variable);
/* Without regard to case; RP_VAR_COUNT when there is none. */
enum rp_waf_variable rp_waf_variable_named(rp_view name);

/* ---- what it asks of each value ---- */

enum rp_waf_operator {
#define RP_OPERATOR(NAME, name) RP_OP_##NAME,
#include "shield/operators.def"
#undef RP_OPERATOR
    RP_OP_COUNT
};

const char *rp_waf_operator_name(enum rp_waf_operator op);
enum rp_waf_operator rp_waf_operator_named(rp_view name); /* RP_OP_COUNT when there is none */

/* Text with %{…} in it, cut into pieces. A text without any is one literal piece. */
struct rp_waf_piece {
    bool literal;
    rp_view text;                  /* the literal; or the name within the collection ("" = none) */
    enum rp_waf_variable variable; /* TX, MATCHED_VAR, REQUEST_HEADERS, … */
};
struct rp_waf_text {
    const struct rp_waf_piece *pieces;
    size_t count;
};

/* ---- what it does when it matches ---- */

enum rp_waf_disruption { /* only the chain's first rule has one */
                         RP_DISRUPT_NONE,
                         RP_DISRUPT_PASS,
                         RP_DISRUPT_BLOCK, /* what SecDefaultAction of the phase says */
                         RP_DISRUPT_DENY,
                         RP_DISRUPT_DROP,
                         RP_DISRUPT_REDIRECT,
                         RP_DISRUPT_ALLOW,
                         RP_DISRUPT_ALLOW_PHASE,
                         RP_DISRUPT_ALLOW_REQUEST
};

enum rp_waf_assignment { RP_ASSIGN_SET, RP_ASSIGN_ADD, RP_ASSIGN_SUBTRACT, RP_ASSIGN_UNSET };
struct rp_waf_setvar {
    enum rp_waf_variable collection; /* TX, IP, GLOBAL, SESSION, RESOURCE, USER */
    struct rp_waf_text name, value;
    enum rp_waf_assignment how;
};

enum rp_waf_ctl_kind {
#define RP_CTL(NAME, name) RP_CTL_##NAME,
#include "shield/ctl.def"
#undef RP_CTL
    RP_CTL_COUNT
};
const char *rp_waf_ctl_name(enum rp_waf_ctl_kind kind);
enum rp_waf_ctl_kind rp_waf_ctl_named(rp_view name); /* RP_CTL_COUNT when there is none */
struct rp_waf_ctl {
    enum rp_waf_ctl_kind kind;
    rp_view value;               /* "XML", "on"; a tag or message for removals by tag or message */
    uint64_t id_first, id_last;  /* removals by id: a range; one id twice for a single one */
    struct rp_waf_target target; /* removals of targets */
    bool has_target;
};

struct rp_waf_expire {
    enum rp_waf_variable collection;
    rp_view name;
    uint64_t seconds;            /* 0 when it is known only then … */
    struct rp_waf_text lifetime; /* … by this: expirevar:ip.x=%{tx.y} */
};
struct rp_waf_initcol {
    enum rp_waf_variable collection;
    struct rp_waf_text key;
};

enum rp_waf_logging { /* a set; the phase's SecDefaultAction is already worked in */
                      RP_WAF_LOG = 1,
                      RP_WAF_AUDITLOG = 2
};

struct rp_waf_rule {
    rp_view file;
    unsigned line, column;
    bool marker; /* SecMarker: only `label` counts */
    rp_view label;

    uint64_t id;        /* 0 inside a chain after its first rule */
    unsigned phase;     /* 1 … 5 */
    bool chained;       /* the next rule of the list belongs to this one */
    bool unconditional; /* SecAction */

    const struct rp_waf_target *targets; /* exclusions among them, in the order written */
    size_t target_count;

    enum rp_waf_operator op;
    bool negated;
    struct rp_waf_text argument; /* of the operator, as written */
    /* pm, pmFromFile: the phrases, as bytes; ipMatch, ipMatchFromFile: addresses, as text. */
    const rp_view *phrases;
    size_t phrase_count;

    const enum rp_transform *transforms; /* t:none has already cut what stood before it */
    size_t transform_count;
    bool multi_match, capture;

    enum rp_waf_disruption disruption; /* block is kept: the site decides what it means */
    unsigned status;                   /* 0 = the default, 403 */
    struct rp_waf_text redirect;
    unsigned logging;
    unsigned severity; /* 0 emergency … 7 debug; 8 = none */
    rp_view revision, version;
    struct rp_waf_text message, log_data;
    const rp_view *tags; /* %{…} in tags is kept as text */
    size_t tag_count;
    rp_view skip_after;
    unsigned skip;

    const struct rp_waf_setvar *setvars;
    size_t setvar_count;
    const struct rp_waf_ctl *ctls;
    size_t ctl_count;
    const struct rp_waf_expire *expires;
    size_t expire_count;
    const struct rp_waf_initcol *initcols;
    size_t initcol_count;
};

/* What SecRuleEngine and its sisters say: the site's defaults, which the gate may override. */
enum rp_waf_mode { RP_WAF_OFF, RP_WAF_DETECT, RP_WAF_ON };
struct rp_waf_settings {
    enum rp_waf_mode mode;
    bool request_body, response_body;
    uint64_t request_body_limit, request_body_no_files_limit, response_body_limit;
    bool request_limit_rejects, response_limit_rejects; /* else: process what fits */
    unsigned json_depth_max;
    uint64_t arguments_max;
    uint8_t argument_separator;    /* '&' */
    uint64_t collection_timeout_s; /* SecCollectionTimeout */
    const rp_view *response_types; /* SecResponseBodyMimeType, lower case */
    size_t response_type_count;
    rp_view component; /* SecComponentSignature: "OWASP_CRS/3.3.4" */
    const uint16_t
        *unicode_map; /* SecUnicodeMapFile: [65536] code point → byte, 0xffff = none; or NULL */
    unsigned default_status[6]; /* per phase, from SecDefaultAction: what block means */
    enum rp_waf_disruption default_disruption[6];
};

struct rp_waf_ruleset {
    struct rp_waf_settings settings;
    const struct rp_waf_rule *rules; /* in file order; the engine runs each phase's in this order */
    size_t rule_count;
    /* What was read but does nothing here, for the reader: "SecAuditLog: Rempart has its own log".
     */
    const struct rp_waf_note {
        rp_view file;
        unsigned line;
        rp_view text;
    } * notes;
    size_t note_count;
};

/* How files are found. */
struct rp_waf_loader {
    void *ctx;
    /* The bytes of one file, and the path that names it from then on. `from` is the file that
     * names it, for relative paths; "" for the first and for what glob gave. */
    rp_err (*read)(void *ctx, rp_view from, rp_view path, struct rp_arena *arena,
                   rp_view *ret_bytes, rp_view *ret_path);
    /* The files that a pattern with * ? [ ] means, sorted; zero is no error. */
    rp_err (*glob)(void *ctx, rp_view from, rp_view pattern, struct rp_arena *arena,
                   rp_view **ret_paths, size_t *ret_count);
};

struct rp_waf_place { /* beside a diag, which has no file */
    rp_view file;
};

/* SYNTAX, UNKNOWN_KEY, UNSUPPORTED, INVALID, DUPLICATE (an id twice), NOT_FOUND (a file): diag has
 * line, column and what was expected; *ret_place the file. */
rp_err rp_seclang_read(const struct rp_waf_loader *loader, const rp_view *files, size_t file_count,
                       struct rp_arena *arena, struct rp_waf_ruleset *ret_rules,
                       struct rp_waf_place *ret_place, struct rp_diag *diag);

#endif
