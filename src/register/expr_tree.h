/* expr_tree.h — the parsed form, shared by the parser, the checker and the evaluator. */
#ifndef RP_REGISTER_EXPR_TREE_H
#define RP_REGISTER_EXPR_TREE_H

#include "register/expr.h"
#include "register/schema.h"

enum rp_op {
    RP_OP_VALUE,
    RP_OP_NOW,
    RP_OP_TODAY,
    RP_OP_ACTOR,
    RP_OP_FIELD, /* name, or name.further through a reference */
    RP_OP_THIS,  /* of the record around a count */
    RP_OP_NOT,
    RP_OP_AND,
    RP_OP_OR,
    RP_OP_EQUAL,
    RP_OP_DIFFERENT,
    RP_OP_LESS,
    RP_OP_LESS_EQUAL,
    RP_OP_MORE,
    RP_OP_MORE_EQUAL,
    RP_OP_IN,
    RP_OP_ADD,
    RP_OP_SUBTRACT,
    RP_OP_MULTIPLY,
    RP_OP_COUNT,
    RP_OP_SET,
    RP_OP_EMPTY,
    RP_OP_HAS,
    RP_OP_RISK,
    RP_OP_OVERDUE,
    RP_OP_INTACT
};

struct rp_expr {
    enum rp_op op;
    size_t at;             /* where it stands in the text, from 0 */
    struct rp_value value; /* RP_OP_VALUE */
    rp_view name, further;
    struct rp_expr *left, *right;
    struct rp_expr *next;            /* in a list */
    const struct rp_register *other; /* RP_OP_COUNT, and through a reference: whose fields */
    const struct rp_field *key;      /* RP_OP_COUNT: a field that `key_value` must equal, or NULL */
    const struct rp_expr *key_value;
};

#endif
