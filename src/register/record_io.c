/* record_io.c — rows to records: copied, checked, opened; and how guards ask about others. */
#include "base/assert.h"
#include "crypto/aead.h"
#include "ipc/pack.h"
#include "register/evidence.h"
#include "register/internal.h"

/* ---- sealing, and the MAC ---- */

static struct rp_buf place_of(rp_id id, rp_view what) {
    struct rp_buf place = rp_buf_new(128);
    rp_pack_bytes(&place, what);
    rp_pack_id(&place, id);
    return place;
}

rp_err rp_entry_seal(const struct rp_desk *desk, rp_id id, rp_view what, rp_view plain,
                     struct rp_buf *out) {
    _cleanup_(rp_buf_done) struct rp_buf place = place_of(id, what);
    RP_TRY(rp_buf_err(&place));
    return rp_aead_seal(desk->env, desk->key, rp_buf_view(&place), plain, out);
}

rp_err rp_entry_open(const struct rp_desk *desk, rp_id id, rp_view what, rp_view sealed,
                     struct rp_buf *out) {
    _cleanup_(rp_buf_done) struct rp_buf place = place_of(id, what);
    RP_TRY(rp_buf_err(&place));
    return rp_aead_open(desk->key, rp_buf_view(&place), sealed, out);
}

rp_err rp_entry_mac(const struct rp_desk *desk, const struct rp_entry *record, rp_view body,
                    rp_view sealed, struct rp_sha256 *ret_mac) {
    const struct rp_facts *facts = &record->facts;
    _cleanup_(rp_secret_freep) struct rp_secret *key = NULL;
    _cleanup_(rp_buf_done) struct rp_buf all = rp_buf_new(4 * RP_RECORD_JSON_MAX);
    RP_TRY(rp_hkdf_sha256(desk->key, RP_VIEW(""), RP_VIEW("register-row"), RP_SHA256, &key));
    rp_pack_id(&all, facts->id);
    rp_pack_bytes(&all,
                  rp_view_from_cstr(record->canary ? facts->reg->canary_shelf : facts->reg->id));
    rp_pack_u64(&all, facts->number);
    rp_pack_bytes(&all, facts->state);
    rp_pack_u64(&all, record->version);
    rp_pack_bytes(&all, rp_text_of_id(&facts->author_text));
    rp_pack_u64(&all, (uint64_t)facts->created_ms);
    rp_pack_u64(&all, (uint64_t)facts->changed_ms);
    rp_pack_u64(&all, facts->example);
    rp_pack_bytes(&all, body);
    rp_pack_bytes(&all, sealed);
    RP_TRY(rp_buf_err(&all));
    *ret_mac = rp_hmac_sha256(key, rp_buf_view(&all));
    return RP_OK;
}

/* ---- reading a row ---- */

static rp_err parse_object(struct rp_arena *arena, rp_view text, const struct rp_json **ret_json) {
    struct rp_json *json = NULL;
    if (!rp_ok(rp_json_parse(text, RP_JSON_LIMITS, arena, &json, NULL)) ||
        json->kind != RP_JSON_OBJECT) {
        return RP_ERR(CORRUPT);
    }
    *ret_json = json;
    return RP_OK;
}

static rp_err open_secret(struct rp_desk *desk, rp_view sealed, struct rp_facts *facts) {
    if (sealed.n == 0 || !desk->key) {
        return RP_OK;
    }
    _cleanup_(rp_buf_done) struct rp_buf plain = rp_buf_new(RP_RECORD_JSON_MAX);
    RP_TRY(rp_entry_open(desk, facts->id, RP_VIEW("register"), sealed, &plain));
    return parse_object(desk->arena, rp_buf_view(&plain), &facts->secret);
}

static rp_err check_mac(const struct rp_desk *desk, const struct rp_entry *record, rp_view body,
                        rp_view sealed, rp_view mac) {
    if (!desk->key) {
        return RP_OK;
    }
    struct rp_sha256 want;
    RP_TRY(rp_entry_mac(desk, record, body, sealed, &want));
    return rp_ct_equal(mac, rp_view_of(want.b, sizeof want.b)) ? RP_OK : RP_ERR(CORRUPT);
}

