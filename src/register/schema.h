/* schema.h — what a register is: fields, states, moves, deadlines, who may; read from one YAML.
 *
 * The files of registers/ are read and checked as a whole at start: every reference, state, role
 * and guard is known before the first record is. An error names file, line and column. Nothing
 * here changes afterwards. registers/README.md is the manual of the format.
 *
 * Pure but for rp_registers_load (schema_io.c). Fails: SYNTAX, UNKNOWN_KEY, DUPLICATE.
 */
#ifndef RP_REGISTER_SCHEMA_H
#define RP_REGISTER_SCHEMA_H

#include "clock/clock.h"
#include "register/expr.h"

enum {
    RP_REGISTERS_MAX = 128,
    RP_FIELDS_MAX = 48,
    RP_STATES_MAX = 32,
    RP_LIST_MAX = 16,
    RP_FIELD_TEXT_MAX = 8000,
    RP_FIELD_UNIQUE_MAX = 2000, /* of a unique text: PostgreSQL's indexes take 2,704 bytes */
    RP_DIGESTS_MAX = 100        /* in one field */
};

struct rp_words {
    const char *s[RP_LANG_COUNT];
};

enum rp_field_type {
    RP_FIELD_TEXT,
    RP_FIELD_NUMBER,
    RP_FIELD_DATE,
    RP_FIELD_DATETIME,
    RP_FIELD_CHOICE,
    RP_FIELD_MULTI,
    RP_FIELD_PERSON,
    RP_FIELD_REFERENCE,
    RP_FIELD_FILE,    /* "SHA-256 name" of a piece of evidence */
    RP_FIELD_DIGESTS, /* a list of "name@sha256:…": what goes to production */
    RP_FIELD_LEAF,    /* "public/123": an entry of the log */
    RP_FIELD_URL,
    RP_FIELD_BOOL,
    RP_FIELD_DURATION,
    RP_FIELD_COMPUTED,
    RP_FIELD_TYPE_COUNT
};
const char *rp_field_type_name(enum rp_field_type type);

struct rp_choice {
    const char *id;
    struct rp_words label;
    bool risk;
};

struct rp_field {
    const char *id;
    enum rp_field_type type;
    struct rp_words label, help; /* help.s[0] NULL = none */
    bool required, unique;
    bool sealed;      /* under the installation's key; not searched, not sorted by */
    bool personal;    /* about a person */
    bool fixed;       /* set by moves only, never by hand or by import */
    bool digest_only; /* of the file only its digest is kept */
    bool indexed;
    const char *refers; /* PERSON, REFERENCE: the register */
    const struct rp_register *target;
    struct rp_choice *choices;
    size_t choice_count;
    struct rp_expr *formula; /* COMPUTED */
};

struct rp_state {
    const char *id;
    struct rp_words label;
};

enum rp_effect_kind {
    RP_EFFECT_LITERAL,
    RP_EFFECT_NOW,
    RP_EFFECT_TODAY,
    RP_EFFECT_ACTOR,
    RP_EFFECT_EMPTY
};
struct rp_effect {
    const struct rp_field *field;
    const char *name;
    enum rp_effect_kind kind;
    const char *text;
    unsigned line, column;
};

/* A field of a record that a move makes elsewhere, worked out of the record that moves. */
struct rp_making_value {
    const char *name;
    const struct rp_field *field;
    struct rp_expr *value;
};

/* What a move brings about elsewhere: a record is made, or one for each of `each`; or each of those
 * is moved. */
struct rp_making {
    const char *register_id;
    const struct rp_register *reg;
    struct rp_expr *when;  /* and while this is true of the record that moved; NULL = always */
    struct rp_expr *each;  /* as count(…) has them; NULL = one */
    const char *back, *as; /* fields of what is made: that point here, and to the one of each */
    const char *move_id;   /* of each: it is moved, and nothing made */
    const struct rp_move *move;
    struct rp_effect with[4];
    size_t with_count;
    struct rp_making_value values[4];
    size_t value_count;
    unsigned line, column;
};

struct rp_names {
    const char *s[RP_LIST_MAX];
    size_t n;
};

struct rp_move {
    const char *id;
    struct rp_words label;
    uint32_t from; /* set of states */
    unsigned to;
    struct rp_names who;    /* roles, "self", "anyone"; empty: who may write */
    struct rp_names needs;  /* fields that must have a value */
    struct rp_names not_by; /* four eyes: "author", or fields that name a person */
    struct rp_expr *guard;
    struct rp_words refusal; /* what a failed guard says */
    bool sign;               /* with a fresh second factor */
    bool reason;             /* a reason must be given */
    bool automatic;          /* a deadline does it, nobody else */
    struct rp_effect set[8];
    size_t set_count;
    struct rp_making make[8];
    size_t make_count;
};

struct rp_deadline {
    const char *id;
    struct rp_words label;
    uint32_t in;          /* runs in these states */
    struct rp_expr *when; /* and while this is true of the record; NULL = always */
    const char *when_text;
    const char *from; /* a date field; NULL or empty = when it began to run */
    const char *at;   /* the end itself is a date field */
    struct rp_span within;
    bool legal;
    struct rp_plan plan;
    const char *remind_to, *escalate_to; /* roles */
    const char *then;                    /* a move that is made when it ends */
};

struct rp_rule {
    struct rp_expr *must;
    struct rp_words refusal;
    const char *gate; /* "S9" where the program itself demands it; else NULL */
};

struct rp_register {
    const char *id, *number, *section, *title;
    const char
        *canary_shelf; /* "~persons": where records of the canary lie, apart from all others */
    struct rp_words name, one, about;
    unsigned version;
    struct rp_field *fields;
    size_t field_count;
    struct rp_state *states; /* the first is where a record begins */
    uint32_t locked;         /* set of states in which no hand changes a field */
    uint32_t closed;         /* set of states in which its retention runs */
    size_t state_count;
    struct rp_move *moves;
    size_t move_count;
    struct rp_deadline *deadlines;
    size_t deadline_count;
    struct rp_rule *rules;
    size_t rule_count;
    struct rp_names read, write, promises;
    bool strict;     /* nobody writes for a role that is not theirs: no operator, no owner */
    const char *own; /* the person field whose holder may read the record; or NULL */
    struct rp_span retention;
    const char *shape; /* its fields, choices and states as text, to compare versions */
    const char *file;
};

struct rp_registers {
    struct rp_register *list;
    size_t count;
};

/* The folder's *.yaml, all checked together. */
rp_err rp_registers_load(const char *folder, struct rp_arena *arena,
                         struct rp_registers *ret_registers, struct rp_diag *diag);
/* One more document, without the checks across registers; for the loader, tests and fuzzing. */
rp_err rp_register_parse(rp_view text, const char *file, struct rp_arena *arena,
                         struct rp_register *ret_register, struct rp_diag *diag);
/* What can only be known when all are there. */
rp_err rp_registers_check(struct rp_registers *registers, struct rp_arena *arena,
                          struct rp_diag *diag);

const struct rp_register *rp_register_find(const struct rp_registers *registers, rp_view id);
const struct rp_field *rp_register_field(const struct rp_register *reg, rp_view id);
const struct rp_choice *rp_field_choice(const struct rp_field *field, rp_view id);
/* The state's place, or -1. */
int rp_register_state(const struct rp_register *reg, rp_view id);
const struct rp_move *rp_register_move(const struct rp_register *reg, rp_view id);
bool rp_names_have(const struct rp_names *names, rp_view name);

#endif
