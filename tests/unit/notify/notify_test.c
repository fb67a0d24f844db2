#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/checked.h"
#include "notify/calm.h"
#include "notify/hook.h"
#include "notify/letter.h"
#include "notify/webhooks.h"

static struct unit_world world;
static struct rp_env env;
static struct rp_store *store;
static struct rp_db *db;
static struct rp_arena *arena;
static struct rp_secret *key;
static char *folder;
static const rp_id tenant = {{0xaa, 1}}, person = {{0xbb, 2}};

static void make_tenant(void) {
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(db,
                          "INSERT INTO tenant (id, name, internal, ready, created_ms) "
                          "VALUES (?1, 'Acme', 0, 1, 0)",
                          &row));
    rp_row_bind_id(row, 1, tenant);
    assert_ok(rp_row_run(row, NULL));
}

static int setup(void **state) {
    (void)state;
    world = (struct unit_world){.now_ns = (int64_t)1764000000 * 1000000000};
    folder = unit_dir_new();
    assert_int_equal(chdir(folder), 0);
    env = unit_env(&world);
    arena = rp_arena_new(1 << 22);
    assert_ok(rp_crypto_start());
    assert_ok(rp_store_open(&env, unit_store_url(), &store, NULL));
    assert_ok(rp_store_system(store, &db, NULL));
    assert_ok(rp_secret_new_random(&env, 32, &key));
    make_tenant();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rp_secret_free(key);
    rp_store_close(store);
    rp_arena_free(arena);
    assert_int_equal(chdir("/"), 0);
    unit_dir_remove(folder);
    return 0;
}

static void pass_ms(int64_t ms) {
    world.now_ns += ms * 1000000;
}

static const struct rp_notice_value values[] = {
    {"tenant", RP_VIEW_INIT("Société Étoile")},
    {"link", RP_VIEW_INIT("https://example.com/.rempart/id/enrol?token=secret-token-here")},
    {"valid_until", RP_VIEW_INIT("1er décembre")},
};

static struct rp_notice invitation(rp_view notice_key) {
    return (struct rp_notice){.kind = RP_NOTICE_INVITATION,
                              .channels = RP_NOTICE_MAIL,
                              .tenant = tenant,
                              .address = RP_VIEW("a@example.com"),
                              .lang = RP_FR,
                              .key = notice_key,
                              .values = values,
                              .value_count = 3};
}

static struct rp_notice_row due(void) {
    struct rp_notice_row row;
    assert_ok(rp_notify_due(&env, db, arena, &row));
    return row;
}

static void none_is_due(void) {
    struct rp_notice_row row;
    assert_err(rp_notify_due(&env, db, arena, &row), NOT_FOUND);
}

static void a_notice_and_its_change_are_there_together_or_not_at_all(void **state) {
    (void)state;
    struct rp_notice notice = invitation(RP_VIEW(""));
    assert_ok(rp_db_begin(db));
    assert_ok(rp_notify_put(&env, db, key, &notice));
    rp_db_rollback(db);
    none_is_due();
    assert_ok(rp_db_begin(db));
    assert_ok(rp_notify_put(&env, db, key, &notice));
    assert_ok(rp_db_commit(db));
    assert_view(due().state, "waiting");
}

static void the_same_key_is_the_same_notice(void **state) {
    (void)state;
    struct rp_notice notice = invitation(RP_VIEW("k1"));
    assert_ok(rp_notify_put(&env, db, key, &notice));
    assert_err(rp_notify_put(&env, db, key, &notice), DUPLICATE);
    struct rp_notice_row row = due();
    assert_ok(rp_notify_take(db, &row));
    assert_ok(rp_notify_settle(&env, db, &row, RP_NOTICE_SENT, RP_VIEW("")));
    assert_err(rp_notify_put(&env, db, key, &notice), DUPLICATE); /* also once it is out */
    notice.key = RP_VIEW("k2");
    assert_ok(rp_notify_put(&env, db, key, &notice));
}

