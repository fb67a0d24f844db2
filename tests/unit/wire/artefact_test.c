#include "wire/artefact.h"

#include "base/checked.h"
#include "unit.h"

#define SHA256 "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define SHA1 "4f1c2e7a88b1c0d2e3f4a5b6c7d8e9f001122334"

static void a_digest_has_a_kind_and_may_have_a_name(void **state) {
    (void)state;
    struct rp_artefact got;
    assert_true(rp_artefact_parse(RP_VIEW("sha256:" SHA256), &got));
    assert_false(got.git);
    assert_null(got.name.p);
    assert_view(got.hex, SHA256);
    assert_true(rp_artefact_parse(RP_VIEW("registry.example:5000/shop@sha256:" SHA256), &got));
    assert_view(got.name, "registry.example:5000/shop");
    assert_view(got.hex, SHA256);
    assert_true(rp_artefact_parse(RP_VIEW("git:" SHA1), &got));
    assert_true(got.git);
    assert_true(rp_artefact_parse(RP_VIEW("shop@git:" SHA256), &got));
    assert_true(got.git);
}

static void what_is_no_digest_is_refused(void **state) {
    (void)state;
    static const rp_view wrong[] = {
        RP_VIEW_INIT(""),
        RP_VIEW_INIT("sha256:"),
        RP_VIEW_INIT(SHA256),
        RP_VIEW_INIT("sha256:" SHA1),
        RP_VIEW_INIT("sha256:" SHA256 "0"),
        RP_VIEW_INIT("sha256:9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08"),
        RP_VIEW_INIT("sha512:" SHA256),
        RP_VIEW_INIT("@sha256:" SHA256),
        RP_VIEW_INIT("a b@sha256:" SHA256),
        RP_VIEW_INIT("a@b@sha256:" SHA256),
        RP_VIEW_INIT("caf\xc3\xa9@sha256:" SHA256),
        RP_VIEW_INIT("git:" SHA1 "00"),
    };
    struct rp_artefact got;
    for (size_t i = 0; i < RP_COUNT_OF(wrong); i++) {
        if (rp_artefact_parse(wrong[i], &got)) {
            fail_msg("\"%.*s\" was taken", RP_FMT(wrong[i]));
        }
    }
}

static void who_asks_may_leave_the_kind_out(void **state) {
    (void)state;
    struct rp_artefact got;
    assert_true(rp_artefact_parse_loose(RP_VIEW(SHA256), &got));
    assert_false(got.git);
    assert_true(rp_artefact_parse_loose(RP_VIEW(SHA1), &got));
    assert_true(got.git);
    assert_true(rp_artefact_parse_loose(RP_VIEW("a@sha256:" SHA256), &got));
    assert_false(rp_artefact_parse_loose(RP_VIEW("a@" SHA256), &got));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digest_has_a_kind_and_may_have_a_name),
        cmocka_unit_test(what_is_no_digest_is_refused),
        cmocka_unit_test(who_asks_may_leave_the_kind_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
