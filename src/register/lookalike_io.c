#include "register/lookalike.h"

#include "base/assert.h"
#include "base/checked.h"
#include "identity/identity.h"
#include "ipc/pack.h"
#include "notify/notify.h"
#include "register/save.h"
#include "wire/http.h"

enum { SHOWN_MAX = 4 * RP_DOMAIN_MAX };

struct taking {
    struct rp_desk *desk;
    const struct rp_register *reg;
    struct rp_delivery *delivery;
    size_t fresh;                       /* new, or there again */
    const struct rp_found_name *newest; /* the first of them */
};

const char *rp_found_what_name(enum rp_found_what what) {
    static const char *const names[RP_FOUND_COUNT] = {"new", "known", "again"};
    RP_ASSERT((size_t)what < RP_FOUND_COUNT);
    return names[what];
}

/* ---- a name that is there already ---- */

static rp_err find_record(const struct taking *taking, rp_view name, rp_id *ret_id) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool there = false;
    RP_TRY(rp_db_query(taking->desk->db,
                       "SELECT r.id FROM register_value v JOIN register_record r "
                       "ON r.row = v.record WHERE v.register = ?1 AND v.field = 'name' "
                       "AND v.value = ?2",
                       &row));
    rp_row_bind_text(row, 1, rp_desk_shelf(taking->desk, taking->reg));
    rp_row_bind_text(row, 2, name);
    RP_TRY(rp_row_next(row, &there));
    *ret_id = there ? rp_row_id(row, 0) : (rp_id){{0}};
    return RP_OK;
}

/* What had been taken down and is seen again begins anew; anything else is known. */
static rp_err meet_again(const struct taking *taking, rp_id id, struct rp_found_name *found) {
    struct rp_desk *desk = taking->desk;
    struct rp_entry was;
    found->what = RP_FOUND_KNOWN;
    rp_err err = rp_entry_by_id(desk, taking->reg, id, &was);
    if (rp_is(err, RP_E_CORRUPT)) {
        /* Altered outside the program: the sweep tells, and the other names do not wait for it. */
        found->record.facts.id = id;
        found->record.facts.id_text = rp_id_print(id);
        return RP_OK;
    }
    RP_TRY(err);
    found->record = was;
    if (!rp_view_equal(was.facts.state, RP_VIEW("taken_down"))) {
        return RP_OK;
    }
    const struct rp_move *reopen = rp_register_move(taking->reg, RP_VIEW("reopen"));
    struct rp_json *fields = rp_json_object(desk->arena);
    rp_json_add_cstr(desk->arena, fields, "seen_at", rp_time_print(rp_desk_now_ms(desk) / 1000).s);
    const struct rp_change change = {.fields = fields, .reason = RP_VIEW("seen again")};
    if (!reopen) {
        return RP_OK; /* the operator's register knows no way back: it stays where it is */
    }
    found->what = RP_FOUND_AGAIN;
    return rp_move_inside(desk, &was, reopen, &change, &found->record);
}

/* ---- a new one ---- */

static void add_shown(const struct rp_desk *desk, struct rp_json *fields, rp_view name) {
    char text[SHOWN_MAX];
    struct rp_buf shown = rp_buf_over(text, sizeof text);
    rp_domain_show(name, &shown);
    if (!rp_view_equal(rp_buf_view(&shown), name) && rp_utf8_is_name(rp_buf_view(&shown))) {
        rp_json_add_string(desk->arena, fields, "shown", rp_buf_view(&shown));
    }
}

static rp_err make(const struct taking *taking, struct rp_found_name *found) {
    struct rp_desk *desk = taking->desk;
    struct rp_json *fields = rp_json_object(desk->arena);
    rp_json_add_string(desk->arena, fields, "name", found->judged.part);
    add_shown(desk, fields, found->judged.part);
    rp_json_add_cstr(desk->arena, fields, "own", found->judged.own);
    rp_json_add_cstr(desk->arena, fields, "kind", rp_lookalike_name(found->judged.kind));
    rp_json_add_cstr(desk->arena, fields, "seen_at", rp_time_print(rp_desk_now_ms(desk) / 1000).s);
    if (taking->delivery->source.n > 0) {
        rp_json_add_string(desk->arena, fields, "source", taking->delivery->source);
    }
    const struct rp_change change = {.fields = fields};
    found->what = RP_FOUND_NEW;
    return rp_create_inside(desk, taking->reg, &change, &found->record);
}