static void what_was_put_off_by_a_wrong_clock_is_due_when_it_is_back(void **state) {
    (void)state;
    static const int64_t year_ns = (int64_t)366 * 86400 * 1000000000;
    struct rp_notice notice = invitation(RP_VIEW("k1"));
    world.now_ns += year_ns;
    assert_ok(rp_notify_put(&env, db, key, &notice));
    world.now_ns -= year_ns;
    struct rp_notice_row row;
    assert_err(rp_notify_due(&env, db, arena, &row), NOT_FOUND);
    assert_ok(rp_notify_set_right(&env, db));
    row = due();
    assert_true(row.created_ms <= rp_env_now_ms(&env));
    assert_ok(rp_notify_take(db, &row));
    assert_ok(rp_notify_settle(&env, db, &row, RP_NOTICE_LATER, RP_VIEW("busy")));
    assert_ok(rp_notify_set_right(&env, db)); /* a pause of its own is left as it is */
    assert_err(rp_notify_due(&env, db, arena, &row), NOT_FOUND);
}

/* ---- webhooks ---- */

static const char due_entry[] =
    "{\"metadata\":{\"event_code\":\"register.due\"},\"time\":1795701295855,"
    "\"unmapped\":{\"register\":\"suppliers\"}}";

static void a_pattern_is_a_name_or_a_beginning(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *type;
        bool wanted;
    } rows[] = {{"register.due", "register.due", true},
                {"register.due", "register.due2", false},
                {"register.*", "register.due", true},
                {"register.*", "registers", false},
                {"*", "gate.refused", true},
                {"certificate*", "certificate.failed", true},
                {"register.due", "register", false},
                {"", "register.due", false}};
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        assert_int_equal(
            rp_hook_wants(rp_view_from_cstr(rows[i].pattern), rp_view_from_cstr(rows[i].type)),
            rows[i].wanted);
    }
}

static void an_event_is_told_as_the_log_has_it(void **state) {
    (void)state;
    struct rp_hook_event event;
    _cleanup_(rp_buf_done) struct rp_buf body = rp_buf_new(RP_HOOK_BODY_MAX);
    assert_ok(rp_hook_read(rp_view_from_cstr(due_entry), arena, &event));
    assert_view(event.type, "register.due");
    assert_ok(rp_hook_print(&event, 7, arena, &body));
    assert_view(rp_buf_view(&body),
                "{\"data\":{\"metadata\":{\"event_code\":\"register.due\"},"
                "\"time\":1795701295855,\"unmapped\":{\"register\":\"suppliers\"}},"
                "\"index\":7,\"timestamp\":\"2026-11-26T13:54:55Z\","
                "\"tree\":\"operator\",\"type\":\"register.due\"}");
    rp_id id = rp_hook_id(RP_VIEW("ops"), 7, rp_buf_view(&body));
    rp_id again = rp_hook_id(RP_VIEW("ops"), 7, rp_buf_view(&body));
    rp_id other = rp_hook_id(RP_VIEW("chat"), 7, rp_buf_view(&body));
    assert_memory_equal(id.b, again.b, sizeof id.b);
    assert_memory_not_equal(id.b, other.b, sizeof id.b);
    assert_err(rp_hook_read(RP_VIEW("{\"time\":1}"), arena, &event), CORRUPT);
    assert_err(rp_hook_read(RP_VIEW("{"), arena, &event), SYNTAX);
}

