/* Wycheproof's vectors (C2SP/wycheproof, testvectors_v1): what is valid works, what is invalid is
 * refused. Foreign data, found by REMPART_CORPORA; without it every test here is skipped. */
#include "unit.h"

#include "base/checked.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "wire/json.h"

struct vectors {
    struct rp_arena *arena;
    const struct rp_json *groups;
    size_t ran;
};

static int start(void **state) {
    (void)state;
    assert_ok(rp_crypto_start());
    return 0;
}

static struct vectors load(const char *name) {
    char relative[128];
    snprintf(relative, sizeof relative, "wycheproof/%s", name);
    const char *path = unit_corpora(relative);
    if (!path) {
        skip();
    }
    size_t n = 0;
    uint8_t *text = unit_file(path, &n);
    struct vectors vectors = {.arena = rp_arena_new(64 << 20)};
    struct rp_json_limits limits = {.depth_max = 32, .count_max = 200000};
    struct rp_json *root = NULL;
    struct rp_diag diag = {0};
    rp_err err = rp_json_parse(rp_view_of(text, n), limits, vectors.arena, &root, &diag);
    if (!rp_ok(err)) {
        fail_msg("%s: line %u: %s", path, diag.line, diag.text);
    }
    test_free(text);
    vectors.groups = rp_json_get(root, "testGroups");
    assert_non_null(vectors.groups);
    return vectors;
}

/* A hexadecimal member as bytes in the arena. */
static rp_view hex(struct vectors *vectors, const struct rp_json *object, const char *key) {
    rp_view text = rp_json_get_string(object, key);
    uint8_t *bytes = rp_arena_alloc(vectors->arena, text.n / 2);
    assert_non_null(text.p);
    assert_non_null(bytes);
    assert_true(rp_hex_parse(text, bytes, text.n / 2));
    return rp_view_of(bytes, text.n / 2);
}

static struct rp_secret *secret(struct vectors *vectors, const struct rp_json *test,
                                const char *key) {
    rp_view bytes = hex(vectors, test, key);
    uint8_t copy[512];
    struct rp_secret *made = NULL;
    assert_true(bytes.n <= sizeof copy);
    memcpy(copy, bytes.p, bytes.n);
    assert_ok(rp_secret_new_take(copy, bytes.n, &made));
    return made;
}

/* "acceptable" is for what old systems still do: we may refuse it or not. */
static void judge(struct vectors *vectors, const struct rp_json *test, bool accepted) {
    rp_view result = rp_json_get_string(test, "result");
    uint64_t id = 0;
    rp_json_get_u64(test, "tcId", &id);
    if ((rp_view_equal(result, RP_VIEW("valid")) && !accepted) ||
        (rp_view_equal(result, RP_VIEW("invalid")) && accepted)) {
        fail_msg("tcId %llu is %.*s, but was %s", (unsigned long long)id, RP_FMT(result),
                 accepted ? "accepted" : "refused");
    }
    vectors->ran++;
}

static void done(struct vectors *vectors, size_t at_least) {
    assert_true(vectors->ran >= at_least);
    rp_arena_free(vectors->arena);
}

static uint64_t number(const struct rp_json *group, const char *key) {
    uint64_t value = 0;
    assert_true(rp_json_get_u64(group, key, &value));
    return value;
}

/* Our sealed form has nonces of 96 bits and tags of 128, so only such groups are for us. */
static void gcm_opens_what_is_valid_and_nothing_else(void **state) {
    (void)state;
    struct vectors v = load("aes_gcm_test.json");
    for (const struct rp_json *g = v.groups->first; g; g = g->next) {
        if (number(g, "keySize") != 256 || number(g, "ivSize") != 96 ||
            number(g, "tagSize") != 128) {
            continue;
        }
        for (const struct rp_json *t = rp_json_get(g, "tests")->first; t; t = t->next) {
            struct rp_secret *key = secret(&v, t, "key");
            struct rp_buf sealed = rp_buf_new(4096);
            struct rp_buf plain = rp_buf_new(4096);
            rp_buf_add_cstr(&sealed, "RP1A");
            rp_buf_add(&sealed, hex(&v, t, "iv"));
            rp_buf_add(&sealed, hex(&v, t, "ct"));
            rp_buf_add(&sealed, hex(&v, t, "tag"));
            rp_err err = rp_aead_open(key, hex(&v, t, "aad"), rp_buf_view(&sealed), &plain);
            if (rp_ok(err)) {
                assert_view_equal(rp_buf_view(&plain), hex(&v, t, "msg"));
            }
            judge(&v, t, rp_ok(err));
            rp_buf_done(&plain);
            rp_buf_done(&sealed);
            rp_secret_free(key);
        }
    }
    done(&v, 50);
}

