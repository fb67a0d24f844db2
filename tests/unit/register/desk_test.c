/* desk_test.c — all registers of the tree, and every way around the five gates. */
#include "office.h"

#include <stdlib.h>

#include "base/buf.h"

static void all_forty_six_registers_are_there(void **state) {
    (void)state;
    bool seen[47] = {false};
    for (size_t i = 0; i < registers.count; i++) {
        const struct rp_register *reg = &registers.list[i];
        uint64_t number = 0;
        assert_true(rp_view_to_u64(rp_view_from_cstr(reg->number + (reg->number[1] == '0' ? 2 : 1)),
                                   46, &number));
        seen[number] = true;
        assert_true(reg->promises.n > 0);
    }
    for (size_t i = 1; i <= 46; i++) {
        if (!seen[i]) {
            fail_msg("R%02zu is missing", i);
        }
    }
}

/* The manual's example is built as it stands there: under thirty lines, and it works. */
static void the_manuals_key_cabinet_is_a_register(void **state) {
    (void)state;
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/docs/operations/new-register.md",
                   getenv("REMPART_SOURCE"));
    size_t n = 0;
    uint8_t *bytes = unit_file(path, &n);
    rp_view text = rp_view_of(bytes, n);
    text = rp_view_from(text, rp_view_find(text, RP_VIEW("```yaml\n")) + 8);
    text = rp_view_sub(text, 0, rp_view_find(text, RP_VIEW("```")));
    size_t lines = 0;
    for (size_t i = 0; i < text.n; i++) {
        lines += text.p[i] == '\n';
    }
    assert_true(lines > 10 && lines < 30);
    /* Beside the others, without the gates that stand in them already. */
    struct rp_registers more = {rp_arena_array(lasting, registers.count + 1, sizeof *more.list),
                                registers.count + 1};
    assert_non_null(more.list);
    memcpy(more.list, registers.list, registers.count * sizeof *more.list);
    rp_err err =
        rp_register_parse(text, "key-cabinet.yaml", lasting, &more.list[registers.count], &diag);
    for (size_t i = 0; i < registers.count; i++) {
        struct rp_register *reg = &more.list[i];
        while (reg->rule_count > 0 && reg->rules[reg->rule_count - 1].gate) {
            reg->rule_count--;
        }
    }
    check(err);
    check(rp_registers_check(&more, lasting, &diag));
    struct rp_desk desk = owner();
    desk.registers = &more;
    struct rp_change change = change_of("{\"label\":\"Server room\"}");
    struct rp_entry record;
    const struct rp_register *cabinet = &more.list[registers.count];
    check(rp_desk_create(&desk, cabinet, &change, &record));
    struct rp_change lend = change_of("{\"back_on\":\"2026-11-30\"}");
    assert_err(rp_desk_move(&desk, cabinet, record.facts.id, RP_VIEW("lend"), &lend, &record),
               INVALID);
    test_free(bytes);
}

/*= S9 type=test */
static void no_role_with_risk_before_the_check(void **state) {
    (void)state;
    rp_id id = {{0}};
    rp_id carl = new_person("Carl", (rp_id){{0xc0}});
    assert_ok(edit(owner(), "persons", carl, "{\"roles\":[\"legal\"]}"));
    assert_err(edit(owner(), "persons", carl, "{\"roles\":[\"operations\"]}"), DENIED);
    assert_err(edit(person(ann), "persons", carl, "{\"roles\":[\"legal\",\"security\"]}"), DENIED);
    assert_err(try_create(owner(), "persons",
                          "{\"name\":\"D\",\"kind\":\"employee\",\"start\":\"2026-11-02\","
                          "\"roles\":[\"operations\"]}",
                          &id),
               DENIED);
    rp_id agency = create(owner(), "suppliers",
                          "{\"name\":\"Check SA\",\"tier\":\"two\",\"service\":\"checks\"}");
    char json[400];
    text_of(json, sizeof json, "{\"person\":\"%s\"}", carl);
    rp_id file = create(owner(), "background-checks", json);
    text_of(json, sizeof json, "{\"agency\":\"%s\"}", agency);
    assert_err(edit(owner(), "background-checks", file, json), DENIED); /* not an approved one */
    /* An uncleared check does not open the gate, and nobody writes "cleared" by hand. */
    assert_err(move(owner(), "background-checks", file, "clear", "{}"), INVALID);
    assert_err(edit(owner(), "background-checks", file, "{\"cleared_on\":\"2026-11-02\"}"), DENIED);
    assert_err(edit(owner(), "persons", carl, "{\"roles\":[\"operations\"]}"), DENIED);
}

