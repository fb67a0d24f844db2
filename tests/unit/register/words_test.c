/* words_test.c — what a search finds, whichever database has the index of words: REMPART_STORE
 * names another than SQLite, and nothing here changes with it. */
#include "office.h"

static struct rp_page page;

static rp_err ask_in(const char *reg, rp_view text) {
    struct rp_desk desk = owner();
    struct rp_query query = {
        .reg = reg ? reg_of(reg) : NULL, .text = text, .count = 5, .sort = RP_VIEW("")};
    return rp_desk_list(&desk, &query, &page);
}

static uint64_t matches(const char *reg, const char *words) {
    assert_ok(ask_in(reg, rp_view_from_cstr(words)));
    return page.total;
}

static struct rp_change subject_of(rp_view text) {
    struct rp_json *fields = rp_json_object(arena);
    rp_json_add_string(arena, fields, "subject", text);
    rp_json_add_cstr(arena, fields, "kind", "issue");
    return (struct rp_change){.fields = fields};
}

static rp_err try_subject(rp_view text, rp_id *ret_id) {
    struct rp_desk desk = owner();
    struct rp_change change = subject_of(text);
    struct rp_entry record;
    RP_TRY(rp_desk_create(&desk, reg_of("isms"), &change, &record));
    *ret_id = record.facts.id;
    return RP_OK;
}

static rp_id subject(const char *text) {
    rp_id id = {{0}};
    check(try_subject(rp_view_from_cstr(text), &id));
    return id;
}

struct question {
    const char *text, *asked;
    bool found;
};

/* One record, which has each text in turn: the one before is not found any more. */
static void ask_each(const struct question *questions, size_t count) {
    rp_id id = subject("before");
    for (size_t i = 0; i < count; i++) {
        struct rp_desk desk = owner();
        struct rp_change change = subject_of(rp_view_from_cstr(questions[i].text));
        struct rp_entry record;
        check(rp_desk_edit(&desk, reg_of("isms"), id, &change, &record));
        if (matches("isms", questions[i].asked) != questions[i].found) {
            fail_msg("\"%s\" in \"%s\": %s", questions[i].asked, questions[i].text,
                     questions[i].found ? "not found" : "found");
        }
    }
    assert_int_equal(matches("isms", "before"), 0);
}

static void case_and_accents_do_not_count(void **state) {
    (void)state;
    static const struct question questions[] = {
        {"Disponibilité mesurée", "disponibilite", true},
        {"Disponibilité mesurée", "MESURÉE DISPONIBILITÉ", true},
        {"DISPONIBILITE", "disponibilité", true},
        {"Garçon, où ? À Noël !", "garcon ou noel", true},
        {"Garçon, où ? À Noël !", "GARÇON OÙ NOËL", true},
        {"e\u0301te\u0301", "été", true},
        {"été", "e\u0301te\u0301", true},
        {"ŒUVRE", "œuvre", true},
        {"Straße", "straße", true},
        {"İstanbul", "istanbul", true},
        {"Việt Nam", "viet", true},
        {"Disponibilité", "indisponibilité", false},
    };
    ask_each(questions, RP_COUNT_OF(questions));
}

static void a_word_is_found_by_how_it_begins(void **state) {
    (void)state;
    static const struct question questions[] = {
        {"access review", "acc", true},
        {"access review", "acc rev", true},
        {"access review", "rev acc", true},
        {"access review", "ess", false},
        {"access review", "accessed", false},
        {"access review", "acc audit", false},
        {"access review", "access", true},
        {"1e5 007 12abc 3.14", "1e5", true},
        {"1e5 007 12abc 3.14", "007", true},
        {"1e5 007 12abc 3.14", "12a", true},
        {"1e5 007 12abc 3.14", "3.14", true},
        {"1e5 007 12abc 3.14", "7", false},
        {"1e5 007 12abc 3.14", "abc", false},
        {"20 m² et ½", "m²", true},
        {"20 m² et ½", "½", true},
    };
    ask_each(questions, RP_COUNT_OF(questions));
}

static void every_script_has_words(void **state) {
    (void)state;
    static const struct question questions[] = {
        {"Πρόσβαση", "ΠΡΌΣ", true},   {"Σίσυφος", "σίσυφος", true}, {"ΣΊΣΥΦΟΣ", "σίσυφος", true},
        {"Москва", "МОСК", true},     {"Мой", "мой", true},         {"Ёлка", "ёлка", true},
        {"東京の地図", "東京", true}, {"東京の地図", "京", false},  {"한국어", "한국", true},
        {"한국어", "하", false},      {"がっこう", "が", true},     {"がっこう", "か", false},
        {"مرحبا", "مرح", true},       {"हिन्दी", "हिन्दी", true},     {"שלום", "שלו", true},
    };
    ask_each(questions, RP_COUNT_OF(questions));
}