static rp_err emit(const struct taking *taking, const struct rp_found_name *found) {
    const struct rp_desk *desk = taking->desk;
    struct rp_event *event =
        rp_event_new(desk->arena, RP_EVENT_LOOKALIKE, rp_env_now_ms(desk->env), RP_ROLE_CORE);
    rp_event_add_id(event, "record", found->record.facts.id);
    rp_event_add_text(event, "name", found->judged.part);
    rp_event_add_text(event, "own", rp_view_from_cstr(found->judged.own));
    rp_event_add_text(event, "kind", rp_view_from_cstr(rp_lookalike_name(found->judged.kind)));
    rp_event_add_text(event, "what", rp_view_from_cstr(rp_found_what_name(found->what)));
    rp_event_add_id(event, "by", desk->actor.id);
    rp_event_add_text(event, "how", rp_view_from_cstr(desk->actor.how));
    return rp_db_emit(desk->db, event);
}

static rp_err take_one(struct taking *taking, struct rp_found_name *found) {
    rp_id id;
    RP_TRY(find_record(taking, found->judged.part, &id));
    RP_TRY(rp_id_is_none(id) ? make(taking, found) : meet_again(taking, id, found));
    if (found->what == RP_FOUND_KNOWN) {
        return RP_OK;
    }
    taking->newest = taking->newest ? taking->newest : found;
    taking->fresh++;
    return emit(taking, found);
}

/* ---- who is told ---- */

/* The canary's own account: nobody else hears of what it plants. */
static rp_err find_canary(struct rp_desk *desk, struct rp_told *told) {
    const struct rp_register *persons = rp_register_find(desk->registers, RP_VIEW("persons"));
    struct rp_asking asking = rp_desk_asking(desk);
    struct rp_facts self;
    RP_ASSERT(persons != NULL); /* the gates need it: the start was refused without */
    RP_TRY(asking.find(desk, persons, desk->actor.id, &self));
    told->count = rp_id_parse(rp_json_get_string(self.open, "account"), &told->accounts[0]);
    return RP_OK;
}

/* Not the name itself: mail programs make a link of it, and filters take the letter for the bait.
 */
static rp_view disarmed(struct rp_arena *arena, rp_view name) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(3 * RP_DOMAIN_MAX);
    rp_view copy = {NULL, 0};
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '.') {
            rp_buf_add_cstr(&text, "[.]");
        } else {
            rp_buf_add_byte(&text, name.p[i]);
        }
    }
    rp_ignore(rp_arena_copy(arena, rp_buf_view(&text), &copy)); /* the letter then says "–" */
    return copy;
}

/* The same delivery is the same notice to the same person. */
static struct rp_sha256 key_of(const struct rp_entry *record, rp_id account) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(64);
    rp_pack_id(&text, record->facts.id);
    rp_pack_u64(&text, record->version);
    rp_pack_id(&text, account);
    RP_ASSERT(rp_ok(rp_buf_err(&text)));
    return rp_sha256_of(rp_buf_view(&text));
}

static rp_err write_to(const struct taking *taking, rp_id account) {
    struct rp_desk *desk = taking->desk;
    const struct rp_found_name *found = taking->newest;
    struct rp_sha256 key = key_of(&found->record, account);
    enum rp_lang lang;
    RP_TRY(rp_identity_lang_of(desk->identity, account, &lang));
    rp_view number = rp_arena_printf(desk->arena, "%s-%llu", taking->reg->number,
                                     (unsigned long long)found->record.facts.number);
    rp_view count = rp_arena_printf(desk->arena, "%zu", taking->fresh);
    const struct rp_notice_value values[] = {
        {"count", count},
        {"name", disarmed(desk->arena, found->judged.part)},
        {"own", rp_view_from_cstr(found->judged.own)},
        {"reason", rp_view_from_cstr(rp_lookalike_reason(found->judged.kind, lang))},
        {"record", number}};
    unsigned mail = desk->canary ? 0 : RP_NOTICE_MAIL; /* a canary has no mailbox */
    struct rp_notice notice = {.kind = RP_NOTICE_LOOKALIKE,
                               .channels = mail | RP_NOTICE_INBOX,
                               .lang = lang,
                               .key = rp_view_of(key.b, sizeof key.b),
                               .values = values,
                               .value_count = RP_COUNT_OF(values)};
    return rp_identity_write_to(desk->identity, account, &notice);
}

