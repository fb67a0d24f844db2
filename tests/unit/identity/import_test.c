/* import_test.c — people of another system: all of a file or none, and the first sign-in after. */
#include "world.h"

#include "identity/members.h"
#include "identity/people_file.h"

#define BCRYPT "$2y$04$abcdefghijklmnopqrstuuMvfWYgWRqvTZRAU1OqqdJYWKzkNYwr6"
#define SEED "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

struct import {
    struct rp_arena *arena;
    struct rp_people_file file;
    struct rp_people_import import;
};

static rp_id acme(void) {
    rp_id tenant;
    assert_ok(rp_identity_new_tenant(identity, RP_VIEW("Acme"), &tenant));
    return tenant;
}

static struct import read_csv(rp_id tenant, const char *csv) {
    struct import import = {.arena = rp_arena_new(4 << 20), .import = {.tenant = tenant}};
    struct rp_diag diag = {0};
    assert_ok(rp_people_read_csv(rp_view_from_cstr(csv), RP_EN, import.arena, &import.file, &diag));
    return import;
}

static struct import run(struct import import) {
    import.import.file = &import.file;
    assert_ok(rp_identity_import(identity, &import.import));
    return import;
}

static void done(struct import *import) {
    rp_people_wipe(&import->file);
    rp_arena_free(import->arena);
}

static enum rp_people_fault fault_of(const struct import *import, size_t line) {
    assert_true(line < import->file.count);
    return import->file.lines[line].fault;
}

static rp_err count_member(void *ctx, const struct rp_member *member) {
    ((size_t *)ctx)[member->invited]++;
    return RP_OK;
}

static void assert_people(rp_id tenant, size_t here, size_t invited_there) {
    size_t counts[2] = {0};
    assert_ok(rp_identity_each_member(identity, tenant, count_member, counts));
    assert_int_equal(counts[0], here);
    assert_int_equal(counts[1], invited_there);
}

static void people_come_with_their_password_and_second_factor(void **state) {
    (void)state;
    rp_id tenant = acme();
    struct import import = run(read_csv(tenant, "email;role;password;totp;lang\n"
                                                "Lea@Example.com;admin;" BCRYPT ";" SEED ";en\n"
                                                "bo@example.com;;;;\n"));
    assert_true(import.import.applied);
    assert_int_equal(import.import.imported, 1);
    assert_int_equal(import.import.invited, 1);
    assert_people(tenant, 1, 1);
    struct rp_sign_in sign_in;
    struct rp_token pending, cookie;
    struct rp_session session;
    assert_ok(rp_identity_sign_in_start(identity, RP_VIEW("lea@example.com"), HERE, &sign_in));
    assert_true(sign_in.known);
    assert_string_equal(sign_in.password_text, BCRYPT);
    assert_true(rp_password_is_old(sign_in.password_text, RP_VIEW(PASSWORD)));
    assert_ok(rp_identity_sign_in_password(identity, &sign_in, true, HERE, &pending));
    struct person lea = {.tenant = tenant, .seed = SEED};
    assert_ok(rp_identity_sign_in_finish(identity, text(&pending), code_at(&lea, 0), HERE, &cookie,
                                         &session));
    assert_int_equal(session.view.roles, RP_MEMBER | RP_TENANT_ADMIN);
    assert_int_equal(session.view.acr, RP_ACR_MFA);
    assert_int_equal(events_with("person.imported"), 1);
    assert_int_equal(events_with("\"password\":\"bcrypt\""), 1);
    assert_int_equal(events_with("person.invited"), 1);
    done(&import);
}

/*= S170 type=test */
static void a_foreign_hash_is_kept_better_once_it_matched(void **state) {
    (void)state;
    rp_id tenant = acme();
    struct import import = run(read_csv(tenant, "email,password,totp\n"
                                                "ann@example.org," BCRYPT "," SEED "\n"));
    struct rp_sign_in sign_in, after;
    assert_ok(rp_identity_sign_in_start(identity, RP_VIEW(EMAIL), HERE, &sign_in));
    assert_err(rp_identity_renew_password(identity, &sign_in, BCRYPT), INVALID);
    assert_ok(rp_identity_renew_password(identity, &sign_in, ann_password));
    assert_ok(rp_identity_renew_password(identity, &sign_in, ann_password)); /* once is enough */
    assert_ok(rp_identity_sign_in_start(identity, RP_VIEW(EMAIL), HERE, &after));
    assert_string_equal(after.password_text, ann_password);
    assert_int_equal(events_with("password.renewed"), 1);
    assert_int_equal(events_with("\"former\":\"bcrypt\""), 1);
    done(&import);
}