/*= S10 type=test */
static void nobody_is_active_before_signing_and_training(void **state) {
    (void)state;
    char json[400];
    struct rp_entry record;
    assert_ok(move(owner(), "persons", bob_record, "begin", "{}"));
    assert_err(move(owner(), "persons", bob_record, "activate", "{}"), DENIED);
    /* Beginning made what has to be signed; only Bob signs, with his second factor. */
    struct rp_desk desk = owner();
    struct rp_query query = {.reg = reg_of("acknowledgements"),
                             .count = 10,
                             .filters = {{"person", rp_view_from_cstr(rp_id_print(bob_record).s)}},
                             .filter_count = 1};
    struct rp_page page;
    assert_ok(rp_desk_list(&desk, &query, &page));
    assert_int_equal(page.total, 2);
    rp_id aup = page.records[0].facts.id, nda = page.records[1].facts.id;
    assert_err(move(owner(), "acknowledgements", nda, "sign", "{}"), DENIED);
    assert_err(move(person(ann), "acknowledgements", nda, "sign", "{}"), DENIED);
    struct rp_desk stale = person(bob);
    stale.actor.second_factor_ms -= RP_SIGNATURE_FRESH_MS + 1;
    assert_err(move(stale, "acknowledgements", nda, "sign", "{}"), SECOND_FACTOR);
    assert_ok(move(person(bob), "acknowledgements", nda, "sign", "{}"));
    assert_err(move(owner(), "persons", bob_record, "activate", "{}"), DENIED);
    assert_ok(move(person(bob), "acknowledgements", aup, "sign", "{}"));
    text_of(json, sizeof json, "{\"person\":\"%s\",\"track\":\"base\"}", bob_record);
    rp_id course = create(owner(), "training", json);
    assert_err(move(person(bob), "training", course, "pass", "{\"score\":90,\"pass_mark\":80}"),
               DENIED);
    assert_err(move(owner(), "training", course, "pass", "{\"score\":70,\"pass_mark\":80}"),
               DENIED);
    assert_ok(move(owner(), "training", course, "pass", "{\"score\":90,\"pass_mark\":80}"));
    assert_ok(move(owner(), "persons", bob_record, "activate", "{}"));
    desk = owner();
    assert_ok(rp_desk_read(&desk, reg_of("persons"), bob_record, &record));
    assert_view(record.facts.state, "active");
    assert_view(rp_json_get_string(record.facts.secret, "name"), "Bob");
}

/*= S62 type=test */
static void no_change_is_approved_by_its_author(void **state) {
    (void)state;
    const char *json = "{\"summary\":\"New TLS list\",\"kind\":\"normal\",\"risk\":\"low\"}";
    rp_id change = create(person(ann), "changes", json);
    assert_ok(move(person(ann), "changes", change, "submit",
                   "{\"tests\":\"ok\",\"rollback\":\"revert\"}"));
    assert_err(move(person(ann), "changes", change, "approve", "{\"commit\":\"abc\"}"), DENIED);
    assert_err(move(owner(), "changes", change, "approve", "{\"commit\":\"abc\"}"), SECOND_FACTOR);
    assert_err(
        edit(owner(), "changes", change, "{\"approved_by\":\"00000000000000000000000000000001\"}"),
        DENIED);
    assert_err(move(owner(), "changes", change, "deploy", "{}"), INVALID);
    assert_ok(move(person(bob), "changes", change, "approve", "{\"commit\":\"abc\"}"));
    /* What was approved is what is deployed. */
    assert_err(edit(person(ann), "changes", change, "{\"commit\":\"def\"}"), DENIED);
    assert_ok(move(person(ann), "changes", change, "deploy", "{}"));
}

