/* Two ends in one process, bytes carried by hand: who is taken, who is refused, what arrives. */
#include "unit.h"

#include "base/checked.h"
#include "crypto/tls_channel.h"

enum { ROOM = 1 << 20 };

static struct unit_world world = {.now_ns = 1790000000LL * 1000000000, .random_state = 5};
static struct rp_env env;

/* One machine's end: its key, whom it knows, what it heard. */
struct end {
    struct rp_tls_key *key;
    struct rp_sha256 known;
    struct rp_tls_channel *channel;
    struct rp_buf heard;
    rp_err err;
};

static struct end keys, data;

static struct rp_tls_key *new_key(void) {
    struct rp_buf pem = rp_buf_new(RP_TLS_KEY_PEM_MAX);
    struct rp_tls_key *key = NULL;
    assert_ok(rp_tls_key_make(&pem));
    assert_ok(rp_tls_key_read(&env, rp_buf_view(&pem), &key));
    rp_buf_done(&pem);
    return key;
}

static int start(void **state) {
    (void)state;
    env = unit_env(&world);
    assert_ok(rp_crypto_start());
    keys = (struct end){.key = new_key(), .heard = rp_buf_new(ROOM)};
    data = (struct end){.key = new_key(), .heard = rp_buf_new(ROOM)};
    return 0;
}

static int finish(void **state) {
    (void)state;
    rp_tls_key_free(keys.key);
    rp_tls_key_free(data.key);
    rp_buf_done(&keys.heard);
    rp_buf_done(&data.heard);
    return 0;
}

/* data dials keys, and each knows what it is told to know. */
static void open_ends(struct rp_sha256 keys_knows, struct rp_sha256 data_knows) {
    keys.known = keys_knows;
    data.known = data_knows;
    keys.err = data.err = RP_OK;
    rp_buf_clear(&keys.heard);
    rp_buf_clear(&data.heard);
    assert_ok(rp_tls_channel_new(keys.key, RP_TLS_LISTENS, &keys.known, 1, &keys.channel));
    assert_ok(rp_tls_channel_new(data.key, RP_TLS_DIALS, &data.known, 1, &data.channel));
}

static void close_ends(void) {
    rp_tls_channel_free(keys.channel);
    rp_tls_channel_free(data.channel);
}

/* What one has to give goes to the other; false when there was nothing. */
static bool carry(struct end *from, struct end *to) {
    struct rp_buf bytes = rp_buf_new(ROOM);
    assert_ok(rp_tls_channel_give(from->channel, &bytes));
    bool some = bytes.n > 0;
    if (some && rp_ok(to->err)) {
        to->err = rp_tls_channel_take(to->channel, rp_buf_view(&bytes), &to->heard);
    }
    rp_buf_done(&bytes);
    return some;
}

static void carry_all(void) {
    while (carry(&data, &keys) || carry(&keys, &data)) {
    }
}

static void known_keys_meet_and_talk(void **state) {
    (void)state;
    static uint8_t large[200000];
    for (size_t i = 0; i < sizeof large; i++) {
        large[i] = (uint8_t)(i * 31 >> 3);
    }
    struct rp_sha256 of_data = rp_tls_key_fingerprint(data.key);
    open_ends(of_data, rp_tls_key_fingerprint(keys.key));
    assert_false(rp_tls_channel_is_up(keys.channel));
    assert_null(rp_tls_channel_peer(keys.channel));
    carry_all();
    assert_true(rp_tls_channel_is_up(keys.channel));
    assert_true(rp_tls_channel_is_up(data.channel));
    assert_memory_equal(rp_tls_channel_peer(keys.channel)->b, of_data.b, RP_SHA256);

    assert_ok(rp_tls_channel_say(data.channel, RP_VIEW("lend me a key")));
    assert_ok(rp_tls_channel_say(keys.channel, rp_view_of(large, sizeof large)));
    carry_all();
    assert_view(rp_buf_view(&keys.heard), "lend me a key");
    assert_view_equal(rp_buf_view(&data.heard), rp_view_of(large, sizeof large));

    rp_tls_channel_end(data.channel);
    carry_all();
    assert_err(keys.err, CLOSED);
    close_ends();
}

static void a_stranger_who_dials_is_refused(void **state) {
    (void)state;
    open_ends(rp_tls_key_fingerprint(keys.key), rp_tls_key_fingerprint(keys.key));
    carry_all();
    assert_err(keys.err, DENIED);
    assert_false(rp_tls_channel_is_up(keys.channel));
    struct rp_sha256 shown = rp_tls_key_fingerprint(data.key);
    assert_memory_equal(rp_tls_channel_peer(keys.channel)->b, shown.b, RP_SHA256);
    assert_err(data.err, UNAUTHENTICATED); /* and is told why */
    assert_err(rp_tls_channel_take(keys.channel, RP_VIEW("more"), &keys.heard), CLOSED);
    assert_err(rp_tls_channel_say(keys.channel, RP_VIEW("more")), CLOSED);
    close_ends();
}

