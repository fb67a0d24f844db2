#include "unit.h"
#include "wire/tlog.h"

static int arena_up(void **state) {
    *state = rp_arena_new(100000);
    return *state ? 0 : -1;
}

static int arena_down(void **state) {
    rp_arena_free(*state);
    return 0;
}

#define SPEC_LINE                                                                                  \
    "\xE2\x80\x94 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXs"  \
    "YjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
#define SPEC_NOTE "This is an example message.\n\n" SPEC_LINE

/* The example of C2SP signed-note. */
static void note_of_the_specification(void **state) {
    struct rp_tlog_note note;
    assert_ok(rp_tlog_note_parse(RP_VIEW(SPEC_NOTE), *state, &note));
    assert_view(note.text, "This is an example message.\n");
    assert_int_equal(note.signature_count, 1);
    assert_view(note.signatures[0].name, "example.com/foo");
    assert_view_equal(rp_view_of(note.signatures[0].key_id, 4), unit_hex("530d903a"));
    assert_int_equal(note.signatures[0].bytes.n, 64);
    struct rp_buf out = rp_buf_new(1000);
    rp_tlog_signature_print(&out, note.signatures[0].name, note.signatures[0].key_id,
                            note.signatures[0].bytes);
    assert_view(rp_buf_view(&out), SPEC_LINE);
    rp_buf_done(&out);
}

static void key_of_the_specification(void **state) {
    rp_view text = RP_VIEW("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    struct rp_tlog_vkey vkey;
    assert_ok(rp_tlog_vkey_parse(text, *state, &vkey));
    assert_view(vkey.name, "example.com/foo");
    assert_int_equal(vkey.type, 1);
    assert_int_equal(vkey.public_key.n, 32);
    assert_view_equal(rp_view_of(vkey.key_id, 4), unit_hex("530d903a"));
    struct rp_buf out = rp_buf_new(1000);
    rp_tlog_vkey_print(&out, &vkey);
    assert_view_equal(rp_buf_view(&out), text);
    rp_buf_done(&out);
    static const char *const bad[] = {"",
                                      "name",
                                      "name+530d903a",
                                      "name+530d903a+",
                                      "name+530d903a+AQ==",
                                      "name+530D903A+AekyeRrm",
                                      "name+530d903+AekyeRrm",
                                      "+530d903a+AekyeRrm",
                                      "a b+530d903a+AekyeRrm",
                                      "name+530d903a+Aeky\n",
                                      "name+530d903a+Aek"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_err(rp_tlog_vkey_parse(rp_view_from_cstr(bad[i]), *state, &vkey), SYNTAX);
    }
}

static void notes_refused(void **state) {
    static const char *const bad[] = {
        "",
        "\n\n",
        "text\n",
        "text\n\n",
        "text\n" SPEC_LINE,
        "text\n\n" SPEC_LINE "\n",
        "text\n\n- example.com/foo Uw2QOkn8\n",
        "text\n\n\xE2\x80\x94 example.com/foo Uw2QOg==\n", /* a key id and nothing more */
        "text\n\n\xE2\x80\x94 example.com/foo Uw2QOkn\n",
        "text\n\n\xE2\x80\x94  Uw2QOkn8\n",
        "text\n\n\xE2\x80\x94 a+b Uw2QOkn8\n",
        "text\n\n\xE2\x80\x94 a\xC2\xA0"
        "b Uw2QOkn8\n",
        "text\n\n\xE2\x80\x94 a b Uw2QOkn8\n",
        "text\n\n\xE2\x80\x94 a Uw2QOkn8",
        "te\txt\n\n" SPEC_LINE,
        "te\rxt\n\n" SPEC_LINE,
        "te\xFFxt\n\n" SPEC_LINE,
        "text\n\n" SPEC_LINE "more\n",
    };
    struct rp_tlog_note note = {.signature_count = 77};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rp_err err = rp_tlog_note_parse(rp_view_from_cstr(bad[i]), *state, &note);
        if (!rp_is(err, RP_E_SYNTAX)) {
            fail_msg("row %zu: %s", i, rp_err_name(err));
        }
    }
    assert_int_equal(note.signature_count, 77);
    /* The last blank line counts; one before it belongs to the text. */
    assert_ok(rp_tlog_note_parse(RP_VIEW("a\n\nb\n\n" SPEC_LINE SPEC_LINE), *state, &note));
    assert_view(note.text, "a\n\nb\n");
    assert_int_equal(note.signature_count, 2);
    struct rp_buf many = rp_buf_new(10000);
    rp_buf_add_cstr(&many, "text\n\n");
    for (int i = 0; i < RP_TLOG_SIGNATURES_MAX; i++) {
        rp_buf_add_cstr(&many, SPEC_LINE);
    }
    assert_ok(rp_tlog_note_parse(rp_buf_view(&many), *state, &note));
    assert_int_equal(note.signature_count, RP_TLOG_SIGNATURES_MAX);
    rp_buf_add_cstr(&many, SPEC_LINE);
    assert_err(rp_tlog_note_parse(rp_buf_view(&many), *state, &note), TOO_LARGE);
    rp_buf_done(&many);
}

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

