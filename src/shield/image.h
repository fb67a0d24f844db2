/* image.h — the rule image: what rules become before they run.
 *
 * A header, then sections: arrays of fixed-width little-endian rows that point at each other by
 * index, and one section of text. Nothing in it is a pointer, so the bytes can be mapped anywhere,
 * read-only, and shared by every worker and every site. rp_image_check follows each index once;
 * after that, running needs no check.
 *
 * Rows of one phase stand together in running order; a chain is a rule and those after it that are
 * marked `link`; jumps (skipAfter, skip) are row numbers. Names that the rules use (TX variables,
 * ARGS:id, REQUEST_HEADERS:Host) have numbers: the TX names first, so that a TX variable known at
 * compile time is a slot of an array.
 */
#ifndef RP_SHIELD_IMAGE_H
#define RP_SHIELD_IMAGE_H

#include "shield/clauses.h"
#include "shield/shield.h"

enum { RP_IMAGE_FORMAT = 4, RP_IMAGE_GROUPS = 2, RP_IMAGE_PHASES = 6 };
#define RP_IMAGE_NONE UINT32_MAX
#define RP_IMAGE_BYTES_MAX ((size_t)256 << 20)

/* ---- rows ---- */

struct rp_img_text { /* bytes of the text section */
    uint32_t at, n;
};
struct rp_img_span { /* rows of a section */
    uint32_t first, count;
};

/* A piece of a text with %{…}: its own words, or the name of a variable. */
struct rp_img_piece {
    uint8_t literal, variable; /* rp_waf_variable */
    uint16_t name;             /* the name within the collection; 0 = none */
    struct rp_img_text text;
};

/* Where a rule looks. XML has no variable of its own for its two kinds: `name` is 1 for attributes.
 */
struct rp_img_target {
    uint8_t variable, select, count, unused;
    uint32_t name;    /* RP_SELECT_NAME */
    uint32_t pattern; /* RP_SELECT_REGEX */
    struct rp_img_text selector;
};

/* One target through one pipeline: what is computed for one rule is there for all. */
struct rp_img_unit {
    struct rp_img_target target; /* not counted; of a collection that no rule writes */
    uint32_t pipeline;
    uint32_t source;    /* the unit of this target and no pipeline: itself, or one before */
    uint32_t each_step; /* 1: what the pipeline makes on its way belongs to it too (multiMatch) */
};

/* A rule's targets without exclusions, and its pipeline: many rules share one. */
struct rp_img_class {
    struct rp_img_span units; /* rows of MEMBERS */
};

struct rp_img_pipeline {
    struct rp_img_span steps; /* rows of STEPS: one byte each, rp_transform */
    uint64_t mask;            /* of its transformations */
};

struct rp_img_setvar {
    uint8_t collection, how, numeric, unused;
    uint32_t name_id; /* a TX slot, when the name holds no %{…}; else 0 */
    struct rp_img_span name, value;
    int64_t number; /* numeric: the value is this */
};

struct rp_img_ctl {
    uint8_t kind, has_target, unused[2];
    uint32_t rule_set; /* removals: the rules that are meant, a bit each, rows of SETS */
    uint64_t id_first, id_last;
    struct rp_img_text value;
    struct rp_img_target target;
};

struct rp_img_expire {
    uint32_t collection, unused;
    struct rp_img_text name;
    uint64_t seconds;
    struct rp_img_span text; /* %{…}: the seconds, when it has pieces */
};

struct rp_img_initcol {
    uint32_t collection;
    struct rp_img_span key;
};

enum rp_img_flag {
    RP_IMG_NEGATED = 1 << 0,
    RP_IMG_MULTI_MATCH = 1 << 1,
    RP_IMG_CAPTURE = 1 << 2,
    RP_IMG_CHAINED = 1 << 3, /* the next row is a link of this chain */
    RP_IMG_LINK = 1 << 4,    /* and this one is one */
    RP_IMG_UNCONDITIONAL = 1 << 5,
    RP_IMG_LOG = 1 << 6,
    RP_IMG_AUDIT = 1 << 7,
    RP_IMG_DYNAMIC = 1 << 8, /* the operator's argument holds %{…} */
    RP_IMG_FLAGS = (1 << 9) - 1
};

struct rp_img_rule {
    uint64_t id;
    struct rp_img_text file;
    uint32_t line;
    uint16_t flags, status;
    uint8_t phase, op, disruption, severity;
    uint32_t pipeline;
    struct rp_img_span targets, exclusions;
    uint32_t class_id; /* or NONE: the rule walks its targets itself */
    uint32_t group;    /* of the prefilter, and its bit there; NONE: no prefilter */
    uint32_t bit;
    uint32_t operand; /* a pattern, a blob: by operator; NONE */
    int64_t number;   /* eq, lt, …: the argument */
    struct rp_img_span argument;
    struct rp_img_text argument_text; /* as written */
    struct rp_img_span phrases;
    struct rp_img_span message, log_data, redirect;
    struct rp_img_span tags; /* rows of STRINGS */
    struct rp_img_text revision, version;
    struct rp_img_span setvars, ctls, expires, initcols;
    uint32_t skip_to;    /* a row; the end of the phase is the row after its last */
    uint32_t skip_label; /* and what is still looked for at the start of the next phase */
    uint32_t after;      /* the row after this rule and its chain */
};