/* An account that is gone, a notice that is there, a full outbox: the record and its deadline stand
 * all the same. */
static bool passes(rp_err err) {
    return rp_is(err, RP_E_NOT_FOUND) || rp_is(err, RP_E_DUPLICATE) || rp_is(err, RP_E_OVERLOAD);
}

static rp_err tell(struct taking *taking) {
    struct rp_desk *desk = taking->desk;
    struct rp_told told = {.role = RP_VIEW("security")};
    if (taking->fresh == 0 || !desk->identity) {
        return RP_OK;
    }
    RP_TRY(desk->canary ? find_canary(desk, &told)
                        : rp_desk_find_told(desk, &taking->newest->record, &told));
    for (size_t i = 0; i < told.count; i++) {
        rp_err err = write_to(taking, told.accounts[i]);
        RP_TRY(passes(err) ? RP_OK : err);
        taking->delivery->told += rp_ok(err);
    }
    return RP_OK;
}

/* ---- the delivery ---- */

static rp_err keep_time(const struct taking *taking) {
    const struct rp_delivery *delivery = taking->delivery;
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(taking->desk->db,
                       "INSERT INTO lookalike_feed (one, at_ms, source, names, flagged) "
                       "VALUES (1, ?1, ?2, ?3, ?4) ON CONFLICT (one) DO UPDATE SET "
                       "at_ms = ?1, source = ?2, names = lookalike_feed.names + ?3, flagged = "
                       "lookalike_feed.flagged + ?4",
                       &row));
    rp_row_bind_u64(row, 1, (uint64_t)rp_desk_now_ms(taking->desk));
    rp_row_bind_text(row, 2, delivery->source);
    rp_row_bind_u64(row, 3, delivery->names);
    rp_row_bind_u64(row, 4, taking->fresh);
    return rp_row_run(row, NULL);
}

static rp_err take(struct rp_db *db, void *ctx) {
    (void)db;
    struct taking *taking = ctx;
    RP_TRY(rp_desk_check_write(taking->desk, taking->reg, NULL));
    for (size_t i = 0; i < taking->delivery->count; i++) {
        RP_TRY(take_one(taking, &taking->delivery->found[i]));
    }
    RP_TRY(tell(taking));
    return taking->desk->canary || taking->delivery->typed ? RP_OK : keep_time(taking);
}

/*= S176 */ /* what poses as ours is on record, with a deadline, and somebody is told */
rp_err rp_desk_take_delivery(struct rp_desk *desk, struct rp_delivery *delivery) {
    RP_ASSERT(desk->key != NULL && delivery->count <= RP_DELIVERY_FOUND_MAX);
    struct taking taking = {.desk = desk,
                            .reg = rp_register_find(desk->registers, RP_VIEW("lookalikes")),
                            .delivery = delivery};
    if (!taking.reg) {
        return rp_fail(desk->diag, RP_ERR(NOT_FOUND), "registers/lookalikes.yaml");
    }
    return rp_db_transact(desk->db, take, &taking);
}

rp_err rp_desk_last_delivery(struct rp_desk *desk, struct rp_last_delivery *ret_last) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    struct rp_last_delivery last = {.at_ms = 0};
    bool there = false;
    RP_TRY(rp_db_query(desk->db, "SELECT at_ms, source, names, flagged FROM lookalike_feed", &row));
    RP_TRY(rp_row_next(row, &there));
    if (there) {
        last.at_ms = (int64_t)rp_row_u64(row, 0);
        RP_TRY(rp_arena_copy(desk->arena, rp_row_text(row, 1), &last.source));
        last.names = rp_row_u64(row, 2);
        last.flagged = rp_row_u64(row, 3);
    }
    *ret_last = last;
    return RP_OK;
}
