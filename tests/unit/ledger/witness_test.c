/* The table of C2SP tlog-witness, and what an answer of a witness is worth. */
#include <stdlib.h>

#include "ledger/asking.h"
#include "ledger/cosign.h"
#include "ledger/witness.h"
#include "unit.h"

enum { LEAVES = 20 };
#define LOG_NAME "b.example/log/public"
#define WITNESS_NAME "a.example/witness"

struct world {
    struct rp_arena *arena;
    struct rp_log_key log_key, other_key, witness_key;
    struct rp_witness_log log; /* as the witness remembers it */
    rp_hash leaves[LEAVES], forked[LEAVES];
};

static void new_key(struct rp_log_key *key) {
    const struct rp_env env = rp_env_real();
    assert_ok(rp_ed25519_new(&env, &key->secret));
    assert_ok(rp_ed25519_public(key->secret, key->public_key));
}

static int up(void **state) {
    struct world *w = calloc(1, sizeof *w);
    assert_ok(rp_crypto_start());
    w->arena = rp_arena_new(1 << 20);
    new_key(&w->log_key);
    new_key(&w->other_key);
    new_key(&w->witness_key);
    for (uint8_t i = 0; i < LEAVES; i++) {
        uint8_t bytes[] = {i, 0};
        w->leaves[i] = rp_merkle_leaf(rp_view_of(bytes, sizeof bytes));
        bytes[1] = i >= 5; /* the same up to five */
        w->forked[i] = rp_merkle_leaf(rp_view_of(bytes, sizeof bytes));
    }
    w->log.vkey = rp_vkey_of(RP_VKEY_LOG, RP_VIEW(LOG_NAME), w->log_key.public_key);
    *state = w;
    return 0;
}

static int down(void **state) {
    struct world *w = *state;
    rp_secret_free(w->log_key.secret);
    rp_secret_free(w->other_key.secret);
    rp_secret_free(w->witness_key.secret);
    rp_arena_free(w->arena);
    free(w);
    return 0;
}

/* ---- trees of known leaves ---- */

static rp_err node_of(void *ctx, unsigned level, uint64_t index, rp_hash *ret_hash) {
    const rp_hash *leaves = ctx;
    if (level == 0) {
        *ret_hash = leaves[index];
        return RP_OK;
    }
    rp_hash left, right;
    RP_TRY(node_of(ctx, level - 1, 2 * index, &left));
    RP_TRY(node_of(ctx, level - 1, 2 * index + 1, &right));
    *ret_hash = rp_merkle_node(&left, &right);
    return RP_OK;
}

static rp_hash root_of(rp_hash *leaves, uint64_t size) {
    struct rp_merkle_source source = {leaves, node_of};
    rp_hash root = rp_merkle_empty();
    if (size > 0) {
        assert_ok(rp_merkle_root(&source, size, &root));
    }
    return root;
}

struct ask {
    const char *what;
    uint64_t known;                /* what the witness cosigned, 0 = nothing */
    uint64_t old, size;            /* what it is asked */
    bool fork, no_proof, bad_hash; /* the tree after five leaves is another; the proof is wrong */
    const char *origin;            /* NULL = the log's own */
    bool other_key;
    unsigned status;
};

static rp_view keep(struct world *w, struct rp_buf *buf) {
    rp_view copy = {NULL, 0};
    assert_ok(rp_buf_err(buf));
    assert_ok(rp_arena_copy(w->arena, rp_buf_view(buf), &copy));
    rp_buf_done(buf);
    return copy;
}

static rp_view body_of(struct world *w, const struct ask *ask) {
    rp_hash *leaves = ask->fork ? w->forked : w->leaves, root = root_of(leaves, ask->size);
    rp_view origin = rp_view_from_cstr(ask->origin ? ask->origin : LOG_NAME);
    struct rp_buf note = rp_buf_new(RP_NOTE_MAX), out = rp_buf_new(RP_WITNESS_BODY_MAX);
    assert_ok(rp_checkpoint_sign(ask->other_key ? &w->other_key : &w->log_key, origin, ask->size,
                                 &root, &note));
    struct rp_tlog_add add = {.old_size = ask->old, .checkpoint = keep(w, &note)};
    rp_hash proof[RP_MERKLE_PROOF_MAX];
    struct rp_merkle_source source = {leaves, node_of};
    if (ask->old <= ask->size && !ask->no_proof) {
        assert_ok(rp_merkle_consistency(&source, ask->old, ask->size, proof, &add.hash_count));
    }
    for (size_t i = 0; i < add.hash_count; i++) {
        memcpy(add.hashes[i], proof[i].b, RP_TLOG_HASH);
    }
    if (ask->bad_hash) {
        add.hashes[add.hash_count++][0] = 1;
    }
    rp_tlog_add_print(&out, &add);
    return keep(w, &out);
}