struct rp_img_label { /* SecMarker: its first place in each phase */
    struct rp_img_text name;
    uint32_t rows[RP_IMAGE_PHASES];
};

struct rp_img_name { /* lower case; row 0 is no name */
    struct rp_img_text text;
    uint64_t hash;
};

struct rp_img_pattern {
    struct rp_img_text text;
    uint32_t nocase, rule;
    struct rp_img_span clauses;
};

struct rp_img_settings {
    uint8_t mode, request_body, response_body, request_limit_rejects, response_limit_rejects;
    uint8_t separator, reserved, has_unicode_map;
    uint32_t json_depth_max, tx_names;
    uint64_t request_body_limit, request_body_no_files_limit, response_body_limit, arguments_max;
    uint64_t collection_timeout_s;
    struct rp_img_span response_types;
    struct rp_img_text component;
    uint32_t default_status[RP_IMAGE_PHASES];
    uint32_t default_disruption[RP_IMAGE_PHASES];
    uint32_t set_words;                    /* of one row set in SETS */
    uint32_t group_sizes[RP_IMAGE_GROUPS]; /* rules in each prefilter group */
    uint32_t group_blobs[RP_IMAGE_GROUPS]; /* rows of BLOBS; NONE when the group is empty */
};

/* ---- sections ---- */

#define RP_IMAGE_SECTIONS(X)                                                                       \
    X(TEXT, text, uint8_t)                                                                         \
    X(SETTINGS, settings, struct rp_img_settings)                                                  \
    X(PHASES, phases, struct rp_img_span)                                                          \
    X(RULES, rules, struct rp_img_rule)                                                            \
    X(TARGETS, targets, struct rp_img_target)                                                      \
    X(UNITS, units, struct rp_img_unit)                                                            \
    X(MEMBERS, members, uint32_t)                                                                  \
    X(CLASSES, classes, struct rp_img_class)                                                       \
    X(PIPELINES, pipelines, struct rp_img_pipeline)                                                \
    X(STEPS, steps, uint8_t)                                                                       \
    X(PIECES, pieces, struct rp_img_piece)                                                         \
    X(STRINGS, strings, struct rp_img_text)                                                        \
    X(SETVARS, setvars, struct rp_img_setvar)                                                      \
    X(CTLS, ctls, struct rp_img_ctl)                                                               \
    X(EXPIRES, expires, struct rp_img_expire)                                                      \
    X(INITCOLS, initcols, struct rp_img_initcol)                                                   \
    X(LABELS, labels, struct rp_img_label)                                                         \
    X(NAMES, names, struct rp_img_name)                                                            \
    X(BUCKETS, buckets, uint32_t)                                                                  \
    X(PATTERNS, patterns, struct rp_img_pattern)                                                   \
    X(CLAUSES, clauses, struct rp_clause)                                                          \
    X(BLOBS, blobs, struct rp_img_text)                                                            \
    X(SETS, sets, uint64_t)                                                                        \
    X(UNICODE, unicode, uint16_t)                                                                  \
    X(DATA, data, uint8_t)

enum rp_image_section {
#define X(NAME, name, type) RP_SECTION_##NAME,
    RP_IMAGE_SECTIONS(X)
#undef X
        RP_SECTION_COUNT
};

/* DATA holds what other modules wrote, each blob at a multiple of 16. */
struct rp_img_header {
    uint8_t magic[16];
    uint32_t format, sections;
    uint64_t bytes;
    uint8_t sha256[32]; /* of all that follows the header */
    struct {
        uint64_t at, bytes;
    } section[RP_SECTION_COUNT];
};

extern const uint8_t rp_image_magic[16];

/* The image as its reader sees it. */
struct rp_image {
    rp_view bytes;
#define X(NAME, name, type)                                                                        \
    const type *name;                                                                              \
    size_t name##_n;
    RP_IMAGE_SECTIONS(X)
#undef X
};

/* Checks everything but what other modules wrote into blobs and patterns. CORRUPT, EXISTS_NEWER. */
rp_err rp_image_check(rp_view bytes, struct rp_image *ret_image, struct rp_diag *diag);

static inline rp_view rp_image_text(const struct rp_image *image, struct rp_img_text text) {
    return rp_view_of(image->text + text.at, text.n);
}
static inline rp_view rp_image_blob(const struct rp_image *image, uint32_t row) {
    return rp_view_of(image->data + image->blobs[row].at, image->blobs[row].n);
}

/* The number of a name; 0 when no rule uses it. `lower` must be in lower case. */
uint64_t rp_image_hash(rp_view text);
uint64_t rp_image_hash_lower(rp_view text); /* of the text in lower case */
uint32_t rp_image_name(const struct rp_image *image, rp_view text);

#endif
