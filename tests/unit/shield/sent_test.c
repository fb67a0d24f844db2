/* What applications are sent, noted down, and the model that is made of it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"
#include "shield/model.h"
#include "shield/notes.h"
#include "shield/sent.h"
#include "unit.h"

static const uint8_t salt[RP_NOTES_SALT] = "sixteen bytes...";
static const int64_t now_ms = 1700000000000;

struct sightings {
    void *table;
    struct rp_sent *rows;
    struct rp_sent_all all;
};

static struct sightings new_sightings(void) {
    struct sightings s = {.table = calloc(1, rp_notes_bytes()),
                          .rows = calloc(RP_SENT_ROWS, sizeof *s.rows)};
    assert_non_null(s.table);
    assert_non_null(s.rows);
    rp_notes_init(s.table, salt);
    return s;
}

static void end(struct sightings *s) {
    free(s->table);
    free(s->rows);
}

static void see(struct sightings *s, unsigned person, const char *method, const char *path,
                enum rp_sent_place place, const char *name, const char *value) {
    struct rp_sent_seen seen = {.place = place,
                                .app = RP_VIEW("shop"),
                                .method = rp_view_from_cstr(method),
                                .path = rp_view_from_cstr(path),
                                .name = rp_view_from_cstr(name),
                                .value = rp_view_from_cstr(value),
                                .now_ms = now_ms};
    memcpy(seen.person.b, &person, sizeof person);
    seen.organisation.b[0] = (uint8_t)(person % 2 + 1);
    rp_sent_see(s->table, &seen);
}

static void collect(struct sightings *s) {
    s->all = (struct rp_sent_all){.rows = s->rows};
    for (size_t i = 0; i < RP_SENT_ROWS; i++) {
        s->all.count += rp_sent_get(s->table, i, now_ms, &s->rows[s->all.count]);
    }
}

static void a_value_is_what_it_could_be(void **state) {
    (void)state;
    static const struct {
        const char *value;
        unsigned kinds;
    } rows[] = {
        {"17", RP_SENT_INTEGER | RP_SENT_NUMBER},
        {"-3", RP_SENT_INTEGER | RP_SENT_NUMBER},
        {"007", 0},
        {"", 0},
        {"-", 0},
        {"1234567890123456789", 0},
        {"1.50", RP_SENT_NUMBER},
        {"1.", 0},
        {"true", RP_SENT_BOOLEAN},
        {"TRUE", 0},
        {"2026-11-26", RP_SENT_DATE},
        {"3f2504e0-4f89-41d3-9a0c-0305e82c3301", RP_SENT_UUID},
    };
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        assert_int_equal(rp_sent_kinds_of(rp_view_from_cstr(rows[i].value)), rows[i].kinds);
    }
}

static void elements_of_json_have_one_name(void **state) {
    (void)state;
    uint8_t out[RP_NOTE_NAME_MAX];
    size_t n = 0;
    assert_true(rp_sent_json_name(RP_VIEW("json.lines.array_12.sku"), out, &n));
    assert_view_equal(rp_view_of(out, n), RP_VIEW("lines.[].sku"));
    assert_true(rp_sent_json_name(RP_VIEW("json.array_0"), out, &n));
    assert_view_equal(rp_view_of(out, n), RP_VIEW("[]"));
    assert_true(rp_sent_json_name(RP_VIEW("json.array_x"), out, &n));
    assert_view_equal(rp_view_of(out, n), RP_VIEW("array_x"));
    assert_false(rp_sent_json_name(RP_VIEW("json"), out, &n));
    assert_false(rp_sent_json_name(RP_VIEW("json.a..b"), out, &n));
    assert_false(rp_sent_json_name(RP_VIEW("json.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q"), out, &n));
    assert_false(rp_sent_json_name(
        RP_VIEW("json.0123456789012345678901234567890123456789012345678901234567890123"), out, &n));
}

/* Each request by three people of two organisations. */
static void shop(struct sightings *s) {
    for (unsigned person = 1; person <= 3; person++) {
        see(s, person, "GET", "/orders", RP_SENT_REQUEST, "", "");
        see(s, person, "GET", "/orders", RP_SENT_QUERY, "page", person == 2 ? "20" : "1");
        see(s, person, "GET", "/orders", RP_SENT_QUERY, "q", "caf\xc3\xa9 d'ici");
        see(s, person, "GET", "/orders/*/lines", RP_SENT_REQUEST, "", "");
        see(s, person, "GET", "/orders/*/lines", RP_SENT_SEGMENT, "1", "17");
        see(s, person, "POST", "/orders", RP_SENT_REQUEST, "", "");
        see(s, person, "POST", "/orders", RP_SENT_TYPE, "application/json", "");
        see(s, person, "POST", "/orders", RP_SENT_JSON, "sku", "A-1");
        see(s, person, "POST", "/orders", RP_SENT_JSON, "lines.[].n", "3");
        see(s, person, "POST", "/orders", RP_SENT_JSON, "lines.[].tags.[]", "x");
        see(s, person, "POST", "/orders", RP_SENT_JSON, "lines-note", "");
        see(s, person, "POST", "/orders", RP_SENT_TYPE, "application/x-www-form-urlencoded", "");
        see(s, person, "POST", "/orders", RP_SENT_FORM, "it's", "true");
        see(s, person, "PROPFIND", "/orders", RP_SENT_REQUEST, "", "");
        see(s, person, "PUT", "/typeless", RP_SENT_REQUEST, "", "");
        see(s, person, "PUT", "/typeless", RP_SENT_FORM, "a", "1");
        see(s, person, "PUT", "/typeless", RP_SENT_TYPE, "x/odd-json", "");
    }
    see(s, 1, "GET", "/orders", RP_SENT_QUERY, "alone", "<script>");
}

