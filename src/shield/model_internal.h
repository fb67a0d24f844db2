/* model_internal.h — the model as its reader builds it and its judge walks it. */
#ifndef RP_SHIELD_MODEL_INTERNAL_H
#define RP_SHIELD_MODEL_INTERNAL_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "shield/model.h"
#include "wire/yaml.h"

enum rp_model_type { /* a set */
                     RP_TYPE_NULL = 1,
                     RP_TYPE_BOOLEAN = 2,
                     RP_TYPE_INTEGER = 4,
                     RP_TYPE_NUMBER = 8,
                     RP_TYPE_STRING = 16,
                     RP_TYPE_ARRAY = 32,
                     RP_TYPE_OBJECT = 64,
                     RP_TYPE_ANY = 127
};

enum rp_model_format {
    RP_FORMAT_NONE,
    RP_FORMAT_UUID,
    RP_FORMAT_DATE,
    RP_FORMAT_DATE_TIME,
    RP_FORMAT_EMAIL,
    RP_FORMAT_IPV4,
    RP_FORMAT_IPV6,
    RP_FORMAT_URI,
    RP_FORMAT_BYTE,
    RP_FORMAT_INT32,
    RP_FORMAT_INT64,
    RP_FORMAT_COUNT
};

struct rp_model_member {
    rp_view name;
    const struct rp_model_schema *schema;
    bool required;
    struct rp_model_member *next;
};

struct rp_model_schema {
    unsigned types;
    enum rp_model_format format;
    const rp_view *allowed; /* enum, as text; NULL = anything */
    size_t allowed_count;
    uint64_t length_min, length_max; /* of a string, in characters */
    bool has_min, has_max, above_min, below_max;
    double min, max;
    uint64_t items_min, items_max; /* of an array; of an object, members */
    const struct rp_model_schema *items;
    struct rp_model_member *members;
    bool more;                               /* additionalProperties */
    const struct rp_model_schema *more_type; /* theirs; NULL = any */
    struct rp_model_pattern *pattern;
};

struct rp_model_pattern {
    pcre2_code *code;
    struct rp_model_pattern *next; /* of the model, to be freed */
};

enum rp_model_in { RP_IN_PATH, RP_IN_QUERY, RP_IN_HEADER, RP_IN_COOKIE, RP_IN_COUNT };

struct rp_model_parameter {
    rp_view name; /* of a header: in lower case */
    enum rp_model_in in;
    bool required, list; /* list: may stand several times */
    const struct rp_model_schema *schema;
    struct rp_model_parameter *next;
};

enum rp_model_kind { RP_KIND_OPAQUE, RP_KIND_JSON, RP_KIND_FORM };

struct rp_model_content {
    rp_view type; /* "application/json", "image/ *", in lower case */
    enum rp_model_kind kind;
    const struct rp_model_schema *schema; /* NULL: the type alone counts */
    struct rp_model_content *next;
};

struct rp_model_operation {
    rp_view method; /* in capitals */
    struct rp_model_parameter *parameters;
    bool takes_body, body_required;
    struct rp_model_content *contents;
    struct rp_model_operation *next;
};

struct rp_model_path { /* a node of the trie: one segment */
    rp_view segment;
    struct rp_model_path *children; /* with a text of their own */
    struct rp_model_path *any;      /* {…} */
    struct rp_model_path *next;
    rp_view name; /* of the parameter here, by the first path that has one */
    struct rp_model_operation *operations;
};

struct rp_model {
    struct rp_model_path root;
    struct rp_model_pattern *patterns;
};

/* ---- reading ---- */

struct rp_model_reader {
    struct rp_arena *arena;
    struct rp_diag *diag;
    struct rp_model *model;
    const struct rp_yaml *document;
    bool v30;                     /* OpenAPI 3.0: nullable, boolean exclusiveMinimum */
    struct rp_model_named *named; /* schemas of components, each read once */
    unsigned depth;
};

rp_err rp_model_fail(const struct rp_model_reader *in, const struct rp_yaml *at, rp_err err,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Each key must be one of a list of words, separated by blanks, or begin with "x-". */
rp_err rp_model_known(const struct rp_model_reader *in, const struct rp_yaml *node,
                      const char *what, const char *words);
bool rp_model_is(const struct rp_yaml *node, const char *word);
rp_err rp_model_flag(const struct rp_model_reader *in, const struct rp_yaml *mapping,
                     const char *key, bool *ret_flag);
/* What a $ref names, below #/components/KIND/; the node itself when it has none. */
rp_err rp_model_resolve(const struct rp_model_reader *in, const struct rp_yaml *node,
                        const char *kind, const struct rp_yaml **ret_node);
rp_err rp_model_schema(struct rp_model_reader *in, const struct rp_yaml *node,
                       const struct rp_model_schema **ret_schema);
rp_err rp_model_operation(struct rp_model_reader *in, const struct rp_yaml *node,
                          const struct rp_model_parameter *shared,
                          struct rp_model_operation *operation);
rp_err rp_model_parameters(struct rp_model_reader *in, const struct rp_yaml *list,
                           struct rp_model_parameter **ret_parameters);
enum rp_model_format rp_model_format_named(rp_view word); /* COUNT: none of ours */
bool rp_model_has_format(rp_view text, enum rp_model_format format);
/* A number of RFC 8259 and nothing else. */
bool rp_model_number(rp_view text, double *ret_number);

/* ---- judging values: false, and the verdict says why ---- */

struct rp_model_at { /* where the judge is: "body", "items", "2", "price" */
    const struct rp_model_at *above;
    rp_view name;
};
bool rp_model_says(struct rp_model_verdict *verdict, enum rp_violation violation,
                   const struct rp_model_at *at);
/* A value on a line: of a parameter, of a form. */
bool rp_model_text(const struct rp_model_schema *schema, rp_view text, const struct rp_model_at *at,
                   struct rp_model_verdict *verdict);
struct rp_json;
bool rp_model_json(const struct rp_model_schema *schema, const struct rp_json *value,
                   const struct rp_model_at *at, struct rp_model_verdict *verdict);

#endif