static struct rp_desk with_role(const char *role) {
    struct rp_desk desk = person(bob);
    struct rp_json *roles = rp_json_array(arena);
    rp_json_add_cstr(arena, roles, NULL, role);
    desk.actor.operator_role = false;
    desk.actor.roles = roles;
    return desk;
}

/*= S27 type=test */
static void access_purposes_are_written_by_human_resources_alone(void **state) {
    (void)state;
    const char *json = "{\"name\":\"Desk\",\"role\":\"Clerk\",\"holders\":[\"employee\"],"
                       "\"zones\":[\"lobby\"],\"why\":\"to work\"}";
    rp_id purpose = {{0}};
    assert_err(try_create(owner(), "purposes", json, &purpose), DENIED);
    assert_view(rp_view_from_cstr(diag.text), "role: hr");
    assert_err(try_create(person(ann), "purposes", json, &purpose), DENIED); /* an operator */
    assert_err(try_create(with_role("facilities"), "purposes", json, &purpose), DENIED);
    purpose = create(with_role("hr"), "purposes", json);
    assert_err(edit(owner(), "purposes", purpose, "{\"zones\":[\"datacentre\"]}"), DENIED);
    assert_err(move(person(ann), "purposes", purpose, "adopt", "{}"), DENIED);
    assert_ok(move(with_role("hr"), "purposes", purpose, "adopt", "{}"));
    /* A card stays within what it names. */
    char pattern[400], card[500];
    text_of(pattern, sizeof pattern,
            "{\"card_number\":\"C-1\",\"holder_kind\":\"employee\",\"person\":\"%s\","
            "\"purpose\":\"office\",\"template\":\"#\",\"zones\":[\"lobby\",\"offices\"],"
            "\"valid_from\":\"2026-11-01\",\"valid_to\":\"2027-11-01\"}",
            ann_record);
    char *hole = strchr(pattern, '#');
    assert_non_null(hole);
    *hole = '\0';
    (void)snprintf(card, sizeof card, "%s%s%s", pattern, rp_id_print(purpose).s, hole + 1);
    rp_id wide = create(owner(), "cards", card);
    assert_err(move(owner(), "cards", wide, "activate", "{}"), DENIED);
    assert_ok(edit(owner(), "cards", wide, "{\"zones\":[\"lobby\"]}"));
    assert_ok(move(owner(), "cards", wide, "activate", "{}"));
}

/*= S165 type=test */
static void no_supplier_is_active_without_assessment(void **state) {
    (void)state;
    char json[400];
    text_of(json, sizeof json, "{\"scenario\":\"they stop\",\"owner\":\"%s\"}", ann_record);
    rp_id risk = create(owner(), "risks", json);
    const char *supplier = "{\"name\":\"Host SA\",\"tier\":\"one\",\"service\":\"hosting\"}";
    rp_id id = create(owner(), "suppliers", supplier);
    assert_err(move(person(ann), "suppliers", id, "activate", "{}"), INVALID);
    assert_err(move(person(ann), "suppliers", id, "approve", "{}"), INVALID);
    int n =
        snprintf(json, sizeof json, "{\"questionnaire\":\"%064d\",\"score\":80,\"risk\":\"%s\"}", 0,
                 rp_id_print(risk).s);
    assert_true(n > 0 && (size_t)n < sizeof json);
    assert_err(move(person(ann), "suppliers", id, "assess", "{\"score\":80}"), INVALID);
    assert_ok(move(person(ann), "suppliers", id, "assess", json));
    assert_err(move(person(ann), "suppliers", id, "approve", "{}"), DENIED); /* who assessed it */
    assert_ok(move(person(bob), "suppliers", id, "approve", "{}"));
    assert_err(move(owner(), "suppliers", id, "activate", "{}"), INVALID); /* no contract */
    n = snprintf(json, sizeof json,
                 "{\"contract\":\"%064d\",\"clause_confidentiality\":true,"
                 "\"clause_availability\":true,\"clause_integrity\":true}",
                 0);
    assert_true(n > 0 && (size_t)n < sizeof json);
    assert_ok(move(owner(), "suppliers", id, "activate", json));
    assert_err(edit(owner(), "suppliers", id, "{\"score\":null}"), DENIED);
}