static void answers_of_the_specification(void **state) {
    struct world *w = *state;
    static const struct ask asks[] = {
        {.what = "first", .old = 0, .size = 7, .status = 200},
        {.what = "first, the empty tree", .old = 0, .size = 0, .status = 200},
        {.what = "first, with a proof", .old = 0, .size = 7, .bad_hash = true, .status = 422},
        {.what = "growth", .known = 7, .old = 7, .size = 20, .status = 200},
        {.what = "growth to a power of two", .known = 8, .old = 8, .size = 16, .status = 200},
        {.what = "the same again", .known = 7, .old = 7, .size = 7, .status = 200},
        {.what = "the same, with a proof",
         .known = 7,
         .old = 7,
         .size = 7,
         .bad_hash = true,
         .status = 422},
        {.what = "from nothing", .known = 7, .old = 0, .size = 20, .status = 409},
        {.what = "from before", .known = 7, .old = 6, .size = 20, .status = 409},
        {.what = "from after", .known = 7, .old = 8, .size = 20, .status = 409},
        {.what = "rolled back", .known = 7, .old = 0, .size = 6, .status = 409},
        {.what = "old over the size", .known = 7, .old = 7, .size = 6, .status = 400},
        {.what = "unknown origin", .origin = "c.example/log/public", .size = 3, .status = 404},
        {.what = "unknown before unsigned",
         .origin = "c.example/l",
         .other_key = true,
         .size = 3,
         .status = 404},
        {.what = "another key", .other_key = true, .size = 3, .status = 403},
        {.what = "another key before the sizes",
         .known = 7,
         .other_key = true,
         .old = 9,
         .size = 3,
         .status = 403},
        {.what = "a fork of the same size",
         .known = 7,
         .old = 7,
         .size = 7,
         .fork = true,
         .status = 409},
        {.what = "a fork that grew", .known = 7, .old = 7, .size = 20, .fork = true, .status = 422},
        {.what = "no proof", .known = 7, .old = 7, .size = 20, .no_proof = true, .status = 422},
        {.what = "a hash too many",
         .known = 7,
         .old = 7,
         .size = 20,
         .bad_hash = true,
         .status = 422},
    };
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        w->log.size = asks[i].known;
        w->log.root = root_of(w->leaves, asks[i].known);
        struct rp_witness_judgement judged =
            rp_witness_judge(body_of(w, &asks[i]), &w->log, 1, w->arena);
        if (rp_witness_status(judged.verdict) != asks[i].status) {
            fail_msg("%s: %u, expected %u", asks[i].what, rp_witness_status(judged.verdict),
                     asks[i].status);
        }
        if (asks[i].status == 200) {
            assert_int_equal(judged.size, asks[i].size);
        }
    }
}

/* The two that are evidence against a log are told apart. */
static void a_fork_is_no_mere_conflict(void **state) {
    struct world *w = *state;
    const struct ask fork = {.old = 7, .size = 7, .fork = true}, late = {.old = 6, .size = 7};
    w->log.size = 7;
    w->log.root = root_of(w->leaves, 7);
    assert_int_equal(rp_witness_judge(body_of(w, &fork), &w->log, 1, w->arena).verdict,
                     RP_WITNESS_FORKED);
    assert_int_equal(rp_witness_judge(body_of(w, &late), &w->log, 1, w->arena).verdict,
                     RP_WITNESS_OTHER_SIZE);
}

static void bodies_that_are_none(void **state) {
    struct world *w = *state;
    static const char *const bad[] = {
        "",
        "old 0",
        "old 0\n",
        "old 0\n\n",
        "old 00\n\nx\n",
        "old -1\n\nx\n",
        "OLD 0\n\nx\n",
        "old 0\nAAAA\n\nx\n",
        "old 0\r\n\r\nx\n",
        "old 18446744073709551616\n\nx\n",
        "old 0\n\nb.example/log/public\n3\n\n",
        "old 0\n\nnot a note\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(rp_witness_judge(rp_view_from_cstr(bad[i]), &w->log, 1, w->arena).verdict,
                         RP_WITNESS_MALFORMED);
    }
}

