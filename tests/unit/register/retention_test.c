/* retention_test.c — what is kept, for how long, and what becomes of it then: never before. */
#include "office.h"

#include "clock/trust_io.h"
#include "register/evidence.h"
#include "register/retention.h"

#define DIGEST "0000000000000000000000000000000000000000000000000000000000000000"

static void wait_days(int64_t days) {
    world.now_ns += days * day_ms * 1000000;
}

static void ring(void) {
    size_t fired = 1;
    while (fired > 0) {
        struct rp_desk desk = owner();
        assert_ok(rp_desk_tick(&desk, &fired));
    }
}

static void sweep(uint64_t *ret_altered) {
    struct rp_desk desk = owner();
    uint64_t rows = 0;
    assert_ok(rp_desk_sweep(&desk, &rows, ret_altered));
}

static rp_err find(const char *reg, rp_id id, struct rp_entry *ret_record) {
    struct rp_desk desk = owner();
    return rp_desk_read(&desk, reg_of(reg), id, ret_record);
}

static uint64_t rows_of(const char *sql, rp_id id) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    assert_ok(rp_db_query(db, sql, &row));
    rp_row_bind_id(row, 1, id);
    assert_ok(rp_row_first(row));
    return rp_row_u64(row, 0);
}

/* A visitor's card: kept for twelve months once it is back. */
static rp_id returned_card(const char *number) {
    char json[400], with_host[400];
    (void)snprintf(json, sizeof json,
                   "{\"card_number\":\"%s\",\"holder_kind\":\"visitor\",\"visitor\":\"Jo\","
                   "\"host\":\"%%s\",\"purpose\":\"visit\",\"zones\":[\"lobby\"],"
                   "\"valid_from\":\"2026-11-24\",\"valid_to\":\"2026-11-25\"}",
                   number);
    text_of(with_host, sizeof with_host, json, ann_record);
    rp_id id = create(owner(), "cards", with_host);
    check(move(owner(), "cards", id, "activate", "{}"));
    check(move(owner(), "cards", id, "return", "{}"));
    return id;
}

static void a_closed_record_goes_at_its_end_and_not_a_day_before(void **state) {
    (void)state;
    struct rp_entry record;
    uint64_t altered = 0;
    rp_id id = returned_card("V-1");
    assert_ok(find("cards", id, &record));
    uint64_t number = record.facts.number;
    wait_days(364);
    ring();
    assert_ok(find("cards", id, &record));
    wait_days(2);
    ring();
    assert_err(find("cards", id, &record), NOT_FOUND);
    assert_int_equal(rows_of("SELECT count(*) FROM register_retired WHERE id = ?1", id), 1);
    assert_int_equal(rows_of("SELECT count(*) FROM clock WHERE subject = ?1", id), 0);
    assert_int_equal(events_with("register.retired"), 1);
    sweep(&altered); /* nothing of it is left that would not fit */
    assert_int_equal(altered, 0);
    id = returned_card("V-2");
    assert_ok(find("cards", id, &record));
    assert_true(record.facts.number > number); /* nobody is called as it was */
}

static void an_open_record_is_kept_however_old(void **state) {
    (void)state;
    struct rp_entry record;
    uint64_t altered = 0;
    rp_id id = create(owner(), "isms", "{\"subject\":\"Old\",\"kind\":\"issue\"}");
    wait_days(365 * 20);
    sweep(&altered);
    ring();
    assert_ok(find("isms", id, &record));
}

static void a_clock_that_was_set_forward_takes_nothing(void **state) {
    (void)state;
    struct rp_entry record;
    struct rp_row *row = NULL;
    rp_id id = returned_card("V-3");
    assert_ok(rp_db_query(db,
                          "UPDATE clock SET due_ms = 1, next = 0, next_ms = 1, "
                          "steps = ?2 WHERE subject = ?1 "
                          "AND name = 'retention'",
                          &row));
    rp_row_bind_id(row, 1, id);
    rp_row_bind_blob(row, 2, RP_VIEW("\1\0\0\0\0\0\0\0\1\0"));
    assert_ok(rp_row_run(row, NULL));
    ring();
    assert_ok(find("cards", id, &record));
    wait_days(366);
    ring();
    assert_err(find("cards", id, &record), NOT_FOUND);
}