typedef rp_err verify_function(rp_view public_key, rp_view message, rp_view signature);

static void verify_all(const char *file, const char *key_name, const char *key_member,
                       verify_function *verify) {
    struct vectors v = load(file);
    for (const struct rp_json *g = v.groups->first; g; g = g->next) {
        rp_view public_key = hex(&v, rp_json_get(g, key_name), key_member);
        for (const struct rp_json *t = rp_json_get(g, "tests")->first; t; t = t->next) {
            rp_err err = verify(public_key, hex(&v, t, "msg"), hex(&v, t, "sig"));
            assert_true(rp_ok(err) || rp_is(err, RP_E_BAD_SIGNATURE));
            judge(&v, t, rp_ok(err));
        }
    }
    done(&v, 100);
}

static void ed25519_verifies_what_is_valid_and_nothing_else(void **state) {
    (void)state;
    verify_all("ed25519_test.json", "publicKey", "pk", rp_ed25519_verify);
}

static void es256_verifies_what_is_valid_and_nothing_else(void **state) {
    (void)state;
    verify_all("ecdsa_secp256r1_sha256_p1363_test.json", "publicKey", "uncompressed",
               rp_es256_verify);
}

static void hkdf_derives_the_same(void **state) {
    (void)state;
    struct vectors v = load("hkdf_sha256_test.json");
    for (const struct rp_json *g = v.groups->first; g; g = g->next) {
        for (const struct rp_json *t = rp_json_get(g, "tests")->first; t; t = t->next) {
            struct rp_secret *ikm = secret(&v, t, "ikm");
            struct rp_secret *okm = NULL;
            rp_view want = hex(&v, t, "okm");
            rp_err err = rp_hkdf_sha256(ikm, hex(&v, t, "salt"), hex(&v, t, "info"),
                                        (size_t)number(t, "size"), &okm);
            if (rp_ok(err)) {
                uint8_t got[8160];
                assert_int_equal(rp_secret_size(okm), want.n);
                rp_secret_reveal(okm, got, want.n);
                assert_memory_equal(got, want.p, want.n);
            }
            judge(&v, t, rp_ok(err));
            rp_secret_free(okm);
            rp_secret_free(ikm);
        }
    }
    done(&v, 50);
}

static void hmac_computes_the_same(void **state) {
    (void)state;
    struct vectors v = load("hmac_sha256_test.json");
    for (const struct rp_json *g = v.groups->first; g; g = g->next) {
        size_t tag_bytes = (size_t)number(g, "tagSize") / 8;
        for (const struct rp_json *t = rp_json_get(g, "tests")->first; t; t = t->next) {
            struct rp_secret *key = secret(&v, t, "key");
            struct rp_sha256 mac = rp_hmac_sha256(key, hex(&v, t, "msg"));
            judge(&v, t, rp_ct_equal(rp_view_of(mac.b, tag_bytes), hex(&v, t, "tag")));
            rp_secret_free(key);
        }
    }
    done(&v, 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gcm_opens_what_is_valid_and_nothing_else),
        cmocka_unit_test(ed25519_verifies_what_is_valid_and_nothing_else),
        cmocka_unit_test(es256_verifies_what_is_valid_and_nothing_else),
        cmocka_unit_test(hkdf_derives_the_same),
        cmocka_unit_test(hmac_computes_the_same),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