static void a_proof_has_63_hashes_at_most(void **state) {
    (void)state;
    struct rp_buf body = rp_buf_new(10000);
    rp_buf_add_cstr(&body, "old 1\n");
    for (int i = 0; i < RP_TLOG_ADD_HASHES_MAX + 1; i++) {
        rp_buf_add_cstr(&body, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    }
    rp_buf_add_cstr(&body, "\nx\n");
    struct rp_tlog_add add;
    assert_err(rp_tlog_add_parse(rp_buf_view(&body), &add), TOO_LARGE);
    rp_buf_done(&body);
}

/* ---- cosignatures ---- */

static rp_view checkpoint_of(struct world *w, uint64_t size) {
    rp_hash root = root_of(w->leaves, size);
    struct rp_buf note = rp_buf_new(RP_NOTE_MAX);
    assert_ok(rp_checkpoint_sign(&w->log_key, RP_VIEW(LOG_NAME), size, &root, &note));
    return keep(w, &note);
}

static rp_view text_of(struct world *w, rp_view checkpoint) {
    struct rp_tlog_note note;
    assert_ok(rp_tlog_note_parse(checkpoint, w->arena, &note));
    return note.text;
}

static rp_view line_of(struct world *w, const struct rp_log_key *key, rp_view checkpoint,
                       int64_t time_s) {
    struct rp_buf line = rp_buf_new(1000);
    assert_ok(rp_cosign(key, RP_VIEW(WITNESS_NAME), text_of(w, checkpoint), time_s, &line));
    return keep(w, &line);
}

static rp_view join(struct world *w, rp_view a, rp_view b) {
    struct rp_buf out = rp_buf_new(20000);
    rp_buf_add(&out, a);
    rp_buf_add(&out, b);
    return keep(w, &out);
}

/* The signed bytes are the specification's, made here by hand. */
static void what_a_cosignature_signs(void **state) {
    struct world *w = *state;
    rp_view checkpoint = checkpoint_of(w, 7);
    struct rp_tlog_note note;
    assert_ok(rp_tlog_note_parse(
        join(w, checkpoint, line_of(w, &w->witness_key, checkpoint, 1679315147)), w->arena, &note));
    rp_view bytes = note.signatures[1].bytes;
    assert_int_equal(bytes.n, 72);
    assert_view_equal(rp_view_sub(bytes, 0, 8), unit_hex("00000000641850cb"));
    struct rp_buf message = rp_buf_new(1000);
    rp_buf_add_cstr(&message, "cosignature/v1\ntime 1679315147\n");
    rp_buf_add(&message, note.text);
    assert_ok(rp_ed25519_verify(rp_view_of(w->witness_key.public_key, RP_ED25519_PUBLIC),
                                rp_buf_view(&message), rp_view_from(bytes, 8)));
    rp_buf_done(&message);
}

static void the_newest_cosignature_counts(void **state) {
    struct world *w = *state;
    struct rp_tlog_vkey vkey =
        rp_vkey_of(RP_VKEY_COSIGNER, RP_VIEW(WITNESS_NAME), w->witness_key.public_key);
    rp_view checkpoint = checkpoint_of(w, 7);
    struct rp_tlog_note note;
    struct rp_cosignature found;
    assert_ok(rp_tlog_note_parse(checkpoint, w->arena, &note));
    assert_err(rp_cosignature_find(&note, &vkey, &found), NOT_FOUND);
    rp_view both = join(w, join(w, checkpoint, line_of(w, &w->witness_key, checkpoint, 2000)),
                        line_of(w, &w->witness_key, checkpoint, 1000));
    assert_ok(rp_tlog_note_parse(both, w->arena, &note));
    assert_ok(rp_cosignature_find(&note, &vkey, &found));
    assert_int_equal(found.time_s, 2000);
    /* Of another tree, under the same name and key id. */
    rp_view of_another = line_of(w, &w->witness_key, checkpoint_of(w, 8), 3000);
    assert_ok(rp_tlog_note_parse(join(w, both, of_another), w->arena, &note));
    assert_err(rp_cosignature_find(&note, &vkey, &found), BAD_SIGNATURE);
}

static void a_key_keeps_to_its_trade(void **state) {
    struct world *w = *state;
    struct rp_tlog_vkey made =
        rp_vkey_of(RP_VKEY_COSIGNER, RP_VIEW(WITNESS_NAME), w->witness_key.public_key);
    struct rp_tlog_vkey parsed;
    struct rp_buf text = rp_buf_new(1000);
    rp_tlog_vkey_print(&text, &made);
    assert_ok(rp_vkey_parse_as(RP_VKEY_COSIGNER, rp_buf_view(&text), w->arena, &parsed));
    assert_err(rp_vkey_parse(rp_buf_view(&text), w->arena, &parsed), UNSUPPORTED);
    rp_buf_clear(&text);
    rp_vkey_print(&text, RP_VIEW(LOG_NAME), w->log_key.public_key);
    assert_err(rp_vkey_parse_as(RP_VKEY_COSIGNER, rp_buf_view(&text), w->arena, &parsed),
               UNSUPPORTED);
    rp_buf_done(&text);
}

/* ---- answers ---- */

static void what_an_answer_is_worth(void **state) {
    struct world *w = *state;
    struct rp_tlog_vkey vkey =
        rp_vkey_of(RP_VKEY_COSIGNER, RP_VIEW(WITNESS_NAME), w->witness_key.public_key);
    rp_view checkpoint = checkpoint_of(w, 7);
    rp_view good = line_of(w, &w->witness_key, checkpoint, 1000);
    rp_view forged = line_of(w, &w->other_key, checkpoint, 1000);
    rp_view stale = line_of(w, &w->witness_key, checkpoint_of(w, 6), 1000);
    const struct {
        const char *what;
        struct rp_witness_answer answer;
        uint64_t old_size;
        enum rp_witness_word word;
    } cases[] = {
        {"cosigned", {200, false, good}, 5, RP_WITNESS_COSIGNED},
        {"beside a stranger's", {200, false, join(w, forged, good)}, 5, RP_WITNESS_COSIGNED},
        {"a stranger's alone", {200, false, forged}, 5, RP_WITNESS_REFUSED},
        {"of another tree", {200, false, stale}, 5, RP_WITNESS_REFUSED},
        {"one good, one bad", {200, false, join(w, good, stale)}, 5, RP_WITNESS_REFUSED},
        {"nothing", {200, false, RP_VIEW("")}, 5, RP_WITNESS_REFUSED},
        {"noise", {200, false, RP_VIEW("<html>ok</html>\n")}, 5, RP_WITNESS_REFUSED},
        {"smaller", {409, true, RP_VIEW("3\n")}, 5, RP_WITNESS_ASK_FROM},
        {"never", {409, true, RP_VIEW("0\n")}, 5, RP_WITNESS_ASK_FROM},
        {"ours, cosigned meanwhile", {409, true, RP_VIEW("7\n")}, 5, RP_WITNESS_ASK_FROM},
        {"larger", {409, true, RP_VIEW("8\n")}, 5, RP_WITNESS_LARGER},
        {"same size, other tree", {409, true, RP_VIEW("7\n")}, 7, RP_WITNESS_DIVERGED},
        {"turns in circles", {409, true, RP_VIEW("5\n")}, 5, RP_WITNESS_REFUSED},
        {"no type", {409, false, RP_VIEW("3\n")}, 5, RP_WITNESS_REFUSED},
        {"no newline", {409, true, RP_VIEW("3")}, 5, RP_WITNESS_REFUSED},
        {"no number", {409, true, RP_VIEW("03\n")}, 5, RP_WITNESS_REFUSED},
        {"inconsistent", {422, false, RP_VIEW("")}, 5, RP_WITNESS_DIVERGED},
        {"not followed", {404, false, RP_VIEW("")}, 5, RP_WITNESS_REFUSED},
        {"other key", {403, false, RP_VIEW("")}, 5, RP_WITNESS_REFUSED},
        {"too often", {429, false, RP_VIEW("")}, 5, RP_WITNESS_SILENT},
        {"down", {503, false, RP_VIEW("")}, 5, RP_WITNESS_SILENT},
        {"moved", {302, false, RP_VIEW("")}, 5, RP_WITNESS_REFUSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rp_witness_question question = {&vkey, checkpoint, cases[i].old_size, 7};
        struct rp_buf lines = rp_buf_new(RP_WITNESSED_MAX);
        struct rp_witness_heard heard = rp_witness_hear(&question, &cases[i].answer, &lines);
        if (heard.word != cases[i].word) {
            fail_msg("%s: %d, expected %d", cases[i].what, (int)heard.word, (int)cases[i].word);
        }
        if (heard.word == RP_WITNESS_COSIGNED) {
            assert_view_equal(rp_buf_view(&lines), good); /* and not the stranger's */
        } else {
            assert_int_equal(lines.n, 0);
        }
        rp_buf_done(&lines);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_of_the_specification, up, down),
        cmocka_unit_test_setup_teardown(a_fork_is_no_mere_conflict, up, down),
        cmocka_unit_test_setup_teardown(bodies_that_are_none, up, down),
        cmocka_unit_test_setup_teardown(a_proof_has_63_hashes_at_most, up, down),
        cmocka_unit_test_setup_teardown(what_a_cosignature_signs, up, down),
        cmocka_unit_test_setup_teardown(the_newest_cosignature_counts, up, down),
        cmocka_unit_test_setup_teardown(a_key_keeps_to_its_trade, up, down),
        cmocka_unit_test_setup_teardown(what_an_answer_is_worth, up, down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