rp_err rp_row_entry(struct rp_desk *desk, struct rp_row *row, struct rp_entry *ret_record) {
    struct rp_entry record = {.row = rp_row_u64(row, 0), .version = rp_row_u64(row, 4)};
    struct rp_facts *facts = &record.facts;
    rp_view shelf = rp_row_text(row, 12);
    record.canary = rp_view_starts(shelf, RP_VIEW("~"));
    facts->reg = rp_register_find(desk->registers, rp_view_from(shelf, record.canary));
    facts->id = rp_row_id(row, 1);
    facts->id_text = rp_id_print(facts->id);
    facts->author_text = rp_id_print(rp_row_id(row, 5));
    facts->number = rp_row_u64(row, 2);
    facts->example = rp_row_u64(row, 8) == 1;
    facts->created_ms = (int64_t)rp_row_u64(row, 6);
    facts->changed_ms = (int64_t)rp_row_u64(row, 7);
    if (!facts->reg || rp_register_state(facts->reg, rp_row_text(row, 3)) < 0) {
        return RP_ERR(CORRUPT);
    }
    RP_TRY(rp_arena_copy(desk->arena, rp_row_text(row, 3), &facts->state));
    rp_view body = rp_row_text(row, 9), sealed = rp_row_blob(row, 10);
    RP_TRY(check_mac(desk, &record, body, sealed, rp_row_blob(row, 11)));
    RP_TRY(parse_object(desk->arena, body, &facts->open));
    RP_TRY(open_secret(desk, sealed, facts));
    *ret_record = record;
    return RP_OK;
}

rp_err rp_entry_by_id(struct rp_desk *desk, const struct rp_register *reg, rp_id id,
                      struct rp_entry *ret_record) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(desk->db,
                       "SELECT " RP_RECORD_COLUMNS
                       " FROM register_record r WHERE r.id = ?1 AND r.register = ?2",
                       &row));
    rp_row_bind_id(row, 1, id);
    rp_row_bind_text(row, 2, rp_desk_shelf(desk, reg));
    RP_TRY(rp_row_first(row));
    return rp_row_entry(desk, row, ret_record);
}

rp_err rp_entry_by_subject(struct rp_desk *desk, rp_id id, struct rp_entry *ret_record) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(
        desk->db, "SELECT " RP_RECORD_COLUMNS " FROM register_record r WHERE r.id = ?1", &row));
    rp_row_bind_id(row, 1, id);
    RP_TRY(rp_row_first(row));
    return rp_row_entry(desk, row, ret_record);
}

struct altered {
    const struct rp_desk *desk;
    const struct rp_register *reg;
    rp_id id;
};

static rp_err emit_altered(struct rp_db *db, void *ctx) {
    const struct altered *altered = ctx;
    const struct rp_desk *desk = altered->desk;
    struct rp_event *event = rp_event_new(desk->arena, RP_EVENT_REGISTER_ALTERED,
                                          rp_env_now_ms(desk->env), RP_ROLE_CORE);
    rp_event_add_text(event, "register", rp_view_from_cstr(altered->reg->id));
    rp_event_add_id(event, "record", altered->id);
    return rp_db_emit(db, event);
}

rp_err rp_desk_find(struct rp_desk *desk, const struct rp_register *reg, rp_view name,
                    rp_id *ret_id) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    uint64_t number = 0;
    if (rp_id_parse(name, ret_id)) {
        return RP_OK;
    }
    if (!rp_view_to_u64(name, INT64_MAX, &number)) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(rp_db_query(desk->db,
                       "SELECT id FROM register_record WHERE register = ?1 AND number = ?2", &row));
    rp_row_bind_text(row, 1, rp_desk_shelf(desk, reg));
    rp_row_bind_u64(row, 2, number);
    RP_TRY(rp_row_first(row));
    *ret_id = rp_row_id(row, 0);
    return RP_OK;
}