static void a_stranger_who_answers_is_refused(void **state) {
    (void)state;
    open_ends(rp_tls_key_fingerprint(data.key), rp_tls_key_fingerprint(data.key));
    carry_all();
    assert_err(data.err, DENIED);
    assert_false(rp_tls_channel_is_up(data.channel));
    assert_err(keys.err, UNAUTHENTICATED);
    close_ends();
}

/* The hello of a TLS 1.2 client: no list of versions, so 3.3 is the most that it speaks. */
static void an_earlier_version_is_refused(void **state) {
    (void)state;
    uint8_t hello[52] = {0x16, 3, 1, 0, 47, 1, 0, 0, 43, 3, 3};
    memcpy(hello + 44, "\0\2\xc0\x2f\1", 5); /* one suite, no compression, no extensions */
    struct rp_sha256 known = rp_tls_key_fingerprint(data.key);
    struct rp_tls_channel *channel = NULL;
    struct rp_buf said = rp_buf_new(ROOM), alert = rp_buf_new(ROOM);
    assert_ok(rp_tls_channel_new(keys.key, RP_TLS_LISTENS, &known, 1, &channel));
    assert_err(rp_tls_channel_take(channel, rp_view_of(hello, sizeof hello), &said), PROTOCOL);
    assert_ok(rp_tls_channel_give(channel, &alert));
    assert_int_equal(alert.n, 7);
    assert_int_equal(alert.p[6], 70); /* protocol_version */
    rp_tls_channel_free(channel);
    rp_buf_done(&said);
    rp_buf_done(&alert);
}

static void one_altered_byte_ends_it(void **state) {
    (void)state;
    open_ends(rp_tls_key_fingerprint(data.key), rp_tls_key_fingerprint(keys.key));
    carry_all();
    struct rp_buf bytes = rp_buf_new(ROOM);
    assert_ok(rp_tls_channel_say(data.channel, RP_VIEW("lend me a key")));
    assert_ok(rp_tls_channel_give(data.channel, &bytes));
    bytes.p[bytes.n - 1] ^= 1;
    assert_err(rp_tls_channel_take(keys.channel, rp_buf_view(&bytes), &keys.heard), PROTOCOL);
    assert_int_equal(keys.heard.n, 0);
    rp_buf_done(&bytes);
    close_ends();
}

static void what_is_said_stays_below_its_maximum(void **state) {
    (void)state;
    open_ends(rp_tls_key_fingerprint(data.key), rp_tls_key_fingerprint(keys.key));
    carry_all();
    struct rp_buf bytes = rp_buf_new(ROOM), small = rp_buf_new(4);
    assert_ok(rp_tls_channel_say(data.channel, RP_VIEW("lend me a key")));
    assert_ok(rp_tls_channel_give(data.channel, &bytes));
    assert_err(rp_tls_channel_take(keys.channel, rp_buf_view(&bytes), &small), TOO_LARGE);
    rp_buf_done(&bytes);
    rp_buf_done(&small);
    close_ends();
}

static void fingerprints_are_texts(void **state) {
    (void)state;
    char text[RP_FINGERPRINT_TEXT];
    struct rp_sha256 own = rp_tls_key_fingerprint(data.key), read;
    rp_fingerprint_print(&own, text);
    assert_int_equal(strlen(text), RP_FINGERPRINT_TEXT - 1);
    assert_true(rp_fingerprint_parse(rp_view_from_cstr(text), &read));
    assert_memory_equal(read.b, own.b, RP_SHA256);
    text[10] = '!';
    assert_false(rp_fingerprint_parse(rp_view_from_cstr(text), &read));
    assert_false(rp_fingerprint_parse(RP_VIEW("SHA256:"), &read));
    assert_false(
        rp_fingerprint_parse(RP_VIEW("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV"), &read));
    assert_true(
        rp_fingerprint_parse(RP_VIEW("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"), &read));
}

static void a_text_that_is_no_key_is_refused(void **state) {
    (void)state;
    struct rp_tls_key *key = NULL;
    assert_err(rp_tls_key_read(&env, RP_VIEW("no key"), &key), SYNTAX);
    assert_null(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_keys_meet_and_talk),
        cmocka_unit_test(a_stranger_who_dials_is_refused),
        cmocka_unit_test(a_stranger_who_answers_is_refused),
        cmocka_unit_test(an_earlier_version_is_refused),
        cmocka_unit_test(one_altered_byte_ends_it),
        cmocka_unit_test(what_is_said_stays_below_its_maximum),
        cmocka_unit_test(fingerprints_are_texts),
        cmocka_unit_test(a_text_that_is_no_key_is_refused),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
