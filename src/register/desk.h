/* desk.h — records: read, made, changed, moved; the one way to a register, whoever asks.
 *
 * Console, API, import, command line and deadlines all come through here, so that no guard, gate,
 * signature or four eyes can be gone around. Each change is one transaction: the row with its MAC,
 * its index, its clocks, its change for the history, and its event. A row that was altered in the
 * file is CORRUPT when it is read, and an event.
 *
 * Owner: a desk belongs to one request; everything it answers lives in its arena.
 * Fails: NOT_FOUND, DENIED (who), INVALID (a value, a guard), CONFLICT (changed meanwhile),
 * SECOND_FACTOR (a signature), CORRUPT; the reason stands in the desk's diag.
 * Promises: S9, S10, S31, S62, S165.
 */
#ifndef RP_REGISTER_DESK_H
#define RP_REGISTER_DESK_H

#include "clock/clock_io.h"
#include "crypto/secret.h"
#include "register/schema.h"

enum {
    RP_RETIRING_MAX = 1000,
    RP_PAGE_OF_RECORDS_MAX = 200,
    RP_SIGNATURE_FRESH_MS = 10 * 60 * 1000
};

struct rp_identity;

struct rp_actor {
    rp_id id;    /* the person's record in persons, else the account; none: the owner */
    bool listed; /* id is a record of persons */
    bool owner, operator_role;
    bool engine;                 /* a deadline that acts by itself */
    bool waiting;                /* listed, but not active: before, suspended or gone */
    const struct rp_json *roles; /* of the record; NULL = none */
    int64_t second_factor_ms;    /* when it was last shown; 0 = never */
    bool has_key;                /* a passkey or security key: signs with it, and not without */
    const char *how;             /* "session", "token", "cli", "deadline" */
};

struct rp_desk {
    const struct rp_env *env;
    struct rp_db *db;            /* the system's */
    const struct rp_secret *key; /* the installation's own; NULL: read only, nothing opened */
    const struct rp_registers *registers;
    bool
        canary; /* the canary sits here: it may do much, among its own records, and sees no other */
    struct rp_identity *identity; /* who writes to people; NULL: nobody is told */
    struct rp_calendar calendar;
    struct rp_arena *arena;
    struct rp_actor actor;
    int64_t past_ms; /* how long ago this happens: 0 but for the example's history */
    enum rp_lang lang;
    struct rp_diag *diag;
};

struct rp_entry {
    struct rp_facts facts;
    uint64_t row, version;
    bool canary; /* on the canary's shelf: real for nobody */
};

/* Fills the desk's actor for a signed-in account: its record in persons, when there is one. */
rp_err rp_desk_sit(struct rp_desk *desk, rp_id account);
/* Is it the record of, or about, the one who sits here? */
bool rp_desk_is_own(const struct rp_desk *desk, const struct rp_entry *record);
bool rp_desk_has_role(const struct rp_desk *desk, const char *role);
bool rp_desk_may_read(const struct rp_desk *desk, const struct rp_register *reg);

/* Whom "6f1c0c2e…" or "12", its number in the register, means. NOT_FOUND. */
rp_err rp_desk_find(struct rp_desk *desk, const struct rp_register *reg, rp_view name,
                    rp_id *ret_id);
rp_err rp_desk_read(struct rp_desk *desk, const struct rp_register *reg, rp_id id,
                    struct rp_entry *ret_record);

/* A file that was handed in whole: for the history. */
struct rp_filed {
    rp_view sha256; /* hex; empty = none */
    size_t bytes;
    uint64_t pieces;
};

struct rp_change {
    const struct rp_json *fields; /* an object; NULL = none */
    rp_view reason;
    uint64_t version; /* the one that was seen; 0 = any */
    struct rp_filed filed;
    const char *clock;              /* "review held": what became of a deadline, for the history */
    int64_t closed_ms;              /* of an emptied record: when it had been closed; 0 = no such */
    const struct rp_json *evidence; /* of a key that signed this move; NULL = none did */
    bool example, dry_run;
};
rp_err rp_desk_create(struct rp_desk *desk, const struct rp_register *reg,
                      const struct rp_change *change, struct rp_entry *ret_record);
rp_err rp_desk_edit(struct rp_desk *desk, const struct rp_register *reg, rp_id id,
                    const struct rp_change *change, struct rp_entry *ret_record);
rp_err rp_desk_move(struct rp_desk *desk, const struct rp_register *reg, rp_id id, rp_view move,
                    const struct rp_change *change, struct rp_entry *ret_record);

/* A record that its author made by mistake, within a day and while nothing hangs on it. DENIED: not
 * its author; CONFLICT: too late, or acted on, or named. */
rp_err rp_desk_take_back(struct rp_desk *desk, const struct rp_register *reg, rp_id id);

/* A deadline of the record stands, for a reason, or goes on (reason empty); in its history and in
 * the log. INVALID: it stands or runs already, or is a law's. NOT_FOUND: it does not run. */
rp_err rp_desk_hold(struct rp_desk *desk, const struct rp_register *reg, rp_id id, rp_view deadline,
                    rp_view reason, struct rp_entry *ret_record);

/* What is due by now: an event each, and the move that the deadline makes. Answers how many. */
rp_err rp_desk_tick(struct rp_desk *desk, size_t *ret_count);
/* What retention takes by then, soonest first, a thousand at most: an array of {register, id,
 * number, at, what: destroyed or emptied}. Records that are held are not among them. */
rp_err rp_desk_retiring(struct rp_desk *desk, int64_t by_ms, struct rp_json **ret_list);
/* The example company: {"steps":[…]} as examples/company.yaml explains them, all or nothing; its
 * people act through the same doors, guards and gates. DUPLICATE when one is there. */
rp_err rp_desk_load_example(struct rp_desk *desk, const struct rp_json *company,
                            uint64_t *ret_count);
/* All records of the example, gone, with what hangs on them; no other. */
rp_err rp_desk_remove_example(struct rp_desk *desk, uint64_t *ret_count);
/* Every row's MAC; the altered ones are events. */
rp_err rp_desk_sweep(struct rp_desk *desk, uint64_t *ret_rows, uint64_t *ret_altered);
/* A version that would orphan data is refused, with what would be lost. Once at start. */
rp_err rp_desk_check_schemas(struct rp_desk *desk);

/* ---- lists ---- */
struct rp_filter {
    const char *field;
    rp_view value;
};
struct rp_query {
    const struct rp_register *reg; /* NULL: all, with `text` only */
    rp_view state, text;
    struct rp_filter filters[4];
    size_t filter_count;
    rp_view sort; /* "number", "changed", "state" or an indexed field */
    bool descending;
    size_t from, count;
};
struct rp_page {
    struct rp_entry *records;
    size_t count;
    uint64_t total;
};
rp_err rp_desk_list(struct rp_desk *desk, const struct rp_query *query, struct rp_page *ret_page);

/* The record as the API shows it: its own words first, its fields beside them. */
struct rp_json *rp_desk_show(struct rp_desk *desk, const struct rp_entry *record);
/* Its changes, oldest first: an array. */
rp_err rp_desk_history(struct rp_desk *desk, const struct rp_entry *record,
                       struct rp_json **ret_list);

/* A node of its own, with the same children. */
struct rp_json *rp_json_like(struct rp_arena *arena, const struct rp_json *json);

/* How guards ask about other records of this desk. */
struct rp_asking rp_desk_asking(struct rp_desk *desk);

#endif
