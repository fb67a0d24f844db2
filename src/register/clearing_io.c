/* clearing_io.c — which record an account belongs to, and whether its check is cleared. */
#include "register/clearing.h"

#include "base/assert.h"
#include "register/save.h"

enum { ARENA_BYTES = 1024 * 1024 };

static rp_err open_desk(const struct rp_clearing_desk *clearing, struct rp_arena *arena,
                        struct rp_desk *ret_desk) {
    struct rp_desk desk = {.env = clearing->env,
                           .registers = clearing->registers,
                           .arena = arena,
                           .lang = RP_EN,
                           .actor = {.engine = true, .how = "account"}};
    RP_TRY(rp_store_system(clearing->store, &desk.db, NULL));
    RP_TRY(rp_identity_tenant_key(clearing->identity, rp_identity_home(clearing->identity),
                                  &desk.key));
    *ret_desk = desk;
    return RP_OK;
}

static const struct rp_register *persons_of(const struct rp_desk *desk) {
    const struct rp_register *persons = rp_register_find(desk->registers, RP_VIEW("persons"));
    RP_ASSERT(persons != NULL); /* the gates need it: without, nothing starts */
    return persons;
}

/* ---- whose account ---- */

static rp_err account_is_taken(struct rp_db *db, rp_view account, bool *ret_taken) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    rp_id id;
    *ret_taken = false;
    if (!rp_id_parse(account, &id)) {
        return RP_OK;
    }
    RP_TRY(rp_db_query(db, "SELECT 1 FROM person WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, id);
    return rp_row_next(row, ret_taken);
}

static rp_err link_record(struct rp_desk *desk, rp_id record, rp_id account) {
    struct rp_entry was, now;
    bool taken = false;
    RP_TRY(rp_entry_by_id(desk, persons_of(desk), record, &was));
    /* An account that somebody was invited to and never came for may be replaced. */
    RP_TRY(account_is_taken(desk->db, rp_json_get_string(was.facts.open, "account"), &taken));
    if (taken) {
        return RP_ERR(CONFLICT);
    }
    struct rp_json *fields = rp_json_object(desk->arena);
    rp_json_add_cstr(desk->arena, fields, "account", rp_id_print(account).s);
    struct rp_change change = {.fields = fields};
    return rp_edit_inside(desk, &was, &change, &now);
}

static rp_err link_account(void *ctx, rp_id record, rp_id account) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    struct rp_desk desk;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(open_desk(ctx, arena, &desk));
    return link_record(&desk, record, account);
}

/* ---- checked, or not ---- */

static const char cleared_text[] =
    "state in ['prehire', 'onboarding', 'active'] and "
    "count(background-checks, person = this.id and state = 'cleared') > 0";

rp_err rp_desk_account_cleared(struct rp_desk *desk, rp_id account, bool *ret_cleared) {
    struct rp_expr *expr = NULL;
    struct rp_facts facts;
    struct rp_asking asking = rp_desk_asking(desk);
    bool yes = false;
    RP_TRY(rp_expr_parse(rp_view_from_cstr(cleared_text), desk->arena, &expr, NULL));
    RP_TRY(rp_expr_check(expr, persons_of(desk), desk->registers, NULL));
    RP_TRY(rp_desk_sit(desk, account));
    if (desk->actor.listed && !desk->canary) {
        RP_TRY(asking.find(desk, persons_of(desk), desk->actor.id, &facts));
        RP_TRY(rp_expr_true(expr, &facts, &asking, &yes));
        yes = yes && !facts.example;
    }
    *ret_cleared = yes;
    return RP_OK;
}

/*= S9: a row that was edited in the file clears nobody */
static rp_err is_cleared(void *ctx, rp_id account) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    struct rp_desk desk;
    bool cleared = false;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(open_desk(ctx, arena, &desk));
    rp_err err = rp_desk_account_cleared(&desk, account, &cleared);
    if (!rp_ok(err) && !rp_is(err, RP_E_CORRUPT)) {
        return err;
    }
    return cleared ? RP_OK : RP_ERR(UNCLEARED);
}

void rp_clearing_start(struct rp_clearing_desk *desk) {
    const struct rp_clearing clearing = {.ctx = desk, .link = link_account, .cleared = is_cleared};
    rp_identity_set_clearing(desk->identity, &clearing);
}