/*= S99 type=test */ /* an unknown address costs what somebody's costs */
static void an_unknown_address_is_compared_with_a_neighbours_hash(void **state) {
    (void)state;
    struct rp_sign_in sign_in, again;
    rp_id tenant = acme();
    assert_ok(rp_identity_sign_in_start(identity, RP_VIEW("who@example.com"), HERE, &sign_in));
    assert_string_equal(sign_in.password_text, ""); /* nobody is here */
    struct import import = run(read_csv(tenant, "email,password,totp\n"
                                                "lea@example.com," BCRYPT "," SEED "\n"));
    assert_ok(rp_identity_sign_in_start(identity, RP_VIEW("who@example.com"), HERE, &sign_in));
    assert_false(sign_in.known);
    assert_string_equal(sign_in.password_text, BCRYPT);
    assert_ok(rp_identity_sign_in_start(identity, RP_VIEW("who@example.com"), HERE, &again));
    assert_string_equal(again.password_text, sign_in.password_text);
    struct rp_token pending;
    assert_err(rp_identity_sign_in_password(identity, &sign_in, true, HERE, &pending), DENIED);
    done(&import);
}

static void who_has_an_account_elsewhere_is_invited_to_join(void **state) {
    (void)state;
    rp_id tenant = acme();
    (void)enrolled(); /* Ann, of another organisation */
    struct import import = run(read_csv(tenant, "email,role\nann@example.org,member\n"));
    assert_true(import.import.applied);
    assert_int_equal(import.import.invited, 1);
    assert_people(tenant, 0, 1);
    done(&import);
}

static void one_refused_line_keeps_all_out(void **state) {
    (void)state;
    rp_id tenant = acme();
    struct person ann = enrolled(); /* of another organisation */
    const char *csv =
        "email,role,password,totp\n"
        "lea@example.com,,,\n"
        "LEA@example.com ,,,\n"
        "nonsense,,,\n"
        "bo@example.com,king,,\n"
        "cy@example.com,,5f4dcc3b5aa765d61d8327deb882cf99,\n"
        "dan@example.com,,$2b$31$abcdefghijklmnopqrstuuGGgFFcYeueaAql8Z7U7CnCTRw4DR77W,\n"
        "eve@example.com,,$2b$1,\n"
        "fay@example.com,," BCRYPT ",ABC\n"
        "gus@example.com,," BCRYPT ",otpauth://totp/x?secret=" SEED "&digits=8\n"
        "hal@example.com,,," SEED "\n"
        "ann@example.org,," BCRYPT "," SEED "\n";
    static const enum rp_people_fault faults[] = {
        RP_FAULT_NONE,         RP_FAULT_TWICE,       RP_FAULT_EMAIL,        RP_FAULT_ROLE,
        RP_FAULT_HASH_UNKNOWN, RP_FAULT_HASH_COSTLY, RP_FAULT_HASH_DAMAGED, RP_FAULT_TOTP,
        RP_FAULT_TOTP_KIND,    RP_FAULT_TOTP_ALONE,  RP_FAULT_ELSEWHERE};
    struct import import = run(read_csv(tenant, csv));
    assert_false(import.import.applied);
    assert_int_equal(import.import.refused, 10);
    for (size_t i = 0; i < RP_COUNT_OF(faults); i++) {
        assert_int_equal(fault_of(&import, i), faults[i]);
    }
    assert_int_equal(import.file.lines[4].number, 6); /* the first line names the columns */
    assert_int_equal(import.file.lines[4].column, 3);
    assert_people(tenant, 0, 0);
    assert_int_equal(events_with("person.invited"), 1); /* Ann's */
    done(&import);
    import = read_csv(tenant, csv);
    import.import.skip_bad = true;
    import = run(import);
    assert_true(import.import.applied);
    assert_people(tenant, 0, 1);
    done(&import);
    (void)ann;
}

static void a_dry_run_keeps_nothing(void **state) {
    (void)state;
    rp_id tenant = acme();
    struct import import = read_csv(tenant, "email\nlea@example.com\n");
    import.import.dry_run = true;
    import = run(import);
    assert_int_equal(import.import.invited, 1);
    assert_false(import.import.applied);
    assert_people(tenant, 0, 0);
    done(&import);
    import = run(read_csv(tenant, "email\nlea@example.com\n"));
    assert_people(tenant, 0, 1);
    done(&import);
}

static void who_is_here_is_told(void **state) {
    (void)state;
    struct person ann = enrolled();
    struct import import = run(read_csv(ann.tenant, "email\nann@example.org\n"));
    assert_int_equal(fault_of(&import, 0), RP_FAULT_HERE);
    done(&import);
    import = read_csv((rp_id){{ 9 }}, "email\nlea@example.com\n");
    import.import.file = &import.file;
    assert_err(rp_identity_import(identity, &import.import), NOT_FOUND);
    done(&import);
}

