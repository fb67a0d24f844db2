/* notice_io.c — a deadline that fired, told to the people whom it names. */
#include "base/assert.h"
#include "base/checked.h"
#include "identity/identity.h"
#include "ipc/pack.h"
#include "notify/notify.h"
#include "register/save.h"

static bool has_role(const struct rp_facts *facts, rp_view role) {
    const struct rp_json *roles = rp_json_get(facts->open, "roles");
    for (const struct rp_json *one = roles ? roles->first : NULL; one; one = one->next) {
        if (rp_view_equal(one->string, role)) {
            return true;
        }
    }
    return false;
}

static bool is_here(const struct rp_facts *facts, bool begins_counts) {
    return rp_view_equal(facts->state, RP_VIEW("active")) ||
           (begins_counts && rp_view_equal(facts->state, RP_VIEW("onboarding")));
}

static void add_account(struct rp_told *told, const struct rp_facts *facts, bool begins_counts) {
    rp_id account;
    if (told->count < RP_TOLD_MAX && !facts->example && is_here(facts, begins_counts) &&
        rp_id_parse(rp_json_get_string(facts->open, "account"), &account)) {
        told->accounts[told->count++] = account;
    }
}

static rp_err add_holder(void *ctx, const struct rp_facts *facts) {
    struct rp_told *told = ctx;
    if (has_role(facts, told->role)) {
        add_account(told, facts, false);
    }
    return RP_OK;
}

/* Whoever it is about, who may just begin; or who made it. */
static rp_err add_person(struct rp_desk *desk, const struct rp_register *persons, rp_view whose,
                         bool begins_counts, struct rp_told *told) {
    struct rp_asking asking = rp_desk_asking(desk);
    struct rp_facts facts;
    rp_id id;
    if (!rp_id_parse(whose, &id)) {
        return RP_OK;
    }
    rp_err err = asking.find(desk, persons, id, &facts);
    if (rp_ok(err)) {
        add_account(told, &facts, begins_counts);
    }
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

/* The field that says whom the record is about. */
static rp_view own_of(const struct rp_facts *facts) {
    return strcmp(facts->reg->own, "id") == 0 ? rp_text_of_id(&facts->id_text)
                                              : rp_json_get_string(facts->open, facts->reg->own);
}

rp_err rp_desk_find_told(struct rp_desk *desk, const struct rp_entry *record,
                         struct rp_told *told) {
    const struct rp_register *persons = rp_register_find(desk->registers, RP_VIEW("persons"));
    struct rp_asking asking = rp_desk_asking(desk);
    if (!persons) {
        return RP_OK;
    }
    if (rp_view_equal(told->role, RP_VIEW("self")) && record->facts.reg->own) {
        RP_TRY(add_person(desk, persons, own_of(&record->facts), true, told));
    } else if (told->role.n > 0) {
        rp_view field = rp_arena_printf(desk->arena, "roles.%.*s", RP_FMT(told->role));
        if (!field.p) {
            return RP_ERR(TOO_LARGE);
        }
        RP_TRY(
            asking.each(desk, persons, (const char *)field.p, RP_VIEW("true"), add_holder, told));
    }
    return told->count > 0
               ? RP_OK
               : add_person(desk, persons, rp_text_of_id(&record->facts.author_text), false, told);
}

/* The same step of the same clock is the same notice to the same person. */
static struct rp_sha256 key_of(const struct rp_fired *fired, rp_id account) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(256);
    rp_pack_id(&text, fired->subject);
    rp_pack_bytes(&text, rp_view_from_cstr(fired->name));
    rp_pack_u8(&text, (uint8_t)fired->step.kind);
    rp_pack_u8(&text, fired->step.index);
    rp_pack_u64(&text, (uint64_t)fired->due_ms);
    rp_pack_id(&text, account);
    RP_ASSERT(rp_ok(rp_buf_err(&text)));
    return rp_sha256_of(rp_buf_view(&text));
}

static const char *step_words(enum rp_step_kind kind, enum rp_lang lang) {
    static const char *const texts[RP_STEP_COUNT][RP_LANG_COUNT] = {
        [RP_STEP_REMIND] = {"rappel", "reminder"},
        [RP_STEP_DUE] = {"échue", "due"},
        [RP_STEP_ESCALATE] = {"dépassée", "overdue"}};
    RP_ASSERT((size_t)kind < RP_STEP_COUNT);
    return texts[kind][lang];
}

static rp_err put(struct rp_desk *desk, const struct rp_fired *fired, const struct rp_entry *record,
                  const struct rp_deadline *d, rp_id account) {
    struct rp_sha256 key = key_of(fired, account);
    struct rp_time_text due = rp_time_print(fired->due_ms / 1000);
    enum rp_lang lang;
    RP_TRY(rp_identity_lang_of(desk->identity, account, &lang));
    rp_view number = rp_arena_printf(desk->arena, "%s-%llu", record->facts.reg->number,
                                     (unsigned long long)record->facts.number);
    const struct rp_notice_value values[] = {
        {"register", rp_view_from_cstr(record->facts.reg->name.s[lang])},
        {"record", number},
        {"deadline", rp_view_from_cstr(d->label.s[lang])},
        {"step", rp_view_from_cstr(step_words(fired->step.kind, lang))},
        {"due", rp_view_from_cstr(due.s)}};
    struct rp_notice notice = {.kind = RP_NOTICE_DEADLINE,
                               .channels = RP_NOTICE_MAIL | RP_NOTICE_INBOX,
                               .lang = lang,
                               .gentle = fired->step.kind == RP_STEP_REMIND,
                               .key = rp_view_of(key.b, sizeof key.b),
                               .values = values,
                               .value_count = RP_COUNT_OF(values)};
    return rp_identity_write_to(desk->identity, account, &notice);
}

/* An account that is gone, a notice that is there, a full outbox: the event has been written, and a
 * deadline is not kept from ringing. */
static rp_err pass(rp_err err) {
    bool passed =
        rp_is(err, RP_E_NOT_FOUND) || rp_is(err, RP_E_DUPLICATE) || rp_is(err, RP_E_OVERLOAD);
    return passed ? RP_OK : err;
}

rp_err rp_desk_tell_due(struct rp_desk *desk, const struct rp_fired *fired,
                        const struct rp_entry *record, const struct rp_deadline *d) {
    const char *role = fired->step.kind == RP_STEP_REMIND ? d->remind_to : d->escalate_to;
    struct rp_told told = {.role = role ? rp_view_from_cstr(role) : (rp_view){NULL, 0}};
    if (!desk->identity || record->facts.example) {
        return RP_OK;
    }
    RP_TRY(rp_desk_find_told(desk, record, &told));
    for (size_t i = 0; i < told.count; i++) {
        RP_TRY(pass(put(desk, fired, record, d, told.accounts[i])));
    }
    return RP_OK;
}