/* A receiver that is away for three days is paused, loses nothing, and goes on where it was. */
static void a_webhook_waits_pauses_and_goes_on(void **state) {
    (void)state;
    struct rp_webhook hook = {.name = RP_VIEW_INIT("ops"), .at = 40};
    int64_t now_ms = rp_env_now_ms(&env), start_ms = now_ms;
    assert_err(rp_webhook_find(db, RP_VIEW("ops"), &hook), NOT_FOUND);
    assert_true(rp_webhook_ready(&hook, now_ms));
    rp_webhook_passed(&hook, now_ms, RP_VIEW(""));
    assert_int_equal(hook.at, 41);
    assert_int_equal(hook.sent, 1);
    assert_false(rp_webhook_failed(&hook, now_ms, RP_VIEW("answered 503")));
    assert_false(rp_webhook_ready(&hook, now_ms + 59999));
    assert_true(rp_webhook_ready(&hook, now_ms + 60000));
    bool paused = false;
    for (int tries = 0; tries < 40 && !paused; tries++) {
        now_ms = hook.next_ms;
        paused = rp_webhook_failed(&hook, now_ms, RP_VIEW("answered 503"));
    }
    assert_true(paused);
    assert_in_range(now_ms - start_ms, (int64_t)72 * 3600000, (int64_t)96 * 3600000);
    assert_false(rp_webhook_ready(&hook, now_ms + (int64_t)400 * 86400000));
    assert_int_equal(hook.at, 41);
    assert_ok(rp_webhook_save(db, &hook));
    assert_ok(rp_webhook_resume(db, RP_VIEW("ops")));
    struct rp_webhook read;
    assert_ok(rp_webhook_find(db, RP_VIEW("ops"), &read));
    assert_true(rp_webhook_ready(&read, now_ms));
    assert_int_equal(read.at, 41);
    assert_string_equal(read.problem, "answered 503");
    /* Wanted no more: passed, and not counted as taken. */
    rp_webhook_passed(&read, now_ms, RP_VIEW("410: wanted no more"));
    assert_int_equal(read.at, 42);
    assert_int_equal(read.sent, 1);
    /* A test that is asked for while the sender saves is not lost. */
    assert_ok(rp_webhook_ask_test(&env, db, RP_VIEW("ops")));
    assert_ok(rp_webhook_save(db, &read));
    assert_ok(rp_webhook_find(db, RP_VIEW("ops"), &read));
    assert_true(read.test_ms > 0);
    assert_ok(rp_webhook_tested(&env, db, &read, RP_VIEW("")));
    assert_ok(rp_webhook_find(db, RP_VIEW("ops"), &read));
    assert_int_equal(read.test_ms, 0);
    assert_err(rp_webhook_ask_test(&env, db, RP_VIEW("none")), NOT_FOUND);
}

static rp_id reminder(const char *record, rp_id to, bool gather) {
    const struct rp_notice_value about[] = {{"register", RP_VIEW_INIT("Suppliers")},
                                            {"record", rp_view_from_cstr(record)},
                                            {"deadline", RP_VIEW_INIT("Yearly review")},
                                            {"step", RP_VIEW_INIT("reminder")},
                                            {"due", RP_VIEW_INIT("2025-12-24T00:00:00Z")}};
    const struct rp_notice notice = {.kind = RP_NOTICE_DEADLINE,
                                     .channels = RP_NOTICE_MAIL,
                                     .tenant = tenant,
                                     .person = to,
                                     .lang = RP_EN,
                                     .gather = gather,
                                     .values = about,
                                     .value_count = RP_COUNT_OF(about)};
    assert_ok(rp_notify_put(&env, db, key, &notice));
    return due().id;
}

/* Three reminders of one person go as one mail; another person's and a letter that stands alone do
 * not; what comes after the taking is not among them when it is tried again. */