#define FACTORS "{\"factors\":[\"card\",\"code\",\"iris\"]}"

/*= S31 type=test */
static void nobody_enters_without_ticket_and_window(void **state) {
    (void)state;
    char json[400];
    text_of(json, sizeof json,
            "{\"person\":\"%s\",\"site\":\"P1\",\"purpose\":\"disk\",\"window_from\":"
            "\"2026-11-25T08:00:00Z\",\"window_to\":\"2026-11-25T10:00:00Z\"}",
            bob_record);
    rp_id ticket = create(person(bob), "dc-tickets", json);
    assert_err(move(person(bob), "dc-tickets", ticket, "enter", FACTORS), DENIED);
    assert_err(move(person(bob), "dc-tickets", ticket, "approve", "{}"), DENIED);
    assert_ok(move(person(ann), "dc-tickets", ticket, "approve", "{}"));
    assert_err(
        edit(person(bob), "dc-tickets", ticket, "{\"window_from\":\"2026-11-23T08:00:00Z\"}"),
        DENIED);
    assert_err(move(person(bob), "dc-tickets", ticket, "enter", FACTORS), DENIED); /* too early */
    int64_t now = world.now_ns;
    world.now_ns = INT64_C(1795597200) * 1000000000; /* 25 November, 09:00 UTC */
    assert_ok(move(person(bob), "dc-tickets", ticket, "enter", FACTORS));
    world.now_ns = now;
}

