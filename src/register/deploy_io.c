#include "register/deploy.h"

#include "base/assert.h"
#include "register/internal.h"

enum { CANDIDATES_MAX = 64 };

const char *rp_artefact_key(struct rp_arena *arena, rp_view hex) {
    rp_view key = rp_arena_printf(arena, "artefacts.%.*s", RP_FMT(hex));
    return key.p ? (const char *)key.p : NULL;
}

struct asking {
    struct rp_desk *desk;
    const struct rp_register *reg;
    const struct rp_artefact *artefact;
    rp_id candidates[CANDIDATES_MAX]; /* the newest first */
    size_t count;
    struct rp_entry change; /* of the answer; version 0: none lists it */
    const char *reason;     /* NULL: approved */
};

static const char *say(const struct asking *asking, const char *fr, const char *en) {
    return asking->desk->lang == RP_FR ? fr : en;
}

static rp_err find_candidates(struct asking *asking) {
    struct rp_desk *desk = asking->desk;
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool more = false;
    const char *key = rp_artefact_key(desk->arena, asking->artefact->hex);
    RP_TRY(key ? RP_OK : RP_ERR(NO_MEMORY));
    RP_TRY(rp_db_query(desk->db,
                       "SELECT r.id FROM register_value v JOIN register_record r "
                       "ON r.row = v.record WHERE v.register = ?1 AND v.field = ?2 "
                       "AND v.value = 'true' ORDER BY r.number DESC LIMIT ?3",
                       &row));
    rp_row_bind_text(row, 1, rp_desk_shelf(desk, asking->reg));
    rp_row_bind_text(row, 2, rp_view_from_cstr(key));
    rp_row_bind_u64(row, 3, CANDIDATES_MAX);
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        asking->candidates[asking->count++] = rp_row_id(row, 0);
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

/* The index led here; the row itself says what it lists. */
static bool lists(const struct rp_entry *change, const struct rp_artefact *artefact) {
    const struct rp_json *list = rp_json_get(change->facts.open, "artefacts");
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        struct rp_artefact listed;
        if (rp_artefact_parse(one->string, &listed) && listed.git == artefact->git &&
            rp_view_equal(listed.hex, artefact->hex)) {
            return true;
        }
    }
    return false;
}

static rp_err holds(const struct asking *asking, const struct rp_entry *change, const char *text,
                    bool *ret_true) {
    struct rp_asking others = rp_desk_asking(asking->desk);
    struct rp_expr *expr = NULL;
    RP_TRY(rp_expr_parse(rp_view_from_cstr(text), asking->desk->arena, &expr, NULL));
    RP_TRY(rp_expr_check(expr, asking->reg, asking->desk->registers, NULL));
    return rp_expr_true(expr, &change->facts, &others, ret_true);
}

/* Did the last move that approved it carry a signature? A register's file that lost its `sign:
 * true` makes moves without. */
static rp_err is_signed(const struct asking *asking, const struct rp_entry *change,
                        bool *ret_signed) {
    struct rp_json *history = NULL;
    RP_TRY(rp_desk_history(asking->desk, change, &history));
    *ret_signed = false;
    for (const struct rp_json *one = history->first; one; one = one->next) {
        bool approves = rp_json_get(one, "move") &&
                        rp_view_equal(rp_json_get_string(one, "to"), RP_VIEW("approved"));
        if (approves) {
            *ret_signed = rp_json_get_string(one, "signature").n > 0;
        }
    }
    return RP_OK;
}

/* NULL: it approves. */
static rp_err judge(const struct asking *asking, const struct rp_entry *change,
                    const char **ret_reason) {
    bool stands = false, in_time = false, has_signature = false;
    RP_TRY(holds(asking, change, RP_CHANGE_STANDS, &stands));
    RP_TRY(holds(asking, change, RP_CHANGE_LETS_GO, &in_time));
    RP_TRY(is_signed(asking, change, &has_signature));
    const char *reason = NULL;
    if (change->facts.example) {
        reason = say(asking, "fiche de l’entreprise d’exemple", "of the example company");
    } else if (!stands) {
        reason = say(asking, "pas approuvé par un autre que son auteur",
                     "not approved by somebody other than its author");
    } else if (!in_time) {
        reason = say(asking, "son approbation est échue", "its approval is over");
    } else if (!has_signature) {
        reason = say(asking, "approuvé sans signature", "approved without a signature");
    }
    *ret_reason = reason;
    return RP_OK;
}

/* One of the changes that the index names; true when it approves, and the search is over. */
static rp_err look_at(struct asking *asking, rp_id id, bool *ret_approves) {
    struct rp_entry change;
    const char *reason = NULL;
    rp_err err = rp_desk_read(asking->desk, asking->reg, id, &change);
    if (rp_is(err, RP_E_CORRUPT)) {
        return RP_OK; /* altered outside the program: told by an event, and worth nothing */
    }
    RP_TRY(err);
    if (!lists(&change, asking->artefact)) {
        return RP_OK;
    }
    RP_TRY(judge(asking, &change, &reason));
    if (!reason || asking->change.version == 0) {
        asking->change = change;
        asking->reason = reason;
    }
    *ret_approves = !reason;
    return RP_OK;
}

/* The newest that approves it; else what keeps the newest from it. */
static rp_err look(struct asking *asking) {
    bool approves = false;
    asking->reason = say(asking, "aucun changement ne le nomme (rempart change propose)",
                         "no change lists it (rempart change propose)");
    RP_TRY(find_candidates(asking));
    for (size_t i = 0; i < asking->count && !approves; i++) {
        RP_TRY(look_at(asking, asking->candidates[i], &approves));
    }
    return RP_OK;
}

static rp_err tell(struct rp_db *db, void *ctx) {
    const struct asking *asking = ctx;
    const struct rp_desk *desk = asking->desk;
    struct rp_event *event = rp_event_new(
        desk->arena, asking->reason ? RP_EVENT_DEPLOY_REFUSED : RP_EVENT_DEPLOY_APPROVED,
        rp_env_now_ms(desk->env), RP_ROLE_CORE);
    rp_event_add_text(event, "digest", asking->artefact->hex);
    if (asking->change.version > 0) {
        rp_event_add_id(event, "record", asking->change.facts.id);
    }
    rp_event_add_id(event, "by", desk->actor.id);
    rp_event_add_text(event, "how", rp_view_from_cstr(desk->actor.how));
    return rp_db_emit(db, event);
}

/*= S62: nothing goes out that nobody else approved, and each answer is on record */
rp_err rp_desk_may_deploy(struct rp_desk *desk, const struct rp_artefact *artefact,
                          struct rp_entry *ret_change) {
    RP_ASSERT(desk->key != NULL);
    struct asking asking = {.desk = desk,
                            .reg = rp_register_find(desk->registers, RP_VIEW("changes")),
                            .artefact = artefact};
    RP_ASSERT(asking.reg != NULL); /* a gate stands in it */
    if (!rp_desk_may_read(desk, asking.reg)) {
        return RP_ERR(DENIED);
    }
    RP_TRY(look(&asking));
    RP_TRY(rp_db_transact(desk->db, tell, &asking));
    if (asking.reason && asking.change.version > 0) {
        return rp_fail(desk->diag, RP_ERR(UNAPPROVED), "changes-%llu: %s",
                       (unsigned long long)asking.change.facts.number, asking.reason);
    }
    if (asking.reason) {
        return rp_fail(desk->diag, RP_ERR(UNAPPROVED), "%s", asking.reason);
    }
    *ret_change = asking.change;
    return RP_OK;
}
