/* operators.c — who operates the installation, and whether the persons register has their check.
 *
 * Memberships and records are read as they lie: a role that was given by editing the database file
 * is seen here, whatever the identity room would have said to it.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "hunt.h"
#include "identity/members.h"
#include "register/clearing.h"

enum { ARENA_BYTES = 8 * 1024 * 1024, OPERATORS_MAX = 256 };

struct operators {
    rp_id accounts[OPERATORS_MAX];
    size_t count, unchecked;
    bool more; /* than are looked at */
};

static rp_err list_operators(struct rp_db *db, struct operators *operators) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool more = false;
    RP_TRY(rp_db_query(db, "SELECT DISTINCT person FROM membership WHERE (roles & ?1) <> 0", &row));
    rp_row_bind_u64(row, 1, RP_OPERATOR);
    RP_TRY(rp_row_next(row, &more));
    while (more && operators->count < OPERATORS_MAX) {
        operators->accounts[operators->count++] = rp_row_id(row, 0);
        RP_TRY(rp_row_next(row, &more));
    }
    operators->more = more;
    return RP_OK;
}

static rp_err check_operators(struct rp_desk *desk, struct operators *operators) {
    RP_TRY(list_operators(desk->db, operators));
    for (size_t i = 0; i < operators->count; i++) {
        bool cleared = false;
        struct rp_desk own = *desk;
        rp_arena_reset(desk->arena);
        RP_TRY(rp_desk_account_cleared(&own, operators->accounts[i], &cleared));
        operators->unchecked += !cleared;
    }
    return RP_OK;
}

static void conclude(const struct operators *operators, struct rp_observation *seen) {
    if (operators->more) {
        rp_probe_unsure(seen, "more than %d people operate the installation", OPERATORS_MAX);
    } else if (operators->count == 0) {
        rp_probe_holds(seen, "nobody operates the installation yet");
    } else if (operators->unchecked == 0) {
        rp_probe_holds(seen, "%zu operators, each with a cleared check in the register",
                       operators->count);
    } else if (operators->count == 1) {
        /* Somebody has to keep the register before there is anybody in it. */
        rp_probe_not_met(seen, "the first administrator operates the installation and has no "
                               "cleared check in the register");
    } else {
        rp_probe_broken(seen, "%zu of %zu operators have no cleared check in the register",
                        operators->unchecked, operators->count);
    }
}

/*= S9: nobody operates the whole before their check is cleared */
void hunt_operators_checked(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    struct rp_desk desk = {.env = &hunt->env, .registers = hunt->registers, .arena = arena};
    struct operators operators = {.count = 0};
    rp_err err = arena ? rp_inspect_system(hunt->config->store, &desk.db) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = check_operators(&desk, &operators);
    }
    rp_inspect_close(desk.db);
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the operators cannot be read: %s", rp_err_text(err, RP_EN));
        return;
    }
    conclude(&operators, seen);
}