static void what_is_joined_stands_in_that_order(void **state) {
    (void)state;
    static const char files[] = "mail ann@example.org, see rapport-2026.final.pdf";
    static const struct question questions[] = {
        {"the fire-wall stands", "fire-wall", true},
        {"the fire wall stands", "fire-wall", true},
        {"the fire-wall stands", "fire.wa", true},
        {"the fire-wall stands", "wall-fire", false},
        {"the fire-wall stands", "the-wall", false},
        {"the fire-wall stands", "fir-wall", false},
        {"the fire-wall stands", "wall fire", true},
        {"l'incident d’hier", "incident hier", true},
        {"l'incident d’hier", "l’incident", true},
        {"l'incident d’hier", "d'hi", true},
        {"l'incident d’hier", "l'hier", false},
        {files, "ann@example.org", true},
        {files, "ann@exam", true},
        {files, "example.org", true},
        {files, "ann.org", false},
        {files, "rapport-2026", true},
        {files, "final.pdf", true},
        {files, "pdf.final", false},
        {"/etc/ssh/sshd_config", "/etc/ssh", true},
        {"/etc/ssh/sshd_config", "sshd_con", true},
        {"/etc/ssh/sshd_config", "config", true},
    };
    ask_each(questions, RP_COUNT_OF(questions));
}

static void punctuation_alone_counts_for_nothing(void **state) {
    (void)state;
    static const struct question questions[] = {
        {"Müller & Co", "Müller & Co", true},      {"Müller & Co", "& müller", true},
        {"Müller & Co", "müller – co", true},      {"Müller & Co", "&", false},
        {"Müller & Co", "' \" \\ ( ) : *", false}, {"Müller & Co", "🔒", false},
        {"Müller & Co", "müller ! gmbh", false},
    };
    ask_each(questions, RP_COUNT_OF(questions));
}

/* Neither database's own language is understood: what is no letter parts words, and that is all. */
static void nothing_of_the_searcher_is_read_as_syntax(void **state) {
    (void)state;
    static const char note[] = "note of a b";
    static const struct question questions[] = {
        {note, "a' & !b:*", true},
        {note, "\"note\"", true},
        {note, "note\"", true},
        {note, "\"", false},
        {note, "\"\"", false},
        {note, "note\" OR \"zebra", false},
        {note, "note\" * OR body: \"zebra", false},
        {note, "!zebra", false},
        {note, "NOT zebra", false},
        {note, "note -zebra", false},
        {note, "zebra|note", false},
        {note, "zebra | note", false},
        {note, "note OR zebra", false},
        {note, "note AND of", false},
        {note, "note<->of", true},
        {note, "note<2>a", false},
        {note, "NEAR(note b)", false},
        {note, "register:note", false},
        {note, "{register body}:note", false},
        {note, "note:A", false},
        {note, "^note", true},
        {note, "note*", true},
        {note, "(note", true},
        {note, "note)", true},
        {note, "note':*", true},
        {note, "note\\", true},
        {note, "$7", false},
        {note, "n%te", false},
        {note, "n_te", false},
        {note, "'; DROP TABLE register_text; --", false},
    };
    ask_each(questions, RP_COUNT_OF(questions));
}

static void a_register_finds_its_own(void **state) {
    (void)state;
    char json[200];
    text_of(json, sizeof json, "{\"scenario\":\"flood of isms\",\"owner\":\"%s\"}", ann_record);
    rp_id risk = create(owner(), "risks", json), objective = subject("flood of risks");
    assert_int_equal(matches("isms", "flood"), 1);
    assert_true(rp_id_equal(page.records[0].facts.id, objective));
    assert_int_equal(matches("risks", "flood"), 1);
    assert_true(rp_id_equal(page.records[0].facts.id, risk));
    assert_int_equal(matches("persons", "flood"), 0);
    assert_int_equal(matches("risks", "risks"), 0);
    /* The newest first. */
    assert_int_equal(matches(NULL, "flood"), 2);
    assert_true(rp_id_equal(page.records[0].facts.id, objective));
    assert_true(rp_id_equal(page.records[1].facts.id, risk));
}

static void what_is_gone_is_not_found(void **state) {
    (void)state;
    rp_id id = create(person(ann), "isms", "{\"subject\":\"zebra\",\"kind\":\"issue\"}");
    assert_int_equal(matches("isms", "zebra"), 1);
    struct rp_desk desk = person(ann);
    check(rp_desk_take_back(&desk, reg_of("isms"), id));
    assert_int_equal(matches("isms", "zebra"), 0);
}