static void reminders_are_gathered_once(void **state) {
    (void)state;
    const rp_id other = {{0xcc}};
    struct rp_notice_row *rows = NULL;
    struct rp_notice_content contents[3];
    struct rp_letter letter;
    size_t count = 0;
    reminder("R24-1", person, true);
    pass_ms(1);
    reminder("R24-2", person, true);
    reminder("R24-3", person, true);
    pass_ms(1);
    reminder("R24-4", other, true);
    reminder("R24-5", person, false);
    struct rp_notice_row first = due();
    assert_ok(rp_notify_take(db, &first));
    pass_ms(1);
    reminder("R24-6", person, true);
    assert_ok(rp_notify_bundle(db, &first, arena, &rows, &count));
    assert_int_equal(count, 1); /* only what was due when it was: the two others came later */
    assert_ok(rp_notify_settle(&env, db, &first, RP_NOTICE_SENT, RP_VIEW("")));
    first = due();
    first.next_ms = rp_env_now_ms(&env);
    assert_ok(rp_notify_take(db, &first));
    assert_ok(rp_notify_settle(&env, db, &first, RP_NOTICE_LATER, RP_VIEW("busy")));
    reminder("R24-7", person, true);
    assert_ok(rp_notify_bundle(db, &first, arena, &rows, &count));
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        assert_ok(rp_notice_open(key, &rows[i], arena, &contents[i]));
    }
    assert_ok(rp_digest_print(RP_NOTICE_DEADLINE, RP_EN, contents, count, arena, &letter));
    assert_view(letter.subject, "3 deadlines wait for you");
    assert_true(rp_view_find(letter.text, RP_VIEW("Suppliers R24-2: Yearly review")) <
                letter.text.n);
    assert_true(rp_view_find(letter.text, RP_VIEW("R24-7")) == letter.text.n);
    assert_ok(rp_notify_settle(&env, db, &first, RP_NOTICE_SENT, RP_VIEW("")));
    assert_ok(rp_notify_bundle(db, &first, arena, &rows, &count));
    for (size_t i = 0; i < count; i++) {
        assert_view(rows[i].state, "sent");
        assert_int_equal(rows[i].sealed.n, 0);
    }
}

/* 2026: summer time begins on 29 March at 01:00 UTC and ends on 25 October at 01:00 UTC. */
static void quiet_hours_and_digests_keep_paris_time(void **state) {
    (void)state;
    static const struct {
        const char *quiet, *digest;
        int64_t now_s, until_s;
    } cases[] = {
        {"22:00-07:00", "", 1774746000 - 3600, 1774746000 + 4 * 3600}, /* the short night */
        {"22:00-07:00", "", 1792886400, 1792908000},                   /* the long one */
        {"22:00-07:00", "", 1774785600, 1774785600},                   /* 14:00 in Paris */
        {"12:00-14:00", "", 1774782000, 1774785600},
        {"12:00-14:00", "", 1774785600, 1774785600}, /* the end is not quiet */
        {"", "08:00", 1774746000, 1774764000},
        {"", "08:00", 1774764000, 1774764000},
        {"22:00-07:00", "08:00", 1774764001, 1774764000 + 86400},
        {"07:00-09:30", "08:00", 1774764001, 1774764000 + 5400}, /* today's, after the quiet */
        {"07:00-09:30", "08:00", 1774764000 + 5401, 1774764000 + 86400 + 5400},
        {"22:00-07:00", "23:00", 1774746000 - 3600, 1774746000 + 4 * 3600}, /* yesterday's */
        {"", "", 1774746000, 1774746000},
    };
    for (size_t i = 0; i < RP_COUNT_OF(cases); i++) {
        struct rp_calm calm =
            rp_calm_of(rp_view_from_cstr(cases[i].quiet), rp_view_from_cstr(cases[i].digest));
        int64_t until_ms = rp_calm_until(&calm, cases[i].now_s * 1000);
        if (until_ms != cases[i].until_s * 1000) {
            fail_msg("case %zu: %lld", i, (long long)(until_ms / 1000));
        }
    }
}