static void without_a_second_factor_a_password_is_kept_where_it_is_optional(void **state) {
    (void)state;
    rp_id tenant = acme();
    struct import import = run(read_csv(tenant, "email,password\nlea@example.com," BCRYPT "\n"));
    assert_true(import.file.lines[0].invited); /* required: they enrol */
    done(&import);
    close_all();
    open_all(false);
    import = run(read_csv(tenant, "email,password\nlea@example.com," BCRYPT "\n"));
    assert_int_equal(import.import.imported, 1);
    assert_people(tenant, 1, 0); /* the open invitation went */
    struct rp_sign_in sign_in;
    struct rp_token pending, cookie;
    struct rp_session session;
    assert_ok(rp_identity_sign_in_start(identity, RP_VIEW("lea@example.com"), HERE, &sign_in));
    assert_ok(rp_identity_sign_in_password(identity, &sign_in, true, HERE, &pending));
    assert_err(rp_identity_sign_in_finish(identity, text(&pending), RP_VIEW("123456"), HERE,
                                          &cookie, &session),
               DENIED);
    assert_ok(
        rp_identity_sign_in_finish(identity, text(&pending), RP_VIEW(""), HERE, &cookie, &session));
    assert_int_equal(session.view.acr, RP_ACR_PWD); /* and the session says so */
    done(&import);
}

static rp_err read_json(const char *json, struct rp_arena *arena, struct rp_people_file *file) {
    return rp_people_read_json(rp_view_from_cstr(json), RP_EN, arena, file, NULL);
}

static void json_says_the_same(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_people_file file;
    assert_ok(
        read_json("[{\"email\":\"a@b.c\",\"role\":\"admin\",\"password\":\"" BCRYPT "\","
                  "\"totp\":\"jbsw y3dp ehpk 3pxp====\",\"lang\":\"fr\"},{\"email\":\"d@e.f\"},"
                  "{\"email\":7},{\"mail\":\"a@b.c\"},7,{}]",
                  arena, &file));
    static const enum rp_people_fault faults[] = {RP_FAULT_NONE,  RP_FAULT_NONE, RP_FAULT_TEXT,
                                                  RP_FAULT_FIELD, RP_FAULT_TEXT, RP_FAULT_EMAIL};
    assert_int_equal(file.count, RP_COUNT_OF(faults));
    for (size_t i = 0; i < file.count; i++) {
        assert_int_equal(file.lines[i].fault, faults[i]);
        assert_int_equal(file.lines[i].number, i + 1);
    }
    assert_memory_equal(file.lines[0].seed, "Hello!\xde\xad\xbe\xef", 10);
    assert_int_equal(file.lines[0].seed_n, 10);
    assert_int_equal(file.lines[0].lang, RP_FR);
    assert_int_equal(file.lines[1].lang, RP_EN);
    assert_ok(read_json("{\"people\":[]}", arena, &file));
    assert_int_equal(file.count, 0);
    assert_err(read_json("{}", arena, &file), INVALID);
    assert_err(read_json("{\"people\":[],\"more\":1}", arena, &file), INVALID);
    assert_err(read_json("[", arena, &file), SYNTAX);
    rp_arena_free(arena);
}

static void columns_are_known_or_the_file_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *csv;
        enum rp_code code;
    } bad[] = {{"", RP_E_SYNTAX},
               {"name\nx\n", RP_E_INVALID},
               {"email,password_hash\na@b.c,x\n", RP_E_INVALID},
               {"role\nadmin\n", RP_E_INVALID},
               {"email,email\na@b.c,a@b.c\n", RP_E_DUPLICATE},
               {"email,role\na@b.c\n", RP_E_SYNTAX}};
    for (size_t i = 0; i < RP_COUNT_OF(bad); i++) {
        struct rp_arena *arena = rp_arena_new(1 << 20);
        struct rp_people_file file;
        struct rp_diag diag = {0};
        rp_err err = rp_people_read_csv(rp_view_from_cstr(bad[i].csv), RP_EN, arena, &file, &diag);
        assert_string_equal(rp_err_name(err), rp_err_name((rp_err){(int32_t)bad[i].code}));
        assert_true(diag.line > 0 && diag.text[0] != 0);
        rp_arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(people_come_with_their_password_and_second_factor),
        TEST(a_foreign_hash_is_kept_better_once_it_matched),
        TEST(an_unknown_address_is_compared_with_a_neighbours_hash),
        TEST(who_has_an_account_elsewhere_is_invited_to_join),
        TEST(one_refused_line_keeps_all_out),
        TEST(a_dry_run_keeps_nothing),
        TEST(who_is_here_is_told),
        TEST(without_a_second_factor_a_password_is_kept_where_it_is_optional),
        TEST(json_says_the_same),
        TEST(columns_are_known_or_the_file_is_refused),
    };
    if (!stack_is_there()) {
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
