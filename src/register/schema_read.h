/* schema_read.h — what the readers of a register's YAML share: words, names, spans, expressions.
 *
 * Every mistake is told with file, line and column. What is read lies in the reading's arena.
 * Fails: SYNTAX, UNKNOWN_KEY, TOO_LARGE.
 */
#ifndef RP_REGISTER_SCHEMA_READ_H
#define RP_REGISTER_SCHEMA_READ_H

#include "register/schema.h"
#include "wire/yaml.h"

struct rp_reading {
    const char *file;
    struct rp_arena *arena;
    struct rp_diag *diag;
    struct rp_register *reg;
};

/* SYNTAX at this node: what, and whose name. at and name may be NULL. */
rp_err rp_schema_wrong(const struct rp_reading *r, const struct rp_yaml *at, const char *what,
                       const char *name);
const struct rp_yaml *rp_schema_first(const struct rp_yaml *map);
size_t rp_schema_count(const struct rp_yaml *node);
/* A mapping whose keys are all among these, separated by spaces. */
rp_err rp_schema_known_keys(const struct rp_reading *r, const struct rp_yaml *map,
                            const char *keys);

/* ---- values of keys ---- */
rp_err rp_schema_copy(const struct rp_reading *r, rp_view v, const char **ret_text);
rp_err rp_schema_optional(const struct rp_reading *r, const struct rp_yaml *map, const char *key,
                          const char **ret_text);
rp_err rp_schema_needed(const struct rp_reading *r, const struct rp_yaml *map, const char *key,
                        const char **ret_text);
/* Small letters, digits and `extra`; 40 at most. */
bool rp_schema_is_id(rp_view v, char extra);
/* The key itself, when it is such a name. */
rp_err rp_schema_key_id(const struct rp_reading *r, const struct rp_yaml *node, char extra,
                        const char **ret_id);
rp_err rp_schema_bool(const struct rp_reading *r, const struct rp_yaml *map, const char *key,
                      bool *ret_yes);
/* ["français", "English"]; a third word is the caller's. */
rp_err rp_schema_words(const struct rp_reading *r, const struct rp_yaml *node, const char *key,
                       struct rp_words *ret_words);
rp_err rp_schema_need_words(const struct rp_reading *r, const struct rp_yaml *map, const char *key,
                            struct rp_words *ret_words);
rp_err rp_schema_names(const struct rp_reading *r, const struct rp_yaml *map, const char *key,
                       struct rp_names *ret_names);
rp_err rp_schema_span(const struct rp_reading *r, const struct rp_yaml *node,
                      struct rp_span *ret_span);
rp_err rp_schema_expr(const struct rp_reading *r, const struct rp_yaml *node,
                      struct rp_expr **ret_expr);
/* Room for as many as the mapping has, and one more. */
rp_err rp_schema_array(const struct rp_reading *r, const struct rp_yaml *map, size_t most,
                       size_t size, void **ret_array, const char *key);

/* ---- the parts of a register, in this order: later ones name earlier ones ---- */
rp_err rp_schema_read_states(const struct rp_reading *r, const struct rp_yaml *map);
rp_err rp_schema_state_set(const struct rp_reading *r, const struct rp_yaml *map, const char *key,
                           uint32_t *ret_set);
rp_err rp_schema_read_fields(const struct rp_reading *r, const struct rp_yaml *map);
rp_err rp_schema_read_moves(const struct rp_reading *r, const struct rp_yaml *map);
rp_err rp_schema_read_deadlines(const struct rp_reading *r, const struct rp_yaml *map);
rp_err rp_schema_read_rules(const struct rp_reading *r, const struct rp_yaml *list);

#endif
