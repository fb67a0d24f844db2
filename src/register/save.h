/* save.h — a draft and how it is kept: the transaction's inside, shared by making, editing, moving.
 */
#ifndef RP_REGISTER_SAVE_H
#define RP_REGISTER_SAVE_H

#include "register/internal.h"

/* A record as it shall be, beside what it was. */
struct rp_draft {
    struct rp_desk *desk;
    const struct rp_register *reg;
    struct rp_entry was; /* version 0: it is new */
    struct rp_entry now;
    struct rp_json *open, *secret; /* now's fields, being built */
    const struct rp_move *move;    /* NULL: made or edited */
    const struct rp_change *change;
    int64_t now_ms;
};

/* now.facts.open and secret: what was, and what the change brings. Checks each value. */
rp_err rp_draft_merge(struct rp_draft *draft);
/* Required fields, references, uniqueness, the register's rules and the program's gates. */
rp_err rp_draft_check(struct rp_draft *draft);
/* Inside the transaction: row, index, text, change, event, clocks. */
rp_err rp_draft_save(struct rp_draft *draft);
/* Clocks that begin, end or move with the record. */
rp_err rp_draft_clocks(const struct rp_draft *draft);
/* The accounts that are told of something. */
enum { RP_TOLD_MAX = 20 };
struct rp_told {
    rp_view role;
    rp_id accounts[RP_TOLD_MAX];
    size_t count;
};
/* Who has the role, "self" being whom the record is about; without a role, or where nobody has it,
 * who made the record. */
rp_err rp_desk_find_told(struct rp_desk *desk, const struct rp_entry *record, struct rp_told *told);
/* Inside the transaction of a step that fired: a notice to each person whom the deadline names. */
rp_err rp_desk_tell_due(struct rp_desk *desk, const struct rp_fired *fired,
                        const struct rp_entry *record, const struct rp_deadline *d);
/* Inside a transaction: made, edited; who may was asked before. */
rp_err rp_create_inside(struct rp_desk *desk, const struct rp_register *reg,
                        const struct rp_change *change, struct rp_entry *ret_record);
rp_err rp_edit_inside(struct rp_desk *desk, const struct rp_entry *was,
                      const struct rp_change *change, struct rp_entry *ret_record);
/* Inside a transaction: the move as a whole; what refuses does so before the first write. */
rp_err rp_move_inside(struct rp_desk *desk, const struct rp_entry *was, const struct rp_move *move,
                      const struct rp_change *change, struct rp_entry *ret_record);
/* What the move brings about in other records (make_io.c). */
rp_err rp_make_others(struct rp_desk *desk, const struct rp_entry *record,
                      const struct rp_move *move);
/* DENIED unless who sits here may write this register; record NULL: a new one. */
rp_err rp_desk_check_write(const struct rp_desk *desk, const struct rp_register *reg,
                           const struct rp_entry *record);
/* Says in the log that a rule refused; its own transaction, after the other was undone. */
void rp_desk_refused(struct rp_desk *desk, const struct rp_register *reg, rp_id id);

/* Among the sealed fields of a change in the history: what a key signed. No field is called so. */
#define RP_EVIDENCE_KEY ":signature"

#endif
