/* deploy_test.c — what may go to production, by what the register of changes says (S62). */
#include "office.h"

#include "register/deploy.h"

#define SHOP "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define COMMIT "4f1c2e7a88b1c0d2e3f4a5b6c7d8e9f001122334"

static rp_err ask_as(struct rp_desk desk, const char *text) {
    struct rp_artefact artefact;
    struct rp_entry change;
    assert_true(rp_artefact_parse_loose(rp_view_from_cstr(text), &artefact));
    return rp_desk_may_deploy(&desk, &artefact, &change);
}

static rp_err ask(const char *text) {
    return ask_as(owner(), text);
}

/* Refused, and the reason says so. */
static void assert_refused(const char *text, const char *why) {
    assert_err(ask(text), UNAPPROVED);
    if (rp_view_find(rp_view_from_cstr(diag.text), rp_view_from_cstr(why)) == strlen(diag.text)) {
        fail_msg("\"%s\" does not say \"%s\"", diag.text, why);
    }
}

static rp_id draft(const char *more) {
    char json[600];
    (void)snprintf(json, sizeof json,
                   "{\"summary\":\"Shop\",\"kind\":\"normal\",\"risk\":\"low\",\"commit\":\"1\","
                   "\"tests\":\"ok\",\"rollback\":\"the former one\",\"artefacts\":"
                   "[\"shop@sha256:" SHOP "\",\"git:" COMMIT "\"]%s}",
                   more);
    return create(person(ann), "changes", json);
}

static rp_id approved(const char *more) {
    rp_id change = draft(more);
    assert_ok(move(person(ann), "changes", change, "submit", "{}"));
    assert_ok(move(person(bob), "changes", change, "approve", "{}"));
    return change;
}

/*= S62 type=test */
static void only_what_an_approved_change_lists_goes_out(void **state) {
    (void)state;
    assert_refused(SHOP, "no change lists it");
    rp_id change = draft("");
    assert_refused(SHOP, "changes-1: not approved");
    assert_ok(move(person(ann), "changes", change, "submit", "{}"));
    assert_err(move(person(ann), "changes", change, "approve", "{}"), DENIED);
    assert_refused(SHOP, "not approved");
    assert_ok(move(person(bob), "changes", change, "approve", "{}"));
    assert_ok(ask("sha256:" SHOP));
    assert_ok(ask(COMMIT));
    /* As another kind, and one digit away, it is another thing. */
    assert_refused("git:" SHOP, "no change lists it");
    assert_refused("sha256:0f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                   "no change lists it");
    assert_ok(move(owner(), "changes", change, "deploy", "{}"));
    assert_ok(ask(SHOP)); /* on the next machine, too */
    assert_ok(move(owner(), "changes", change, "roll_back", "{}"));
    assert_refused(SHOP, "not approved");
}

static void an_approval_is_taken_back_and_ends(void **state) {
    (void)state;
    rp_id change = approved(",\"approved_until\":\"2026-12-24\"");
    assert_ok(ask(SHOP));
    world.now_ns += (int64_t)40 * day_ms * 1000000;
    assert_refused(SHOP, "its approval is over");
    world.now_ns -= (int64_t)40 * day_ms * 1000000;
    assert_ok(move(person(bob), "changes", change, "return", "{}"));
    assert_refused(SHOP, "not approved");
    /* What the draft lists no more is not approved with it. */
    assert_ok(edit(person(ann), "changes", change, "{\"artefacts\":[\"git:" COMMIT "\"]}"));
    assert_refused(SHOP, "no change lists it");
    assert_ok(move(person(ann), "changes", change, "submit", "{}"));
    assert_ok(move(person(bob), "changes", change, "approve", "{}"));
    assert_refused(SHOP, "no change lists it");
    assert_ok(ask(COMMIT));
}

static void an_approval_without_a_signature_is_none(void **state) {
    (void)state;
    struct rp_move *approve = NULL;
    const struct rp_register *changes = reg_of("changes");
    for (size_t i = 0; i < changes->move_count; i++) {
        approve = strcmp(changes->moves[i].id, "approve") == 0 ? &changes->moves[i] : approve;
    }
    assert_non_null(approve);
    approve->sign = false; /* as an edited file would have it */
    (void)approved("");
    approve->sign = true;
    assert_refused(SHOP, "approved without a signature");
}

static void a_row_that_was_written_by_hand_approves_nothing(void **state) {
    (void)state;
    rp_id change = draft("");
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(db, "UPDATE register_record SET state = 'approved' WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, change);
    assert_ok(rp_row_run(row, NULL));
    assert_err(ask(SHOP), UNAPPROVED);
    assert_int_equal(events_with("register.altered"), 1);
}

static void each_answer_is_an_event(void **state) {
    (void)state;
    (void)approved("");
    assert_ok(ask(SHOP));
    assert_err(ask("git:" SHOP), UNAPPROVED);
    assert_int_equal(events_with("deploy.approved"), 1);
    assert_int_equal(events_with("deploy.refused"), 1);
}

static void who_may_not_read_the_changes_is_told_nothing(void **state) {
    (void)state;
    (void)approved("");
    struct rp_desk stranger = owner();
    stranger.actor = (struct rp_actor){.id = {{0x77}}, .how = "session"};
    assert_err(ask_as(stranger, SHOP), DENIED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_an_approved_change_lists_goes_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_approval_is_taken_back_and_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(an_approval_without_a_signature_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_row_that_was_written_by_hand_approves_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(each_answer_is_an_event, setup, teardown),
        cmocka_unit_test_setup_teardown(who_may_not_read_the_changes_is_told_nothing, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