/* Two years in a second: nothing goes before somebody says which day it is. */
static void a_machine_whose_clock_leaps_takes_nothing(void **state) {
    (void)state;
    struct rp_entry record;
    struct rp_clock_trust trust;
    bool news = false;
    uint64_t altered = 0;
    rp_id id = returned_card("V-6");
    assert_ok(rp_clock_trust_look(&env, db, &trust, &news));
    wait_days(730);
    ring();
    sweep(&altered);
    ring();
    assert_ok(find("cards", id, &record));
    wait_days(-730); /* set right again: its own time still counts */
    sweep(&altered);
    ring();
    assert_ok(find("cards", id, &record));
    for (int day = 0; day < 366; day++) {
        wait_days(1);
        assert_ok(rp_clock_trust_look(&env, db, &trust, &news));
    }
    ring();
    assert_err(find("cards", id, &record), NOT_FOUND);
}

static void a_machine_that_was_off_goes_on_once_it_is_confirmed(void **state) {
    (void)state;
    struct rp_entry record;
    struct rp_clock_trust trust;
    struct rp_desk desk = owner();
    bool news = false;
    uint64_t altered = 0;
    rp_id id = returned_card("V-7");
    assert_ok(rp_clock_trust_look(&env, db, &trust, &news));
    wait_days(400);
    ring();
    assert_ok(find("cards", id, &record));
    assert_ok(rp_clock_trust_confirm(&env, db, RP_VIEW("owner")));
    assert_ok(rp_retention_look_again(&desk));
    sweep(&altered);
    ring();
    assert_err(find("cards", id, &record), NOT_FOUND);
}

/* What fell due through the leap alone waits for the same word; what was due before it rings. */
static void a_clock_that_leapt_rings_no_deadline_until_it_is_confirmed(void **state) {
    (void)state;
    struct rp_entry record;
    struct rp_clock_trust trust;
    bool news = false;
    char json[400], with_host[400];
    (void)snprintf(json, sizeof json,
                   "{\"card_number\":\"V-8\",\"holder_kind\":\"visitor\",\"visitor\":\"Jo\","
                   "\"host\":\"%%s\",\"purpose\":\"visit\",\"zones\":[\"lobby\"],"
                   "\"valid_from\":\"2026-11-24\",\"valid_to\":\"2026-11-28\"}");
    text_of(with_host, sizeof with_host, json, ann_record);
    rp_id id = create(owner(), "cards", with_host);
    check(move(owner(), "cards", id, "activate", "{}"));
    ring();
    size_t before = events_with("register.due");
    assert_ok(rp_clock_trust_look(&env, db, &trust, &news));
    wait_days(40);
    assert_ok(rp_clock_trust_look(&env, db, &trust, &news));
    assert_false(trust.believed);
    ring();
    assert_int_equal(events_with("register.due"), before);
    assert_ok(find("cards", id, &record));
    assert_true(rp_view_equal(record.facts.state, RP_VIEW("active")));
    assert_ok(rp_clock_trust_confirm(&env, db, RP_VIEW("owner")));
    ring();
    assert_true(events_with("register.due") > before);
    assert_ok(find("cards", id, &record));
    assert_false(rp_view_equal(record.facts.state, RP_VIEW("active")));
}

/* Deleted clocks come back, and those of spans that changed are set right, by the sweep. */
static void a_record_without_its_clock_gets_one(void **state) {
    (void)state;
    struct rp_entry record;
    struct rp_row *row = NULL;
    uint64_t altered = 0;
    rp_id id = returned_card("V-4");
    assert_ok(rp_db_query(db, "DELETE FROM clock WHERE subject = ?1", &row));
    rp_row_bind_id(row, 1, id);
    assert_ok(rp_row_run(row, NULL));
    wait_days(400);
    ring();
    assert_ok(find("cards", id, &record));
    sweep(&altered);
    ring();
    assert_err(find("cards", id, &record), NOT_FOUND);
}

static void a_held_one_stays_and_goes_when_it_is_released(void **state) {
    (void)state;
    struct rp_entry record;
    struct rp_desk desk = owner();
    uint64_t altered = 0;
    rp_id id = returned_card("V-5");
    assert_ok(rp_desk_hold(&desk, reg_of("cards"), id, RP_VIEW("retention"), RP_VIEW("lawsuit"),
                           &record));
    wait_days(800);
    ring();
    sweep(&altered);
    ring();
    assert_ok(find("cards", id, &record));
    desk = owner();
    assert_ok(rp_desk_hold(&desk, reg_of("cards"), id, RP_VIEW("retention"), RP_VIEW(""), &record));
    ring();
    assert_err(find("cards", id, &record), NOT_FOUND);
}

