/* expr.h — the small language of guards: what must be true before a record may move.
 *
 *   state = 'cleared' and set(report) and count(findings, audit = this.id and state != 'closed') =
 * 0
 *
 *   or      = and ("or" and)*          compare = sum (("="|"!="|"<"|"<="|">"|">=") sum
 *   and     = not ("and" not)*                      | ["not"] "in" "[" sum ("," sum)* "]")?
 *   not     = "not" not | compare      sum     = product (("+"|"-") product)*
 *                                      product = item ("*" item)*
 *   item    = number | 'text' | span | "true" | "false" | "now" | "today" | "actor" | field
 *           | field "." field | "this" "." field | "(" or ")" | function "(" … ")"
 *
 * Functions: count(register, or), set(field), empty(field), has(field, 'choice' or a list: one of
 * it), risk(field), overdue('deadline'), intact(field): of a file. A field without a value equals
 * nothing and is less than nothing. Parsed once, at load; fields and registers that do not exist
 * are errors then, with their column. Pure but for the questions that it asks through rp_asking.
 */
#ifndef RP_REGISTER_EXPR_H
#define RP_REGISTER_EXPR_H

#include "base/arena.h"
#include "base/env.h"
#include "clock/span.h"
#include "wire/json.h"

struct rp_register;
struct rp_registers;

enum rp_value_kind {
    RP_VALUE_NONE,
    RP_VALUE_BOOL,
    RP_VALUE_NUMBER,
    RP_VALUE_TEXT,
    RP_VALUE_TIME,
    RP_VALUE_SPAN,
    RP_VALUE_LIST
};

struct rp_value {
    enum rp_value_kind kind;
    bool boolean;
    double number;
    int64_t ms;
    struct rp_span span;
    rp_view text;
    const struct rp_json *list; /* an array of strings */
};

struct rp_expr;

/* A record as an expression sees it. */
struct rp_facts {
    const struct rp_register *reg;
    rp_id id;
    struct rp_id_text id_text, author_text;
    uint64_t number;
    rp_view state;
    int64_t created_ms, changed_ms;
    bool example;                 /* of the company that teaches; it proves nothing */
    const struct rp_json *open;   /* fields that are not sealed */
    const struct rp_json *secret; /* those that are; NULL where nobody opened them */
};

/* How an expression asks about other records. */
struct rp_asking {
    void *ctx;
    int64_t now_ms;
    const struct rp_calendar *calendar;
    struct rp_id_text actor; /* the person's record; 32 zeros: none */
    /* The facts of a record of that register; NOT_FOUND. */
    rp_err (*find)(void *ctx, const struct rp_register *reg, rp_id id, struct rp_facts *ret_facts);
    /* Calls each for every record of the register whose field has this value (field NULL: all). */
    rp_err (*each)(void *ctx, const struct rp_register *reg, const char *field, rp_view value,
                   rp_err (*each)(void *ctx, const struct rp_facts *facts), void *each_ctx);
    /* Has this deadline of the record passed? */
    rp_err (*overdue)(void *ctx, rp_id record, rp_view deadline, bool *ret_overdue);
    /* Is the file that the record names by this value ("SHA-256 name") here as it was, or was it
     * never handed in? */
    rp_err (*intact)(void *ctx, rp_id record, rp_view value, bool *ret_intact);
};

/* SYNTAX with the column (from 1) in diag. */
rp_err rp_expr_parse(rp_view text, struct rp_arena *arena, struct rp_expr **ret_expr,
                     struct rp_diag *diag);
/* Every field and register that it names exists. UNKNOWN_KEY with the column. */
rp_err rp_expr_check(struct rp_expr *expr, const struct rp_register *reg,
                     const struct rp_registers *all, struct rp_diag *diag);
/* The same where `this.` names a field of `outer`. */
rp_err rp_expr_check_beside(struct rp_expr *expr, const struct rp_register *reg,
                            const struct rp_register *outer, const struct rp_registers *all,
                            struct rp_diag *diag);
/* The register whose records it counts; NULL: it is no count(…). */
const struct rp_register *rp_expr_counted(const struct rp_expr *expr);
rp_err rp_expr_value(const struct rp_expr *expr, const struct rp_facts *facts,
                     const struct rp_asking *asking, struct rp_value *ret_value);
rp_err rp_expr_value_beside(const struct rp_expr *expr, const struct rp_facts *facts,
                            const struct rp_facts *outer, const struct rp_asking *asking,
                            struct rp_value *ret_value);
/* Calls `each` for every record that the count(…) counts. */
rp_err rp_expr_each(const struct rp_expr *count, const struct rp_facts *facts,
                    const struct rp_asking *asking,
                    rp_err (*each)(void *ctx, const struct rp_facts *facts), void *ctx);
/* Is it true? What has no value is not. */
rp_err rp_expr_true(const struct rp_expr *expr, const struct rp_facts *facts,
                    const struct rp_asking *asking, bool *ret_true);

#endif