/* Computed with Python's hmac over "id.timestamp.body". */
static void a_webhook_is_signed_as_the_specification_says(void **state) {
    (void)state;
    struct rp_secret *secret = NULL;
    char signature[RP_HOOK_SIGNATURE + 1];
    assert_ok(rp_hook_secret_parse(RP_VIEW("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), &secret));
    assert_ok(rp_hook_sign(secret, (rp_id){{0xaa, 1}}, 1614265330,
                           RP_VIEW("{\"test\": 2432232314}"), signature));
    assert_string_equal(signature, "v1,XnpQ3zeE2HJTQjTJ6ilWYo+7P5XT+NyPrYRhKqUkmOs=");
    rp_secret_free(secret);
    static const char *const bad[] = {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                      "whsec_MfKQ9r8GKYqrTwjU", "whsec_MfKQ9r8GKYqrTwjUPD8*LPZI"};
    for (size_t i = 0; i < RP_COUNT_OF(bad); i++) {
        assert_err(rp_hook_secret_parse(rp_view_from_cstr(bad[i]), &secret), INVALID);
    }
}

static void values_are_sealed_and_gone_when_sent(void **state) {
    (void)state;
    struct rp_notice notice = invitation(RP_VIEW(""));
    assert_ok(rp_notify_put(&env, db, key, &notice));
    struct rp_notice_row row = due();
    assert_int_equal(rp_view_find(row.sealed, RP_VIEW("secret-token")), row.sealed.n);
    struct rp_notice_content content;
    assert_ok(rp_notice_open(key, &row, arena, &content));
    assert_view(content.address, "a@example.com");
    assert_int_equal(content.value_count, 3);
    assert_view(content.values[0].value, "Société Étoile");
    struct rp_notice_row moved = row;
    moved.tenant.b[0] ^= 1;
    assert_err(rp_notice_open(key, &moved, arena, &content), CORRUPT);
    assert_ok(rp_notify_take(db, &row));
    assert_ok(rp_notify_settle(&env, db, &row, RP_NOTICE_SENT, RP_VIEW("")));
    struct rp_notice_row *rows = NULL;
    size_t count = 0;
    assert_ok(rp_notify_list(db, (rp_id){{0}}, 10, arena, &rows, &count));
    assert_int_equal(count, 1);
    assert_view(rows[0].state, "sent");
    assert_int_equal(rows[0].sealed.n, 0);
    none_is_due();
}

static void one_under_way_at_a_crash_is_found_again(void **state) {
    (void)state;
    struct rp_notice notice = invitation(RP_VIEW(""));
    assert_ok(rp_notify_put(&env, db, key, &notice));
    struct rp_notice_row row = due();
    assert_ok(rp_notify_take(db, &row));
    none_is_due(); /* while the courier has it */
    pass_ms(91 * 1000);
    struct rp_notice_row again = due();
    assert_view(again.state, "sending");
    assert_true(rp_id_equal(again.id, row.id));
}

static void pauses_grow_and_end_after_three_days(void **state) {
    (void)state;
    struct rp_notice notice = invitation(RP_VIEW(""));
    assert_ok(rp_notify_put(&env, db, key, &notice));
    int64_t last_pause = 0, waited = 0;
    unsigned tries = 0;
    for (;;) {
        struct rp_notice_row row;
        int64_t pause = 0;
        while (!rp_ok(rp_notify_due(&env, db, arena, &row)) && pause < 86400000) {
            pass_ms(30000);
            pause += 30000;
        }
        if (pause >= 86400000) {
            break;
        }
        assert_true(pause >= last_pause);
        last_pause = pause;
        waited += pause;
        assert_ok(rp_notify_take(db, &row));
        assert_ok(rp_notify_settle(&env, db, &row, RP_NOTICE_LATER, RP_VIEW("451 no\r\nroom")));
        tries++;
    }
    assert_true(tries >= 8 && tries <= 14);
    assert_true(waited <= (int64_t)3 * 86400000);
    struct rp_notice_row *rows = NULL;
    size_t count = 0;
    assert_ok(rp_notify_list(db, (rp_id){{0}}, 10, arena, &rows, &count));
    assert_view(rows[0].state, "refused");
    assert_view(rows[0].problem, "451 no  room");
    assert_ok(rp_notify_retry(&env, db, rows[0].id));
    assert_view(due().state, "waiting");
    assert_int_equal(due().tries, 0);
}

static void an_inbox_is_read_by_its_person_only(void **state) {
    (void)state;
    struct rp_notice notice = invitation(RP_VIEW(""));
    notice.channels = RP_NOTICE_INBOX | RP_NOTICE_MAIL;
    notice.person = person;
    assert_ok(rp_notify_put(&env, db, key, &notice));
    struct rp_notice_row *rows = NULL;
    size_t count = 0;
    assert_ok(rp_notify_list(db, person, 10, arena, &rows, &count));
    assert_int_equal(count, 1);
    assert_view(rows[0].state, "unread");
    assert_err(rp_notify_read(db, tenant, rows[0].id), NOT_FOUND);
    assert_ok(rp_notify_read(db, person, rows[0].id));
    assert_ok(rp_notify_list(db, person, 10, arena, &rows, &count));
    assert_view(rows[0].state, "read");
    struct rp_notice_content content;
    assert_ok(rp_notice_open(key, &rows[0], arena, &content)); /* its text stays */
}

static void put_waiting(uint64_t number) {
    rp_id id = {{0}};
    struct rp_row *row = NULL;
    memcpy(id.b, &number, sizeof number);
    assert_ok(rp_db_query(db,
                          "INSERT INTO notice (id, channel, kind, tenant, lang, state, tries, "
                          "problem, created_ms, next_ms) "
                          "SELECT ?1, 'mail', 'invitation', id, 'fr', 'waiting', 0, '', 0, 0 "
                          "FROM tenant",
                          &row));
    rp_row_bind_id(row, 1, id);
    assert_ok(rp_row_run(row, NULL));
}

static void what_waits_is_bounded(void **state) {
    (void)state;
    struct rp_notice notice = invitation(RP_VIEW(""));
    assert_ok(rp_db_begin(db));
    for (uint64_t i = 1; i < 10000; i++) {
        put_waiting(i);
    }
    assert_ok(rp_notify_put(&env, db, key, &notice)); /* the last that has room */
    assert_err(rp_notify_put(&env, db, key, &notice), OVERLOAD);
    rp_db_rollback(db);
}

/* ---- letters ---- */

/* Every {name} of a text stands in the kind's list, and nothing of the template is left over. */
static void every_kind_has_its_letters(void **state) {
    (void)state;
    for (unsigned kind = 0; kind < RP_NOTICE_COUNT; kind++) {
        struct rp_notice_content content = {.address = RP_VIEW("a@example.com")};
        rp_view list = rp_view_from_cstr(rp_notice_kind_values((enum rp_notice_kind)kind));
        while (list.p && content.value_count < RP_NOTICE_VALUES_MAX) {
            const char *name = rp_arena_cstr(arena, rp_view_cut(&list, ' '));
            content.values[content.value_count++] =
                (struct rp_notice_value){name, RP_VIEW("VALUE")};
        }
        for (unsigned lang = 0; lang < RP_LANG_COUNT; lang++) {
            struct rp_letter letter;
            assert_ok(rp_letter_print((enum rp_notice_kind)kind, (enum rp_lang)lang, &content,
                                      arena, &letter));
            assert_true(letter.subject.n > 0 && letter.text.n > 0);
            assert_int_equal(rp_view_find(letter.text, RP_VIEW("–")), letter.text.n);
            assert_int_equal(rp_view_find(letter.subject, RP_VIEW("–")), letter.subject.n);
            assert_int_equal(letter.text.p[letter.text.n - 1], '\n');
        }
    }
}

static void a_value_stays_on_its_line(void **state) {
    (void)state;
    struct rp_notice_content content = {
        .values = {{"tenant", RP_VIEW_INIT("Evil\n\nYour password: https://evil.example")},
                   {"link", RP_VIEW_INIT("L")},
                   {"valid_until", RP_VIEW_INIT("U")}},
        .value_count = 3};
    struct rp_letter letter;
    assert_ok(rp_letter_print(RP_NOTICE_INVITATION, RP_EN, &content, arena, &letter));
    assert_int_equal(rp_view_find(letter.text, RP_VIEW("\nYour")), letter.text.n);
    assert_int_equal(rp_view_find_byte(letter.subject, '\n'), letter.subject.n);
}

static void quoted_printable_is_what_the_rfc_says(void **state) {
    (void)state;
    struct rp_buf out = rp_buf_new(4096);
    rp_quoted_printable(&out, RP_VIEW("a=b \né\n.dot\n"));
    assert_view(rp_buf_view(&out), "a=3Db=20\r\n=C3=A9\r\n=2Edot\r\n");
    rp_buf_clear(&out);
    char text[301];
    memset(text, 'x', 300);
    rp_quoted_printable(&out, rp_view_of(text, 300));
    rp_view rest = rp_buf_view(&out);
    size_t letters = 0;
    while (rest.p) {
        rp_view line = rp_view_cut(&rest, '\n');
        assert_true(line.n <= 77); /* 76 and the CR */
        for (size_t i = 0; i < line.n; i++) {
            letters += line.p[i] == 'x';
        }
    }
    assert_int_equal(letters, 300);
    rp_buf_done(&out);
}

static void a_mail_is_the_same_each_time(void **state) {
    (void)state;
    struct rp_notice_content content = {.values = {values[0], values[1], values[2]},
                                        .value_count = 3};
    struct rp_letter letter;
    assert_ok(rp_letter_print(RP_NOTICE_INVITATION, RP_FR, &content, arena, &letter));
    const struct rp_mail mail = {.from = RP_VIEW("noreply@example.com"),
                                 .to = RP_VIEW("a@example.com"),
                                 .name = RP_VIEW("Étoile"),
                                 .id = tenant,
                                 .lang = RP_FR,
                                 .date_s = 1764000000};
    struct rp_buf one = rp_buf_new(RP_MAIL_MAX), two = rp_buf_new(RP_MAIL_MAX);
    assert_ok(rp_mail_print(&mail, &letter, &one));
    assert_ok(rp_mail_print(&mail, &letter, &two));
    assert_view_equal(rp_buf_view(&one), rp_buf_view(&two));
    rp_view text = rp_buf_view(&one);
    assert_true(rp_view_find(text, RP_VIEW("Message-ID: <aa01")) < text.n);
    assert_true(rp_view_find(text, RP_VIEW("Auto-Submitted: auto-generated\r\n")) < text.n);
    assert_true(rp_view_find(text, RP_VIEW("Date: Mon, 24 Nov 2025 16:00:00 +0000\r\n")) < text.n);
    for (size_t i = 0; i < text.n; i++) {
        assert_true(text.p[i] < 127);
    }
    struct rp_mail evil = mail;
    evil.to = RP_VIEW("a@example.com>\r\nBcc: <b@example.com");
    assert_err(rp_mail_print(&evil, &letter, &two), INVALID);
    rp_buf_done(&one);
    rp_buf_done(&two);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_notice_and_its_change_are_there_together_or_not_at_all),
        TEST(the_same_key_is_the_same_notice),
        TEST(what_was_put_off_by_a_wrong_clock_is_due_when_it_is_back),
        TEST(reminders_are_gathered_once),
        TEST(quiet_hours_and_digests_keep_paris_time),
        TEST(a_webhook_is_signed_as_the_specification_says),
        TEST(a_pattern_is_a_name_or_a_beginning),
        TEST(an_event_is_told_as_the_log_has_it),
        TEST(a_webhook_waits_pauses_and_goes_on),
        TEST(values_are_sealed_and_gone_when_sent),
        TEST(one_under_way_at_a_crash_is_found_again),
        TEST(pauses_grow_and_end_after_three_days),
        TEST(an_inbox_is_read_by_its_person_only),
        TEST(what_waits_is_bounded),
        TEST(every_kind_has_its_letters),
        TEST(a_value_stays_on_its_line),
        TEST(quoted_printable_is_what_the_rfc_says),
        TEST(a_mail_is_the_same_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