static void checkpoints(void **state) {
    (void)state;
    rp_view text = RP_VIEW("example.com/log\n20852163\n" ROOT "\n");
    struct rp_tlog_checkpoint checkpoint;
    assert_ok(rp_tlog_checkpoint_parse(text, &checkpoint));
    assert_view(checkpoint.origin, "example.com/log");
    assert_int_equal(checkpoint.size, 20852163);
    assert_int_equal(checkpoint.root[0], 0x0A);
    struct rp_buf out = rp_buf_new(1000);
    rp_tlog_checkpoint_print(&out, &checkpoint);
    assert_view_equal(rp_buf_view(&out), text);
    rp_buf_done(&out);
    static const char *const bad[] = {
        "",
        "example.com/log\n1\n",
        "\n1\n" ROOT "\n",
        "example.com/log\n01\n" ROOT "\n",
        "example.com/log\n-1\n" ROOT "\n",
        "example.com/log\n18446744073709551616\n" ROOT "\n",
        "example.com/log\n1\n" ROOT,
        "example.com/log\n1\n" ROOT "\nextension\n",
        "example.com/log\n1\n" ROOT "\n\n",
        "example.com/log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n",
        "example.com/log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
        "example.com/log\r\n1\n" ROOT "\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rp_err err = rp_tlog_checkpoint_parse(rp_view_from_cstr(bad[i]), &checkpoint);
        if (!rp_is(err, RP_E_SYNTAX)) {
            fail_msg("row %zu: %s", i, rp_err_name(err));
        }
    }
}

struct tile_row {
    struct rp_tlog_tile tile;
    const char *path;
};

