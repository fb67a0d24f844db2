/* make_test.c — what a move brings about elsewhere: signatures to ask for, editions that go, the
 * next backup; and a number that nobody types. */
#include "office.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static const struct rp_json *listed(const char *reg, const char *field, rp_id id) {
    struct rp_desk desk = owner();
    struct rp_json *list = rp_json_array(arena);
    struct rp_query query = {.reg = reg_of(reg), .count = 50};
    struct rp_page page;
    if (field) {
        query.filters[0] = (struct rp_filter){field, rp_view_from_cstr(rp_id_print(id).s)};
        query.filter_count = 1;
    }
    assert_ok(rp_desk_list(&desk, &query, &page));
    for (size_t i = 0; i < page.count; i++) {
        rp_json_add(arena, list, NULL, rp_desk_show(&desk, &page.records[i]));
    }
    return list;
}

static size_t count_of(const struct rp_json *list, const char *field, const char *value) {
    size_t n = 0;
    for (const struct rp_json *one = list->first; one; one = one->next) {
        n += rp_view_equal(rp_json_get_string(one, field), rp_view_from_cstr(value));
    }
    return n;
}

static rp_id id_of(const struct rp_json *record) {
    rp_id id = {{0}};
    assert_true(rp_id_parse(rp_json_get_string(record, "id"), &id));
    return id;
}

/* Through the gates: signs, learns, stands in post. */
static void put_in_post(rp_id record, rp_id account) {
    char json[200];
    check(move(owner(), "persons", record, "begin", "{}"));
    const struct rp_json *list = listed("acknowledgements", "person", record);
    for (const struct rp_json *one = list->first; one; one = one->next) {
        check(move(person(account), "acknowledgements", id_of(one), "sign", "{}"));
    }
    text_of(json, sizeof json, "{\"person\":\"%s\",\"track\":\"base\"}", record);
    rp_id course = create(owner(), "training", json);
    check(move(owner(), "training", course, "pass", "{\"score\":90,\"pass_mark\":80}"));
    check(move(owner(), "persons", record, "activate", "{}"));
}

static rp_id approved(const char *fields) {
    char json[600];
    (void)snprintf(json, sizeof json,
                   "{\"name\":\"P\",\"edition\":\"1\",\"file_sha256\":\"%064d\",%s}", 0, fields);
    rp_id id = create(owner(), "documents", json);
    check(move(owner(), "documents", id, "submit", "{}"));
    check(move(person(bob), "documents", id, "approve", "{}"));
    return id;
}

static rp_id published(const char *fields) {
    rp_id id = approved(fields);
    check(move(owner(), "documents", id, "publish", "{}"));
    return id;
}

static int in_post(void **state) {
    int rc = setup(state);
    if (rc == 0) {
        put_in_post(ann_record, ann);
        put_in_post(bob_record, bob);
    }
    return rc;
}

/*= S5 type=test */
static void a_published_policy_is_due_of_everybody_in_post(void **state) {
    (void)state;
    new_person("Carl", (rp_id){{0xc0}}); /* has not begun */
    rp_id policy = published("\"kind\":\"policy\",\"theme\":\"security\"");
    const struct rp_json *due = listed("acknowledgements", "document", policy);
    assert_int_equal(due->count, 2);
    assert_int_equal(count_of(due, "state", "due"), 2);
    assert_int_equal(count_of(due, "kind", "policy"), 2);
    assert_int_equal(count_of(due, "person", rp_id_print(ann_record).s), 1);
    assert_int_equal(count_of(due, "person", rp_id_print(bob_record).s), 1);
    const struct rp_json *deadline = rp_json_get(due->first, "deadlines")->first;
    assert_view(rp_json_get_string(deadline, "id"), "sign");
    /* 30 days on, by the clock of the test. */
    rp_view when = rp_json_get_string(deadline, "due_at");
    struct rp_time_text expected = rp_time_print(rp_env_now_ms(&env) / 1000 + 30 * 86400);
    assert_memory_equal(when.p, expected.s, 10);
}

/*= S5 type=test */
static void only_the_roles_that_it_names_sign_it(void **state) {
    (void)state;
    check(edit(owner(), "persons", bob_record, "{\"roles\":[\"legal\",\"hr\"]}"));
    check(edit(owner(), "persons", ann_record, "{\"roles\":[\"compliance\"]}"));
    rp_id some = published("\"kind\":\"procedure\",\"signatories\":[\"legal\",\"support\"]");
    const struct rp_json *due = listed("acknowledgements", "document", some);
    assert_int_equal(due->count, 1);
    assert_int_equal(count_of(due, "person", rp_id_print(bob_record).s), 1);
    rp_id none = published("\"kind\":\"procedure\"");
    assert_int_equal(listed("acknowledgements", "document", none)->count, 0);
}