static void a_row_edited_in_the_file_is_noticed(void **state) {
    (void)state;
    struct rp_desk desk = owner();
    struct rp_entry record;
    struct rp_row *row = NULL;
    uint64_t rows = 0, altered = 0;
    rp_id id =
        create(owner(), "suppliers", "{\"name\":\"Nuage SA\",\"tier\":\"one\",\"service\":\"x\"}");
    assert_ok(rp_db_query(db, "UPDATE register_record SET state = 'active' WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, id);
    assert_ok(rp_row_run(row, NULL));
    assert_err(rp_desk_read(&desk, reg_of("suppliers"), id, &record), CORRUPT);
    assert_err(move(owner(), "suppliers", id, "reassess", "{\"score\":50}"), CORRUPT);
    assert_ok(rp_desk_sweep(&desk, &rows, &altered));
    assert_int_equal(altered, 1);
    assert_true(rows > 3);
    assert_ok(rp_db_query(db, "UPDATE register_record SET state = 'prospect' WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, id);
    assert_ok(rp_row_run(row, NULL));
    desk = owner();
    assert_ok(rp_desk_read(&desk, reg_of("suppliers"), id, &record));
}

static void lists_search_versions_and_history(void **state) {
    (void)state;
    struct rp_desk desk = owner();
    struct rp_page page;
    struct rp_json *history = NULL;
    struct rp_entry record;
    rp_id id =
        create(owner(), "isms", "{\"subject\":\"Disponibilité mesurée\",\"kind\":\"objective\"}");
    struct rp_change change = change_of("{\"target\":99}");
    change.version = 7;
    assert_err(rp_desk_edit(&desk, reg_of("isms"), id, &change, &record), CONFLICT);
    change.version = 1;
    assert_ok(rp_desk_edit(&desk, reg_of("isms"), id, &change, &record));
    assert_int_equal(record.version, 2);
    struct rp_query query = {.reg = reg_of("isms"), .text = RP_VIEW("disponibilite"), .count = 5};
    assert_ok(rp_desk_list(&desk, &query, &page));
    assert_int_equal(page.total, 1);
    query.text = RP_VIEW("\" OR 1");
    assert_ok(rp_desk_list(&desk, &query, &page));
    assert_int_equal(page.total, 0);
    query = (struct rp_query){
        .reg = reg_of("isms"), .sort = RP_VIEW("target"), .descending = true, .count = 5};
    assert_ok(rp_desk_list(&desk, &query, &page));
    assert_true(page.total >= 1);
    query.sort = RP_VIEW("subject");
    assert_err(rp_desk_list(&desk, &query, &page), INVALID);
    assert_ok(rp_desk_history(&desk, &record, &history));
    assert_int_equal(history->count, 2);
    assert_err(edit(owner(), "isms", id, "{\"colour\":\"red\"}"), UNKNOWN_KEY);
    assert_err(edit(owner(), "isms", id, "{\"target\":\"many\"}"), INVALID);
    assert_err(edit(owner(), "isms", id, "{\"subject\":null}"), INVALID);
    rp_id same = {{0}};
    assert_ok(try_create(owner(), "suppliers",
                         "{\"name\":\"Twice\",\"tier\":\"one\",\"service\":\"x\"}", &same));
    assert_err(try_create(owner(), "suppliers",
                          "{\"name\":\"Twice\",\"tier\":\"one\",\"service\":\"x\"}", &same),
               DUPLICATE);
}

static void set_sql(const char *sql, const char *value) {
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(db, sql, &row));
    rp_row_bind_text(row, 1, rp_view_from_cstr(value));
    assert_ok(rp_row_run(row, NULL));
}

static void assert_orphan(const char *line, const char *said) {
    set_sql("UPDATE register_schema SET shape = shape || ?1 WHERE register = 'isms'", line);
    struct rp_desk desk = owner();
    rp_err err = rp_desk_check_schemas(&desk);
    if (!said) {
        assert_ok(err);
        return;
    }
    assert_err(err, INVALID);
    if (!strstr(diag.text, said)) {
        fail_msg("\"%s\" does not say \"%s\"", diag.text, said);
    }
    set_sql("UPDATE register_schema SET shape = replace(shape, ?1, '') WHERE register = 'isms'",
            line);
}

/* Letters that no compression makes shorter. */
static void fill_with_chance(char *text, size_t n) {
    uint64_t random = 1;
    for (size_t i = 0; i < n; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        text[i] = (char)('A' + (random >> 40) % 26);
    }
    text[n] = 0;
}

static void a_unique_text_is_as_long_as_every_index_takes(void **state) {
    (void)state;
    char json[4000], name[2002];
    rp_id id;
    for (size_t n = 2000; n <= 2001; n++) {
        fill_with_chance(name, n);
        (void)snprintf(json, sizeof json, "{\"name\":\"%s\",\"tier\":\"one\",\"service\":\"x\"}",
                       name);
        rp_err err = try_create(owner(), "suppliers", json, &id);
        if (n == 2000) {
            check(err);
        } else {
            assert_err(err, INVALID);
            assert_non_null(strstr(diag.text, "1 to 2000 bytes"));
        }
    }
}

/* What is gone from the file is refused only where records use it, and the message says what they
 * have to go through first. */
static void a_schema_that_orphans_data_names_its_migration(void **state) {
    (void)state;
    assert_ok(
        try_create(owner(), "isms", "{\"subject\":\"Kept\",\"kind\":\"issue\"}", &(rp_id){{0}}));
    assert_orphan("field colour text\n", NULL);
    assert_orphan("state gone\n", NULL);
    assert_orphan("choice kind.issue2\n", NULL);
    set_sql("UPDATE register_record SET body = ?1 || substr(body, 2) WHERE register = 'isms'",
            "{\"colour\":\"red\",");
    assert_orphan("field colour text\n", "edit isms ID colour=null");
    assert_orphan("choice colour.red\n", "edit isms ID colour=");
    set_sql("UPDATE register_record SET state = 'gone', body = replace(body, ?1, '') "
            "WHERE register = 'isms'",
            "\"colour\":\"red\",");
    assert_orphan("state gone\n", "list isms state=gone");
    set_sql("UPDATE register_record SET state = ?1 WHERE register = 'isms'", "open");
}

static void deadlines_fire_and_move(void **state) {
    (void)state;
    struct rp_desk desk = owner();
    struct rp_entry record;
    size_t fired = 0;
    char json[500];
    (void)snprintf(
        json, sizeof json,
        "{\"name\":\"ISO 27001\",\"scope\":\"all\",\"issuer\":\"X\",\"file_sha256\":\"%064d\","
        "\"issued_on\":\"2024-01-01\",\"expires_on\":\"2026-12-31\"}",
        0);
    rp_id id = create(owner(), "certificates", json);
    int64_t now = world.now_ns;
    world.now_ns += 60 * day_ms * 1000000;
    for (int i = 0; i < 20; i++) {
        desk = owner();
        assert_ok(rp_desk_tick(&desk, &fired));
    }
    desk = owner();
    assert_ok(rp_desk_read(&desk, reg_of("certificates"), id, &record));
    assert_view(record.facts.state, "expired");
    world.now_ns = now;
}

/*= S9, S10 type=test */
static void the_canary_sees_and_reaches_its_own_shelf_alone(void **state) {
    (void)state;
    struct rp_desk desk = owner();
    struct rp_entry record;
    struct rp_page page;
    char json[200];
    rp_id account = {{0xca}};
    desk.canary = true;
    text_of(json, sizeof json,
            "{\"name\":\"c\",\"kind\":\"employee\",\"start\":\"2026-01-01\",\"account\":\"%s\"}",
            account);
    rp_id own = create(desk, "persons", json);
    struct rp_desk canary = owner();
    canary.actor = (struct rp_actor){.how = "session"};
    assert_ok(rp_desk_sit(&canary, account));
    assert_true(canary.canary && canary.actor.waiting);
    /* Its own can be read and changed, a real person's cannot be found, nor the other way round. */
    assert_ok(rp_desk_read(&canary, reg_of("persons"), own, &record));
    assert_err(rp_desk_read(&canary, reg_of("persons"), ann_record, &record), NOT_FOUND);
    assert_err(edit(canary, "persons", ann_record, "{\"kind\":\"contractor\"}"), NOT_FOUND);
    desk = owner();
    assert_err(rp_desk_read(&desk, reg_of("persons"), own, &record), NOT_FOUND);
    assert_err(edit(canary, "persons", own, "{\"roles\":[\"operations\"]}"), DENIED);
    /* It says of nobody else that the account is theirs. */
    text_of(json, sizeof json, "{\"account\":\"%s\"}", ann);
    assert_err(edit(canary, "persons", own, json), DENIED);
    const struct rp_query query = {.reg = reg_of("persons"), .count = 10};
    assert_ok(rp_desk_list(&canary, &query, &page));
    assert_int_equal(page.total, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_forty_six_registers_are_there),
        cmocka_unit_test(the_manuals_key_cabinet_is_a_register),
        cmocka_unit_test(no_role_with_risk_before_the_check),
        cmocka_unit_test(nobody_is_active_before_signing_and_training),
        cmocka_unit_test(no_change_is_approved_by_its_author),
        cmocka_unit_test(access_purposes_are_written_by_human_resources_alone),
        cmocka_unit_test(no_supplier_is_active_without_assessment),
        cmocka_unit_test(nobody_enters_without_ticket_and_window),
        cmocka_unit_test(a_row_edited_in_the_file_is_noticed),
        cmocka_unit_test(lists_search_versions_and_history),
        cmocka_unit_test(a_unique_text_is_as_long_as_every_index_takes),
        cmocka_unit_test(a_schema_that_orphans_data_names_its_migration),
        cmocka_unit_test(deadlines_fire_and_move),
        cmocka_unit_test(the_canary_sees_and_reaches_its_own_shelf_alone),
    };
    return cmocka_run_group_tests_name("desk", tests, setup, teardown);
}
