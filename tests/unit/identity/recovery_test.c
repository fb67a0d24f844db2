/* recovery_test.c — ten codes, each once in the place of a one-time code, and never the last word.
 */
#include "world.h"

static rp_err make(const struct person *person, rp_view code, bool key_shown,
                   struct rp_recovery_codes *ret_codes) {
    const struct rp_recovery_ask ask = {
        .person = person->person, .code = code, .client = HERE, .key_shown = key_shown};
    return rp_identity_new_recovery_codes(identity, &ask, ret_codes);
}

static struct rp_recovery_codes ten(const struct person *person) {
    struct rp_recovery_codes codes;
    assert_ok(make(person, code_at(person, 0), false, &codes));
    wait_ms(STEP_MS);
    return codes;
}

static size_t left(const struct person *person) {
    size_t count = 99;
    assert_ok(rp_identity_recovery_left(identity, person->person, &count));
    return count;
}

static rp_err finish_with(const char *code) {
    struct rp_token pending, cookie;
    struct rp_session session;
    assert_ok(with_password(true, HERE, &pending));
    return rp_identity_sign_in_finish(identity, text(&pending), rp_view_from_cstr(code), HERE,
                                      &cookie, &session);
}

static void ten_codes_differ_and_are_made_with_a_one_time_code(void **state) {
    (void)state;
    struct person ann = enrolled();
    struct rp_recovery_codes codes;
    assert_int_equal(left(&ann), 0);
    assert_err(make(&ann, wrong_code(&ann), true, &codes), DENIED);
    assert_int_equal(left(&ann), 0);
    codes = ten(&ann);
    assert_int_equal(left(&ann), RP_RECOVERY_CODES);
    for (size_t i = 0; i < RP_RECOVERY_CODES; i++) {
        assert_int_equal(strlen(codes.s[i]), RP_RECOVERY_TEXT);
        assert_int_equal(codes.s[i][5], '-');
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(codes.s[i], codes.s[k]);
        }
    }
    assert_int_equal(events_with("recovery_codes.made"), 1);
}

static void each_works_once(void **state) {
    (void)state;
    struct person ann = enrolled();
    struct rp_recovery_codes codes = ten(&ann);
    assert_ok(finish_with(codes.s[3]));
    assert_err(finish_with(codes.s[3]), DENIED);
    assert_int_equal(left(&ann), RP_RECOVERY_CODES - 1);
    assert_int_equal(events_with("recovery_codes.used"), 1);
}

static void they_are_read_as_people_write_them(void **state) {
    (void)state;
    struct person ann = enrolled();
    struct rp_recovery_codes codes = ten(&ann);
    char written[RP_RECOVERY_TEXT + 3] = " ";
    size_t n = 1;
    for (const char *c = codes.s[0]; *c; c++) {
        if (*c != '-') { /* in capitals, without the hyphen, with a space before */
            written[n++] = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
        }
    }
    written[n] = 0;
    assert_ok(finish_with(written));
    assert_err(finish_with("aaaaa-aaaa"), DENIED);
    assert_err(finish_with("aaaaa-aaaal"), DENIED); /* l is no sign of theirs */
}

static void the_next_ten_end_the_former(void **state) {
    (void)state;
    struct person ann = enrolled();
    struct rp_recovery_codes former = ten(&ann), codes = ten(&ann);
    assert_int_equal(left(&ann), RP_RECOVERY_CODES);
    assert_err(finish_with(former.s[0]), DENIED);
    assert_ok(finish_with(codes.s[0]));
}

static void a_recovery_code_makes_no_others(void **state) {
    (void)state;
    struct person ann = enrolled();
    struct rp_recovery_codes codes = ten(&ann), more;
    assert_err(make(&ann, rp_view_from_cstr(codes.s[0]), true, &more), DENIED);
    assert_int_equal(left(&ann), RP_RECOVERY_CODES);
}

static void a_code_used_to_sign_in_makes_none(void **state) {
    (void)state;
    struct person ann = enrolled();
    struct rp_token cookie;
    struct rp_recovery_codes codes;
    (void)signed_in(&ann, &cookie);
    assert_err(make(&ann, code_at(&ann, 0), false, &codes), REPLAYED);
}

static void run_for(const char *sql, rp_id person) {
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(central, sql, &row));
    rp_row_bind_id(row, 1, person);
    assert_ok(rp_row_run(row, NULL));
}

/* The row of a key that nobody holds. */
static void put_passkey(rp_id person) {
    static const uint8_t credential[32] = {7};
    struct rp_row *row = NULL;
    assert_ok(rp_db_query(central,
                          "INSERT INTO passkey (id, person, credential, sealed, sign_count, "
                          "created_ms, used_ms) VALUES (?2, ?1, ?3, ?3, 0, 0, 0)",
                          &row));
    rp_row_bind_id(row, 1, person);
    rp_row_bind_id(row, 2, (rp_id){{7}});
    rp_row_bind_blob(row, 3, rp_view_of(credential, sizeof credential));
    assert_ok(rp_row_run(row, NULL));
}

/* Somebody whom an import brought without an authenticator, and who added a key. */
static void who_has_keys_alone_makes_and_uses_them(void **state) {
    (void)state;
    struct person ann = enrolled();
    struct rp_recovery_codes codes;
    run_for("UPDATE person SET totp_sealed = NULL WHERE id = ?1", ann.person);
    assert_err(make(&ann, RP_VIEW(""), true, &codes), CONFLICT); /* nothing to stand in for */
    put_passkey(ann.person);
    assert_err(make(&ann, RP_VIEW(""), false, &codes), SECOND_FACTOR);
    assert_err(make(&ann, code_at(&ann, 0), false, &codes), SECOND_FACTOR);
    assert_int_equal(left(&ann), 0);
    assert_ok(make(&ann, RP_VIEW(""), true, &codes));
    assert_int_equal(left(&ann), RP_RECOVERY_CODES);
    assert_ok(finish_with(codes.s[0]));
    assert_err(finish_with(codes.s[0]), DENIED);
    /* A recovery code makes no others for them either. */
    assert_err(make(&ann, rp_view_from_cstr(codes.s[1]), false, &codes), SECOND_FACTOR);
    assert_int_equal(left(&ann), RP_RECOVERY_CODES - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(ten_codes_differ_and_are_made_with_a_one_time_code),
        TEST(each_works_once),
        TEST(they_are_read_as_people_write_them),
        TEST(the_next_ten_end_the_former),
        TEST(a_recovery_code_makes_no_others),
        TEST(a_code_used_to_sign_in_makes_none),
        TEST(who_has_keys_alone_makes_and_uses_them),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