/*= S5 type=test */
static void a_new_edition_supersedes_the_old_and_what_waited_for_it(void **state) {
    (void)state;
    char fields[200];
    struct rp_entry record;
    struct rp_desk desk = owner();
    rp_id old = published("\"kind\":\"policy\",\"theme\":\"security\"");
    const struct rp_json *due = listed("acknowledgements", "document", old);
    rp_view whose = rp_json_get_string(due->first, "person");
    bool of_ann = rp_view_equal(whose, rp_view_from_cstr(rp_id_print(ann_record).s));
    check(move(person(of_ann ? ann : bob), "acknowledgements", id_of(due->first), "sign", "{}"));
    text_of(fields, sizeof fields, "\"kind\":\"policy\",\"theme\":\"security\",\"replaces\":\"%s\"",
            old);
    rp_id new = approved(fields);
    check(rp_desk_read(&desk, reg_of("documents"), old, &record));
    assert_view(record.facts.state, "published"); /* until the new one is out */
    check(move(owner(), "documents", new, "publish", "{}"));
    desk = owner();
    check(rp_desk_read(&desk, reg_of("documents"), old, &record));
    assert_view(record.facts.state, "superseded");
    due = listed("acknowledgements", "document", old);
    assert_int_equal(count_of(due, "state", "signed"), 1); /* what was signed stays signed */
    assert_int_equal(count_of(due, "state", "superseded"), 1);
    assert_int_equal(count_of(listed("acknowledgements", "document", new), "state", "due"), 2);
}

/*= S10 type=test */
static void who_begins_signs_what_is_in_force(void **state) {
    (void)state;
    rp_id policy = published("\"kind\":\"policy\",\"theme\":\"security\"");
    rp_id carl = new_person("Carl", (rp_id){{0xc0}});
    check(move(owner(), "persons", carl, "begin", "{}"));
    const struct rp_json *due = listed("acknowledgements", "person", carl);
    assert_int_equal(due->count, 3);
    assert_int_equal(count_of(due, "document", rp_id_print(policy).s), 1);
}

/*= S136 type=test */
static void a_backup_that_succeeded_plans_the_next(void **state) {
    (void)state;
    char json[200];
    rp_id full = create(owner(), "backups",
                        "{\"job\":\"weekly\",\"kind\":\"full\","
                        "\"planned_at\":\"2026-11-24T02:00:00Z\"}");
    (void)snprintf(json, sizeof json,
                   "{\"ended_at\":\"2026-11-24T03:00:00Z\",\"digest\":\"%064d\"}", 0);
    check(move(owner(), "backups", full, "succeed", json));
    const struct rp_json *all = listed("backups", NULL, full);
    assert_int_equal(all->count, 2);
    assert_int_equal(count_of(all, "state", "planned"), 1);
    assert_int_equal(count_of(all, "planned_at", "2026-12-01T02:00:00Z"), 1);
    assert_int_equal(count_of(all, "job", "weekly"), 2);
    /* One that was late by more than its span is due again from now on, not at once. */
    rp_id late = create(owner(), "backups",
                        "{\"job\":\"daily\",\"kind\":\"incremental\","
                        "\"planned_at\":\"2026-11-01T02:00:00Z\"}");
    check(move(owner(), "backups", late, "succeed", json));
    struct rp_time_text next = rp_time_print(rp_env_now_ms(&env) / 1000 + 86400);
    assert_int_equal(count_of(listed("backups", NULL, late), "planned_at", next.s), 1);
    /* A restore that a customer asked for plans nothing. */
    rp_id restore = create(owner(), "backups",
                           "{\"job\":\"asked\",\"kind\":\"restore\","
                           "\"planned_at\":\"2026-11-24T02:00:00Z\"}");
    check(move(owner(), "backups", restore, "restore",
               "{\"ended_at\":\"2026-11-24T03:00:00Z\",\"byte_equal\":true}"));
    assert_int_equal(count_of(listed("backups", NULL, late), "job", "asked"), 1);
}

/*= S133 type=test */
static void a_drill_plans_the_next_within_a_month(void **state) {
    (void)state;
    rp_id drill = create(owner(), "backups",
                         "{\"job\":\"drill\",\"kind\":\"drill\","
                         "\"planned_at\":\"2026-11-24T02:00:00Z\"}");
    check(move(owner(), "backups", drill, "restore",
               "{\"ended_at\":\"2026-11-24T03:00:00Z\",\"byte_equal\":true}"));
    const struct rp_json *all = listed("backups", NULL, drill);
    assert_int_equal(count_of(all, "planned_at", "2026-12-24T03:00:00Z"), 1);
}

