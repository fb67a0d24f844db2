/* yaml.h — the configuration's and the promises' YAML: libyaml behind one small tree.
 *
 * Scalars, sequences, mappings; every node knows its line and column. Refused: anchors and
 * aliases, tags, several documents, duplicate keys, non-UTF-8, depth over 16, over 50,000 nodes.
 */
#ifndef RP_WIRE_YAML_H
#define RP_WIRE_YAML_H

#include "base/arena.h"

enum rp_yaml_kind { RP_YAML_SCALAR, RP_YAML_SEQUENCE, RP_YAML_MAPPING };

struct rp_yaml {
    enum rp_yaml_kind kind;
    bool quoted; /* a scalar in quotes or a block is always text */
    unsigned line, column;
    unsigned key_line, key_column;
    rp_view scalar;
    rp_view key; /* inside a mapping */
    struct rp_yaml *first;
    struct rp_yaml *next;
};

/* An empty document is an empty mapping. SYNTAX, DUPLICATE, TOO_LARGE, with position. */
rp_err rp_yaml_parse(rp_view text, struct rp_arena *arena, struct rp_yaml **ret_root,
                     struct rp_diag *diag);
/* The same with another limit of depth, for files that are deep by their nature; at most 64. */
rp_err rp_yaml_parse_within(rp_view text, unsigned depth_max, struct rp_arena *arena,
                            struct rp_yaml **ret_root, struct rp_diag *diag);
/* NULL when absent. */
const struct rp_yaml *rp_yaml_get(const struct rp_yaml *mapping, const char *key);
/* The scalar of a member, p == NULL when absent or not a scalar. */
rp_view rp_yaml_get_scalar(const struct rp_yaml *mapping, const char *key);

#endif