static void what_was_undone_is_not_found(void **state) {
    (void)state;
    struct rp_desk desk = owner();
    struct rp_change change = subject_of(RP_VIEW("zebra"));
    struct rp_entry record;
    change.dry_run = true;
    check(rp_desk_create(&desk, reg_of("isms"), &change, &record));
    assert_int_equal(matches("isms", "zebra"), 0);
}

/* ---- sizes ---- */

static rp_view repeated(const char *what, size_t n) {
    rp_view one = rp_view_from_cstr(what);
    uint8_t *bytes = rp_arena_alloc(arena, n);
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++) {
        bytes[i] = one.p[i % one.n];
    }
    return rp_view_of(bytes, n);
}

static rp_view joined(rp_view a, const char *b) {
    return rp_arena_printf(arena, "%.*s%s", RP_FMT(a), b);
}

static void a_word_may_be_as_long_as_a_text(void **state) {
    (void)state;
    rp_id id;
    check(try_subject(repeated("x", RP_FIELD_TEXT_MAX), &id));
    assert_ok(ask_in("isms", repeated("x", 300)));
    assert_int_equal(page.total, 1);
    assert_int_equal(matches("isms", "xxxx"), 1);
    check(try_subject(repeated("\U00020000", RP_FIELD_TEXT_MAX), &id)); /* of four bytes each */
    assert_int_equal(matches("isms", "\U00020000\U00020000"), 1);
    assert_err(try_subject(repeated("x", RP_FIELD_TEXT_MAX + 1), &id), INVALID);
}

static void each_word_of_a_long_text_is_found(void **state) {
    (void)state;
    rp_id id;
    check(try_subject(joined(repeated("e ", RP_FIELD_TEXT_MAX - 16), "zebra crossing"), &id));
    assert_int_equal(matches("isms", "zebra"), 1);
    assert_int_equal(matches("isms", "crossing e"), 1);
    assert_int_equal(matches("isms", "zebra-cross"), 1);
    rp_view numbers = RP_VIEW("");
    for (int i = 1000; i < 2500; i++) {
        numbers = rp_arena_printf(arena, "%.*s %d", RP_FMT(numbers), i);
    }
    check(try_subject(numbers, &id));
    assert_int_equal(matches("isms", "1000 2499"), 1);
    assert_int_equal(matches("isms", "2498-2499"), 1);
}

static void a_question_has_its_limits(void **state) {
    (void)state;
    rp_id id;
    check(try_subject(RP_VIEW("a b"), &id));
    assert_ok(ask_in("isms", repeated("a ", 50)));
    assert_int_equal(page.total, 1);
    assert_err(ask_in("isms", repeated("a ", 52)), TOO_LARGE);
    assert_err(ask_in("isms", repeated("a", 5000)), TOO_LARGE);
    assert_err(ask_in("isms", RP_VIEW("  ")), INVALID);
}

/* ---- a zero byte ---- */

static void a_zero_byte_is_refused_before_it_is_kept(void **state) {
    (void)state;
    rp_id id;
    assert_err(ask_in("isms", rp_view_of("a\0b", 3)), INVALID);
    assert_err(ask_in("isms", rp_view_of("\0", 1)), INVALID);
    assert_err(try_subject(rp_view_of("a\0b", 3), &id), INVALID);
    assert_non_null(strstr(diag.text, "zero"));
    id = subject("kept");
    assert_err(edit(owner(), "isms", id, "{\"subject\":\"a\\u0000b\"}"), INVALID);
    struct rp_desk desk = owner();
    struct rp_change change = change_of("{\"target\":1}");
    change.reason = rp_view_of("a\0b", 3);
    struct rp_entry record;
    assert_err(rp_desk_edit(&desk, reg_of("isms"), id, &change, &record), INVALID);
    assert_int_equal(matches("isms", "kept"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(case_and_accents_do_not_count, setup, teardown),
        cmocka_unit_test_setup_teardown(a_word_is_found_by_how_it_begins, setup, teardown),
        cmocka_unit_test_setup_teardown(every_script_has_words, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_joined_stands_in_that_order, setup, teardown),
        cmocka_unit_test_setup_teardown(punctuation_alone_counts_for_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_of_the_searcher_is_read_as_syntax, setup, teardown),
        cmocka_unit_test_setup_teardown(a_register_finds_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_gone_is_not_found, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_undone_is_not_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_word_may_be_as_long_as_a_text, setup, teardown),
        cmocka_unit_test_setup_teardown(each_word_of_a_long_text_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_question_has_its_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(a_zero_byte_is_refused_before_it_is_kept, setup, teardown),
    };
    return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