static void tile_paths(void **state) {
    (void)state;
    static const struct tile_row rows[] = {
        {{0, 0, 256}, "tile/0/000"},
        {{0, 1234067, 256}, "tile/0/x001/x234/067"},
        {{-1, 273, 112}, "tile/entries/273.p/112"},
        {{1, 999, 1}, "tile/1/999.p/1"},
        {{2, 1000, 255}, "tile/2/x001/000.p/255"},
        {{63, UINT64_MAX, 256}, "tile/63/x018/x446/x744/x073/x709/x551/615"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rp_buf out = rp_buf_new(100);
        rp_tlog_tile_print(&out, rows[i].tile);
        assert_view_equal(rp_buf_view(&out), rp_view_from_cstr(rows[i].path));
        struct rp_tlog_tile back;
        assert_ok(rp_tlog_tile_parse(rp_buf_view(&out), &back));
        assert_int_equal(back.level, rows[i].tile.level);
        assert_int_equal(back.n, rows[i].tile.n);
        assert_int_equal(back.width, rows[i].tile.width);
        rp_buf_done(&out);
    }
    static const char *const bad[] = {"",
                                      "tile/0/",
                                      "tile/0/0",
                                      "tile/0/00",
                                      "tile/0/0000",
                                      "tile/0/x000/001",
                                      "tile/0/x001/x000",
                                      "tile/0/001/002",
                                      "tile/0/x001002",
                                      "tile/00/000",
                                      "tile/64/000",
                                      "tile/-1/000",
                                      "tile//000",
                                      "tile/entries/000/",
                                      "tile/0/000.p/0",
                                      "tile/0/000.p/256",
                                      "tile/0/000.p/01",
                                      "tile/0/000.p/",
                                      "tile/0/000.p",
                                      "/tile/0/000",
                                      "tile/0/x018/x446/x744/x073/x709/x551/616",
                                      "tile/0/x001/x018/x446/x744/x073/x709/x551/615"};
    struct rp_tlog_tile tile;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rp_err err = rp_tlog_tile_parse(rp_view_from_cstr(bad[i]), &tile);
        if (!rp_is(err, RP_E_SYNTAX)) {
            fail_msg("%s: %s", bad[i], rp_err_name(err));
        }
    }
}

#define PROOF "c2sp.org/tlog-proof@v1\n"
#define HASH "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"

static void proofs(void **state) {
    static const char *const good[] = {
        PROOF "extra YWdl\nindex 73894\n" HASH HASH "\n" SPEC_NOTE,
        PROOF "index 0\n\n" SPEC_NOTE,
    };
    struct rp_tlog_proof proof;
    for (size_t i = 0; i < 2; i++) {
        assert_ok(rp_tlog_proof_parse(rp_view_from_cstr(good[i]), *state, &proof));
        assert_view(proof.checkpoint, SPEC_NOTE);
        assert_int_equal(proof.hash_count, i == 0 ? 2 : 0);
        assert_int_equal(proof.index, i == 0 ? 73894 : 0);
        struct rp_buf out = rp_buf_new(10000);
        rp_tlog_proof_print(&out, &proof);
        assert_view_equal(rp_buf_view(&out), rp_view_from_cstr(good[i]));
        rp_buf_done(&out);
    }
    static const char *const bad[] = {
        "",
        "c2sp.org/tlog-proof@v2\nindex 0\n\n" SPEC_NOTE,
        PROOF "index 00\n\n" SPEC_NOTE,
        PROOF "index 1\n" HASH,
        PROOF "index 1\n" HASH "\n",
        PROOF "extra \nindex 1\n\n" SPEC_NOTE,
        PROOF "extra YW\nindex 1\n\n" SPEC_NOTE,
        PROOF "index 1\nextra YWdl\n\n" SPEC_NOTE,
        PROOF "extra YWdl\n\n" SPEC_NOTE,
        PROOF "index 1\nYWdl\n\n" SPEC_NOTE,
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rp_err err = rp_tlog_proof_parse(rp_view_from_cstr(bad[i]), *state, &proof);
        if (!rp_is(err, RP_E_SYNTAX)) {
            fail_msg("row %zu: %s", i, rp_err_name(err));
        }
    }
    struct rp_buf many = rp_buf_new(10000);
    rp_buf_add_cstr(&many, PROOF "index 1\n");
    for (int i = 0; i <= RP_TLOG_PROOF_MAX; i++) {
        rp_buf_add_cstr(&many, HASH);
    }
    rp_buf_add_cstr(&many, "\n" SPEC_NOTE);
    assert_err(rp_tlog_proof_parse(rp_buf_view(&many), *state, &proof), TOO_LARGE);
    rp_buf_done(&many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(note_of_the_specification, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(key_of_the_specification, arena_up, arena_down),
        cmocka_unit_test_setup_teardown(notes_refused, arena_up, arena_down),
        cmocka_unit_test(checkpoints),
        cmocka_unit_test(tile_paths),
        cmocka_unit_test_setup_teardown(proofs, arena_up, arena_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