static struct rp_model *read_model(const struct rp_buf *text, struct rp_arena *arena) {
    struct rp_model *model = NULL;
    struct rp_diag diag = {0};
    rp_err err = rp_model_read(rp_buf_view(text), arena, &model, &diag);
    if (!rp_ok(err)) {
        print_error("%u:%u %s\n%.*s", diag.line, diag.column, diag.text, RP_FMT(rp_buf_view(text)));
    }
    assert_ok(err);
    return model;
}

static rp_view no_header(void *ctx, rp_view name) {
    (void)ctx;
    (void)name;
    return (rp_view){NULL, 0};
}

static enum rp_violation judged(const struct rp_model *model, struct rp_arena *arena,
                                const char *method, const char *path, const char *query,
                                const char *type, const char *body) {
    const struct rp_model_operation *operation = NULL;
    struct rp_model_verdict verdict;
    const struct rp_model_request request = {.method = rp_view_from_cstr(method),
                                             .path = rp_view_from_cstr(path),
                                             .query = rp_view_from_cstr(query),
                                             .content_type = rp_view_from_cstr(type),
                                             .header = no_header,
                                             .has_body = body[0] != 0};
    assert_ok(rp_model_judge(model, &request, arena, &operation, &verdict));
    if (operation && body[0]) {
        assert_ok(rp_model_judge_body(operation, request.content_type, rp_view_from_cstr(body),
                                      arena, &verdict));
    }
    return verdict.violation;
}