/*= S15 type=test */
static void members_are_counted_and_nobody_types_them(void **state) {
    (void)state;
    char json[300];
    text_of(json, sizeof json,
            "{\"name\":\"Privacy\",\"field\":\"privacy\",\"mandate\":\"x\",\"lead\":\"%s\"}",
            ann_record);
    rp_id team = create(owner(), "teams", json);
    assert_err(edit(owner(), "teams", team, "{\"members\":5}"), DENIED);
    check(edit(owner(), "persons", bob_record, "{\"roles\":[\"privacy\",\"legal\"]}"));
    check(edit(owner(), "persons", ann_record, "{\"roles\":[\"legal\"]}"));
    rp_id carl = new_person("Carl", (rp_id){{0xc0}});
    check(edit(owner(), "persons", carl, "{\"roles\":[\"privacy\"]}")); /* not in post */
    const struct rp_json *list = listed("teams", NULL, team);
    uint64_t members = 0;
    assert_true(rp_json_get_u64(list->first, "members", &members));
    assert_int_equal(members, 1);
}

/* An installation whose teams had a typed number starts, and the number goes with the next change.
 */
static void a_field_that_is_computed_now_orphans_nothing(void **state) {
    (void)state;
    struct rp_desk desk = owner();
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(db,
                          "UPDATE register_schema SET shape = "
                          "replace(shape, 'field members computed', 'field members number') "
                          "WHERE register = 'teams'",
                          &row));
    assert_ok(rp_row_run(row, NULL));
    char json[300];
    text_of(json, sizeof json,
            "{\"name\":\"Privacy\",\"field\":\"privacy\",\"mandate\":\"x\",\"lead\":\"%s\"}",
            ann_record);
    create(owner(), "teams", json);
    assert_ok(rp_db_query(
        db,
        "UPDATE register_record SET body = substr(body, 1, length(body) - 1) || ',\"members\":5}' "
        "WHERE register = 'teams'",
        &row));
    assert_ok(rp_row_run(row, NULL));
    check(rp_desk_check_schemas(&desk));
}

/* ---- what a file may say ---- */

static void assert_file(const char *make, const char *refusal) {
    char text[1500];
    (void)snprintf(
        text, sizeof text,
        "id: z\nnumber: X09\nsection: a\nversion: 1\nname: [a, b]\none: [a, b]\nabout: [a, b]\n"
        "title: t\nread: [hr]\nwrite: [hr]\npromises: [S1]\nretention: 1mo\n"
        "states:\n  open: [a, b]\n  over: [a, b]\n"
        "fields:\n  t: {type: text, label: [a, b]}\n"
        "moves:\n  end: {label: [a, b], from: [open], to: over, make: {%s}}\n",
        make);
    assert_register_file(text, refusal);
}

static void a_file_that_could_not_work_is_refused(void **state) {
    (void)state;
    assert_file("isms: {values: {subject: \"t\"}}", NULL);
    assert_file("isms: {each: \"count(persons, state = 'active')\", values: {subject: \"state\"}}",
                NULL);
    assert_file("isms: {each: \"t = 'x'\"}", "expected count");
    assert_file("isms: {as: subject}", "stands beside it");
    assert_file("isms: {values: {colour: \"t\"}}", "no such field to set \"colour\"");
    assert_file("isms: {values: {subject: \"u\"}}", "subject, column 1: no such field");
    assert_file("isms: {each: \"count(persons)\", values: {subject: \"this.u\"}}", "no such field");
    /* What others bring about brings about nothing: there is no circle. */
    assert_file("persons: {each: \"count(persons)\", move: begin}",
                "cannot be moved so: \"begin\"");
    assert_file("persons: {each: \"count(isms)\", move: suspend}", "cannot be moved so");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_published_policy_is_due_of_everybody_in_post, in_post,
                                        teardown),
        cmocka_unit_test_setup_teardown(only_the_roles_that_it_names_sign_it, in_post, teardown),
        cmocka_unit_test_setup_teardown(a_new_edition_supersedes_the_old_and_what_waited_for_it,
                                        in_post, teardown),
        cmocka_unit_test_setup_teardown(who_begins_signs_what_is_in_force, in_post, teardown),
        cmocka_unit_test_setup_teardown(a_backup_that_succeeded_plans_the_next, setup, teardown),
        cmocka_unit_test_setup_teardown(a_drill_plans_the_next_within_a_month, setup, teardown),
        cmocka_unit_test_setup_teardown(members_are_counted_and_nobody_types_them, in_post,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_field_that_is_computed_now_orphans_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_that_could_not_work_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests_name("make", tests, NULL, NULL);
}
