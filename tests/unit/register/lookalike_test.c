/* lookalike_test.c — what a delivery leaves behind: records, events, when it came (S176). */
#include "office.h"

#include "register/lookalike.h"

static struct rp_found_name found[3];

static struct rp_delivery delivery_of(const char *const *names, size_t count) {
    struct rp_delivery delivery = {
        .source = RP_VIEW("a monitor"), .names = 10, .found = found, .count = count};
    for (size_t i = 0; i < count; i++) {
        found[i] = (struct rp_found_name){
            .judged = {RP_LOOKALIKE_WORD, "moncoffre.fr", rp_view_from_cstr(names[i])}};
    }
    return delivery;
}

static rp_err deliver(struct rp_desk desk, const char *const *names, size_t count) {
    struct rp_delivery delivery = delivery_of(names, count);
    return rp_desk_take_delivery(&desk, &delivery);
}

static uint64_t records(void) {
    struct rp_desk desk = owner();
    const struct rp_query query = {.reg = reg_of("lookalikes"), .count = 10};
    struct rp_page page;
    assert_ok(rp_desk_list(&desk, &query, &page));
    return page.total;
}

static const char *const one[] = {"moncoffre-login.com"};
static const char *const three[] = {"moncoffre-login.com", "xn--moncoffr-j8g-login.fr",
                                    "moncoffre-login.com"};

/*= S176 type=test */
static void each_name_is_one_record(void **state) {
    (void)state;
    assert_ok(deliver(owner(), one, 1));
    assert_int_equal(found[0].what, RP_FOUND_NEW);
    assert_ok(deliver(owner(), three, 3));
    assert_int_equal(found[0].what, RP_FOUND_KNOWN);
    assert_int_equal(found[1].what, RP_FOUND_NEW);
    assert_int_equal(found[2].what, RP_FOUND_KNOWN);
    assert_int_equal(records(), 2);
    assert_int_equal(events_with("lookalike.flagged"), 2);
}

static void its_deadline_runs(void **state) {
    (void)state;
    assert_ok(deliver(owner(), one, 1));
    assert_int_equal(events_with("register.due"), 0);
    struct rp_desk desk = owner();
    size_t fired = 0;
    world.now_ns += (int64_t)6 * day_ms * 1000000;
    assert_ok(rp_desk_tick(&desk, &fired));
    assert_true(fired > 0 && events_with("register.due") > 0);
}

/*= S176 type=test */
static void what_was_down_and_comes_again_is_opened_again(void **state) {
    (void)state;
    assert_ok(deliver(owner(), one, 1));
    rp_id id = found[0].record.facts.id;
    assert_ok(move(person(ann), "lookalikes", id, "report",
                   "{\"judgement\":\"a copy\",\"reported_to\":\"its registrar\"}"));
    assert_ok(deliver(owner(), one, 1));
    assert_int_equal(found[0].what, RP_FOUND_KNOWN);
    assert_ok(move(person(ann), "lookalikes", id, "take_down", "{}"));
    assert_ok(deliver(owner(), one, 1));
    assert_int_equal(found[0].what, RP_FOUND_AGAIN);
    assert_view(found[0].record.facts.state, "new");
    assert_int_equal(events_with("lookalike.flagged"), 2);
    assert_ok(move(person(ann), "lookalikes", id, "dismiss", "{\"judgement\":\"a reseller\"}"));
    assert_ok(deliver(owner(), one, 1));
    assert_int_equal(found[0].what, RP_FOUND_KNOWN);
}

static void a_row_that_was_altered_keeps_no_other_from_being_flagged(void **state) {
    (void)state;
    struct rp_row *row = NULL;
    assert_ok(deliver(owner(), one, 1));
    assert_ok(rp_db_query(db, "UPDATE register_record SET state = 'harmless' WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, found[0].record.facts.id);
    assert_ok(rp_row_run(row, NULL));
    assert_ok(deliver(owner(), three, 2));
    assert_int_equal(found[0].what, RP_FOUND_KNOWN);
    assert_int_equal(found[1].what, RP_FOUND_NEW);
}

static void when_a_feed_came_is_known_and_typing_is_no_feed(void **state) {
    (void)state;
    struct rp_desk desk = owner();
    struct rp_last_delivery last;
    struct rp_delivery typed = delivery_of(one, 1);
    typed.typed = true;
    assert_ok(rp_desk_take_delivery(&desk, &typed));
    assert_ok(rp_desk_last_delivery(&desk, &last));
    assert_int_equal(last.at_ms, 0);
    assert_ok(deliver(owner(), three, 3));
    assert_ok(deliver(owner(), three, 0));
    assert_ok(rp_desk_last_delivery(&desk, &last));
    assert_int_equal(last.at_ms, world.now_ns / 1000000);
    assert_int_equal(last.names, 20);
    assert_int_equal(last.flagged, 1);
    assert_view(last.source, "a monitor");
}

static void who_may_not_write_the_register_delivers_nothing(void **state) {
    (void)state;
    struct rp_desk stranger = owner();
    struct rp_last_delivery last;
    stranger.actor = (struct rp_actor){.id = {{0x77}}, .how = "token"};
    assert_err(deliver(stranger, one, 1), DENIED);
    assert_int_equal(records(), 0);
    struct rp_desk desk = owner();
    assert_ok(rp_desk_last_delivery(&desk, &last));
    assert_int_equal(last.at_ms, 0);
}

/* A kind that the register does not know would refuse the whole delivery. */
static void the_register_knows_each_kind(void **state) {
    (void)state;
    const struct rp_field *kind = rp_register_field(reg_of("lookalikes"), RP_VIEW("kind"));
    assert_non_null(kind);
    assert_int_equal(kind->choice_count, RP_LOOKALIKE_COUNT - 1);
    for (size_t i = 1; i < RP_LOOKALIKE_COUNT; i++) {
        const char *name = rp_lookalike_name((enum rp_lookalike_kind)i);
        assert_non_null(rp_field_choice(kind, rp_view_from_cstr(name)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_name_is_one_record, setup, teardown),
        cmocka_unit_test_setup_teardown(its_deadline_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_down_and_comes_again_is_opened_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_row_that_was_altered_keeps_no_other_from_being_flagged,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(when_a_feed_came_is_known_and_typing_is_no_feed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_may_not_write_the_register_delivers_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_register_knows_each_kind, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