static void what_was_sent_is_a_model_and_nothing_else_passes_it(void **state) {
    (void)state;
    struct sightings s = new_sightings();
    struct rp_arena *arena = rp_arena_new(4 << 20);
    struct rp_buf text = rp_buf_new(1 << 20);
    const char *json = "application/json", *form = "application/x-www-form-urlencoded";
    shop(&s);
    collect(&s);
    assert_ok(rp_sent_model(&s.all, RP_VIEW("shop"),
                            (struct rp_sent_least){.people = 3, .organisations = 2}, RP_EN, &text));
    assert_true(rp_view_find(rp_buf_view(&text), RP_VIEW("alone")) == text.n);
    assert_true(rp_view_find(rp_buf_view(&text), RP_VIEW("ici")) == text.n);
    struct rp_model *model = read_model(&text, arena);
    static const struct {
        const char *method, *path, *query;
        enum rp_violation violation;
    } rows[] = {
        {"GET", "/orders", "page=3&q=0123456789abcdef", RP_VIOLATION_NONE},
        {"GET", "/orders", "q=0123456789abcdef0", RP_VIOLATION_LONG},
        {"GET", "/orders", "page=x", RP_VIOLATION_INTEGER},
        {"GET", "/orders", "alone=1", RP_VIOLATION_UNKNOWN},
        {"GET", "/orders/9/lines", "", RP_VIOLATION_NONE},
        {"GET", "/orders/x/lines", "", RP_VIOLATION_INTEGER},
        {"GET", "/other", "", RP_VIOLATION_PATH},
        {"DELETE", "/orders", "", RP_VIOLATION_METHOD},
    };
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        assert_int_equal(judged(model, arena, rows[i].method, rows[i].path, rows[i].query, "", ""),
                         rows[i].violation);
    }
    const char *good =
        "{\"sku\":\"B\",\"lines\":[{\"n\":1,\"tags\":[\"a\",2]}],\"lines-note\":null}";
    assert_int_equal(judged(model, arena, "POST", "/orders", "", json, good), RP_VIOLATION_NONE);
    assert_int_not_equal(judged(model, arena, "POST", "/orders", "", json, "{\"other\":1}"),
                         RP_VIOLATION_NONE);
    assert_int_not_equal(judged(model, arena, "POST", "/orders", "", json, "{\"sku\":{}}"),
                         RP_VIOLATION_NONE);
    assert_int_equal(judged(model, arena, "POST", "/orders", "", form, "it's=false"),
                     RP_VIOLATION_NONE);
    assert_int_not_equal(judged(model, arena, "POST", "/orders", "", form, "it's=perhaps"),
                         RP_VIOLATION_NONE);
    rp_model_done(model);
    rp_buf_done(&text);
    rp_arena_free(arena);
    end(&s);
}

static void few_people_and_odd_names_teach_nothing(void **state) {
    (void)state;
    struct sightings s = new_sightings();
    struct rp_buf text = rp_buf_new(1 << 20);
    uint64_t lost = rp_notes_lost(s.table);
    see(&s, 1, "GET", "/a", RP_SENT_QUERY, "with space", "1");
    see(&s, 1, "GET", "/a", RP_SENT_QUERY, "caf\xc3\xa9", "1");
    see(&s, 1, "GET", "/a", RP_SENT_QUERY, "", "1");
    see(&s, 1, "A-METHOD-OF-MANY-LETTERS", "/a", RP_SENT_REQUEST, "", "");
    see(&s, 1, "POST", "/a", RP_SENT_TYPE, "odd", "");
    assert_int_equal(rp_notes_lost(s.table) - lost, 5);
    for (unsigned i = 0; i < 2 * RP_SENT_ALONE_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%u", i);
        see(&s, 1, "GET", "/a", RP_SENT_QUERY, name, "1");
    }
    see(&s, 2, "GET", "/a", RP_SENT_QUERY, "another", "1");
    collect(&s);
    assert_int_equal(s.all.count, RP_SENT_ALONE_MAX + 1);
    assert_ok(rp_sent_model(&s.all, RP_VIEW("shop"),
                            (struct rp_sent_least){.people = 2, .organisations = 1}, RP_FR, &text));
    assert_true(rp_view_find(rp_buf_view(&text), RP_VIEW("paths: {}")) < text.n);
    rp_buf_done(&text);
    end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_what_it_could_be),
        cmocka_unit_test(elements_of_json_have_one_name),
        cmocka_unit_test(what_was_sent_is_a_model_and_nothing_else_passes_it),
        cmocka_unit_test(few_people_and_odd_names_teach_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