rp_err rp_desk_read(struct rp_desk *desk, const struct rp_register *reg, rp_id id,
                    struct rp_entry *ret_record) {
    rp_err err = rp_entry_by_id(desk, reg, id, ret_record);
    if (rp_is(err, RP_E_CORRUPT) && desk->key) {
        struct altered altered = {desk, reg, id};
        rp_ignore(rp_db_transact(desk->db, emit_altered, &altered)); /* the error says it too */
        return rp_fail(desk->diag, err, "%s %s", reg->id, rp_id_print(id).s);
    }
    return err;
}

/* ---- guards that ask about others ---- */

static rp_err find_facts(void *ctx, const struct rp_register *reg, rp_id id,
                         struct rp_facts *ret_facts) {
    struct rp_entry record;
    RP_TRY(rp_entry_by_id(ctx, reg, id, &record));
    *ret_facts = record.facts;
    return RP_OK;
}

/* Some at a time, each lot in an arena of its own: a register of any size takes the same memory,
 * and an expression inside finds the statement free. What a callback keeps, it copies. */
enum { LOT = 32, LOT_BYTES_MAX = 48 * 1024 * 1024 };

struct lot {
    struct rp_entry records[LOT];
    size_t count;
    uint64_t last; /* the number, or the row, of its last record */
};

static rp_err gather(struct rp_desk *desk, struct rp_row *row, bool keyed, struct lot *lot) {
    bool more = false;
    lot->count = 0;
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        RP_ASSERT(lot->count < LOT);
        struct rp_entry *record = &lot->records[lot->count++];
        RP_TRY(rp_row_entry(desk, row, record));
        lot->last = keyed ? record->row : record->facts.number;
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

static rp_err gather_all(struct rp_desk *desk, const struct rp_register *reg, struct lot *lot) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(desk->db,
                       "SELECT " RP_RECORD_COLUMNS
                       " FROM register_record r WHERE r.register = ?1 AND r.number > ?2 "
                       "ORDER BY r.number LIMIT ?3",
                       &row));
    rp_row_bind_text(row, 1, rp_desk_shelf(desk, reg));
    rp_row_bind_u64(row, 2, lot->last);
    rp_row_bind_u64(row, 3, LOT);
    return gather(desk, row, false, lot);
}

static rp_err gather_keyed(struct rp_desk *desk, const struct rp_register *reg, const char *field,
                           rp_view value, struct lot *lot) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(desk->db,
                       "SELECT " RP_RECORD_COLUMNS
                       " FROM register_value v JOIN register_record r ON r.row = v.record "
                       "WHERE v.register = ?1 AND v.field = ?2 AND v.value = ?3 "
                       "AND v.record > ?4 AND r.register = ?1 ORDER BY v.record LIMIT ?5",
                       &row));
    rp_row_bind_text(row, 1, rp_desk_shelf(desk, reg));
    rp_row_bind_text(row, 2, rp_view_from_cstr(field));
    rp_row_bind_text(row, 3, value);
    rp_row_bind_u64(row, 4, lot->last);
    rp_row_bind_u64(row, 5, LOT);
    return gather(desk, row, true, lot);
}

struct walk {
    const struct rp_register *reg;
    const char *field; /* NULL: all */
    rp_view value;
    rp_err (*each)(void *ctx, const struct rp_facts *facts);
    void *ctx;
};

static rp_err walk_lot(struct rp_desk *desk, const struct walk *walk, struct lot *lot) {
    RP_TRY(walk->field ? gather_keyed(desk, walk->reg, walk->field, walk->value, lot)
                       : gather_all(desk, walk->reg, lot));
    for (size_t i = 0; i < lot->count; i++) {
        RP_TRY(walk->each(walk->ctx, &lot->records[i].facts));
    }
    return RP_OK;
}

static rp_err walk_lots(struct rp_desk *desk, const struct walk *walk, struct lot *lot) {
    do {
        rp_arena_reset(desk->arena);
        RP_TRY(walk_lot(desk, walk, lot));
    } while (lot->count == LOT);
    return RP_OK;
}