/* A person whom a card names as host: emptied, and destroyed once the card is gone. */
static void what_others_name_is_emptied_first(void **state) {
    (void)state;
    struct rp_entry record;
    struct rp_json *history = NULL;
    char json[300];
    struct rp_desk desk = owner();
    rp_id id = create(owner(), "persons",
                      "{\"name\":\"Zed\",\"kind\":\"employee\",\"start\":\"2026-01-02\"}");
    text_of(json, sizeof json, "{\"scenario\":\"they stop\",\"owner\":\"%s\"}", id);
    rp_id risk = create(owner(), "risks", json);
    check(move(owner(), "persons", id, "leave", "{\"end\":\"2026-11-24\"}"));
    wait_days(365 * 5 + 2);
    struct rp_json *list = NULL;
    assert_ok(rp_desk_retiring(&desk, rp_env_now_ms(&env), &list));
    assert_int_equal(list->count, 1);
    assert_view(rp_json_get_string(list->first, "what"), "emptied");
    ring();
    desk = owner();
    assert_ok(rp_desk_read(&desk, reg_of("persons"), id, &record));
    assert_null(rp_json_get(record.facts.secret, "name"));
    assert_non_null(rp_json_get(record.facts.open, "start"));
    assert_ok(rp_desk_history(&desk, &record, &history));
    assert_int_equal(history->count, 1);
    assert_null(rp_json_get(history->first, "sealed_fields"));
    assert_int_equal(events_with("emptied"), 1);
    uint64_t altered = 0;
    sweep(&altered);
    ring();
    assert_int_equal(altered, 0);
    assert_ok(find("persons", id, &record)); /* the risk is still open */
    text_of(json, sizeof json, "{\"owner\":\"%s\"}", ann_record);
    check(edit(owner(), "risks", risk, json));
    wait_days(31);
    ring();
    assert_err(find("persons", id, &record), NOT_FOUND);
}

/*= S8 type=test */
static void evidence_goes_with_its_record(void **state) {
    (void)state;
    struct rp_entry record;
    struct rp_desk desk = owner();
    static const char sum[] = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    struct rp_piece piece = {.reg = reg_of("audits"), .pieces = 1, .bytes = RP_VIEW("hello")};
    bool filed = false;
    piece.record = create(owner(), "audits",
                          "{\"scope\":\"all\",\"kind\":\"internal\",\"auditor\":\"Ann\","
                          "\"planned_on\":\"2026-11-25\"}");
    check(move(owner(), "audits", piece.record, "start", "{}"));
    char json[200];
    (void)snprintf(json, sizeof json, "{\"report\":\"%s report.pdf\"}", sum);
    check(move(owner(), "audits", piece.record, "report", json));
    assert_true(rp_hex_parse(rp_view_of(sum, 64), piece.sha256.b, RP_SHA256));
    assert_ok(rp_desk_file_piece(&desk, &piece, &filed));
    assert_true(filed);
    check(move(owner(), "audits", piece.record, "close", "{}"));
    assert_int_equal(rows_of("SELECT count(*) FROM register_piece p JOIN register_record r "
                             "ON r.row = p.record WHERE r.id = ?1",
                             piece.record),
                     1);
    wait_days(365 * 5 + 2);
    ring();
    assert_err(find("audits", piece.record, &record), NOT_FOUND);
    assert_int_equal(
        rows_of("SELECT count(*) FROM register_piece WHERE ?1 IS NOT NULL", piece.record), 0);
}

static void a_slip_is_taken_back_for_a_day(void **state) {
    (void)state;
    struct rp_entry record;
    struct rp_desk desk = owner();
    static const char fields[] = "{\"subject\":\"Slip\",\"kind\":\"issue\"}";
    rp_id id = create(owner(), "isms", fields), old = create(owner(), "isms", fields);
    assert_ok(rp_desk_take_back(&desk, reg_of("isms"), id));
    assert_err(find("isms", id, &record), NOT_FOUND);
    assert_int_equal(events_with("register.taken_back"), 1);
    desk = person(bob);
    assert_err(rp_desk_take_back(&desk, reg_of("isms"), old), DENIED);
    wait_days(1);
    world.now_ns += 1000000;
    desk = owner();
    assert_err(rp_desk_take_back(&desk, reg_of("isms"), old), CONFLICT);
    assert_ok(find("isms", old, &record));
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_closed_record_goes_at_its_end_and_not_a_day_before),
        TEST(an_open_record_is_kept_however_old),
        TEST(a_clock_that_was_set_forward_takes_nothing),
        TEST(a_machine_whose_clock_leaps_takes_nothing),
        TEST(a_clock_that_leapt_rings_no_deadline_until_it_is_confirmed),
        TEST(a_machine_that_was_off_goes_on_once_it_is_confirmed),
        TEST(a_record_without_its_clock_gets_one),
        TEST(a_held_one_stays_and_goes_when_it_is_released),
        TEST(what_others_name_is_emptied_first),
        TEST(evidence_goes_with_its_record),
        TEST(a_slip_is_taken_back_for_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