static rp_err each_facts(void *ctx, const struct rp_register *reg, const char *field, rp_view value,
                         rp_err (*each)(void *ctx, const struct rp_facts *facts), void *each_ctx) {
    struct rp_desk *desk = ctx;
    struct rp_arena *outer = desk->arena;
    struct rp_arena *own _cleanup_(rp_arena_freep) = rp_arena_new(LOT_BYTES_MAX);
    struct lot lot = {.count = 0};
    if (!own) {
        return RP_ERR(NO_MEMORY);
    }
    const struct walk walk = {reg, field, value, each, each_ctx};
    desk->arena = own;
    rp_err err = walk_lots(desk, &walk, &lot);
    desk->arena = outer;
    return err;
}

static rp_err is_overdue(void *ctx, rp_id record, rp_view deadline, bool *ret_overdue) {
    const struct rp_desk *desk = ctx;
    struct rp_clock clock;
    rp_err err = rp_clock_find(desk->db, &(struct rp_clock_key){record, deadline}, &clock);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        *ret_overdue = false;
        return RP_OK;
    }
    RP_TRY(err);
    *ret_overdue = clock.paused_ms == 0 && clock.due_ms <= rp_desk_now_ms(desk);
    return RP_OK;
}

static rp_err is_intact(void *ctx, rp_id record, rp_view value, bool *ret_intact) {
    const struct rp_desk *desk = ctx;
    return rp_evidence_is_intact(desk->db, record, value, ret_intact);
}

struct rp_asking rp_desk_asking(struct rp_desk *desk) {
    return (struct rp_asking){.ctx = desk,
                              .now_ms = rp_desk_now_ms(desk),
                              .calendar = &desk->calendar,
                              .actor = rp_id_print(desk->actor.id),
                              .find = find_facts,
                              .each = each_facts,
                              .overdue = is_overdue,
                              .intact = is_intact};
}

/* ---- who sits here ---- */

static rp_err read_actor(struct rp_desk *desk, rp_id account, struct rp_entry *ret_record) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    struct rp_id_text text = rp_id_print(account);
    RP_TRY(rp_db_query(desk->db,
                       "SELECT " RP_RECORD_COLUMNS
                       " FROM register_value v JOIN register_record r ON r.row = v.record "
                       "WHERE v.register IN ('persons', '~persons') AND v.field = 'account' "
                       "AND v.value = ?1",
                       &row));
    rp_row_bind_text(row, 1, rp_text_of_id(&text));
    RP_TRY(rp_row_first(row));
    return rp_row_entry(desk, row, ret_record);
}

rp_err rp_desk_sit(struct rp_desk *desk, rp_id account) {
    struct rp_entry record;
    desk->actor.id = account;
    rp_err err = read_actor(desk, account, &record);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_OK;
    }
    RP_TRY(err);
    /* The index led here; the row itself says whose account it is. */
    struct rp_id_text text = rp_id_print(account);
    if (!rp_view_equal(rp_json_get_string(record.facts.open, "account"), rp_text_of_id(&text))) {
        return RP_ERR(CORRUPT);
    }
    desk->actor.id = record.facts.id;
    desk->actor.listed = true;
    desk->canary = record.canary;
    if (rp_view_equal(record.facts.state, RP_VIEW("active"))) {
        desk->actor.roles = rp_json_get(record.facts.open, "roles");
    }
    desk->actor.waiting = !rp_view_equal(record.facts.state, RP_VIEW("active"));
    return RP_OK;
}

bool rp_desk_has_role(const struct rp_desk *desk, const char *role) {
    const struct rp_json *roles = desk->actor.roles;
    for (const struct rp_json *one = roles ? roles->first : NULL; one; one = one->next) {
        if (rp_view_equal(one->string, rp_view_from_cstr(role))) {
            return true;
        }
    }
    return false;
}

static bool has_one_of(const struct rp_desk *desk, const struct rp_names *names) {
    if (desk->actor.listed && rp_names_have(names, RP_VIEW("anyone"))) {
        return true;
    }
    for (size_t i = 0; i < names->n; i++) {
        if (rp_desk_has_role(desk, names->s[i])) {
            return true;
        }
    }
    return false;
}

bool rp_desk_may_read(const struct rp_desk *desk, const struct rp_register *reg) {
    const struct rp_actor *actor = &desk->actor;
    return actor->owner || actor->operator_role || actor->engine || desk->canary ||
           has_one_of(desk, &reg->read) || has_one_of(desk, &reg->write);
}
