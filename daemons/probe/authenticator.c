#include "authenticator.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "wire/webauthn.h"

enum { ARENA = 64 * 1024, DATA_MAX = 512, HALF = RP_SIGNATURE / 2, DER_MAX = 72 };
enum flag { UP = 1 << 0, UV = 1 << 2, AT = 1 << 6 };

/* ---- what the browser says ---- */

static rp_err print_client_data(const struct authenticator *authenticator, const char *type,
                                rp_view challenge, struct rp_buf *out) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_cstr(arena, root, "type", type);
    rp_webauthn_add_bytes(arena, root, "challenge", challenge);
    rp_json_add_cstr(arena, root, "origin", authenticator->origin);
    rp_json_add_bool(arena, root, "crossOrigin", false);
    return rp_json_print(root, out);
}

/* ---- what the authenticator says ---- */

static void add_head(const struct authenticator *authenticator, unsigned flags,
                     struct rp_buf *out) {
    struct rp_sha256 site = rp_sha256_of(rp_view_from_cstr(authenticator->site));
    uint32_t count = authenticator->count;
    rp_buf_add(out, rp_view_of(site.b, sizeof site.b));
    rp_buf_add_byte(out, (uint8_t)(UP | flags | (authenticator->verifies ? UV : 0)));
    for (int shift = 24; shift >= 0; shift -= 8) {
        rp_buf_add_byte(out, (uint8_t)(count >> shift));
    }
}

/* AAGUID of nobody, the id, and {1: 2, 3: -7, -1: 1, -2: x, -3: y}. */
static rp_err add_key(const struct authenticator *authenticator, struct rp_buf *out) {
    static const uint8_t aaguid_and_length[18] = {[17] = AUTHENTICATOR_ID};
    static const uint8_t before_x[] = {0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, HALF};
    static const uint8_t before_y[] = {0x22, 0x58, HALF};
    uint8_t point[RP_P256_PUBLIC];
    RP_TRY(rp_es256_public(authenticator->key, point));
    rp_buf_add(out, rp_view_of(aaguid_and_length, sizeof aaguid_and_length));
    rp_buf_add(out, rp_view_of(authenticator->id, sizeof authenticator->id));
    rp_buf_add(out, rp_view_of(before_x, sizeof before_x));
    rp_buf_add(out, rp_view_of(point + 1, HALF));
    rp_buf_add(out, rp_view_of(before_y, sizeof before_y));
    rp_buf_add(out, rp_view_of(point + 1 + HALF, HALF));
    return rp_buf_err(out);
}

/* {"fmt": "none", "attStmt": {}, "authData": bytes} */
static void add_attestation(rp_view data, struct rp_buf *out) {
    static const char head[] = "\xa3\x63"
                               "fmt\x64none\x67"
                               "attStmt\xa0\x68"
                               "authData\x58";
    RP_ASSERT(data.n < 256);
    rp_buf_add(out, rp_view_of(head, sizeof head - 1));
    rp_buf_add_byte(out, (uint8_t)data.n);
    rp_buf_add(out, data);
}

/* A positive integer of DER: no zeros in front but the one that keeps it positive. */
static void add_integer(rp_view bytes, struct rp_buf *out) {
    while (bytes.n > 1 && bytes.p[0] == 0) {
        bytes = rp_view_from(bytes, 1);
    }
    bool padded = (bytes.p[0] & 0x80) != 0;
    rp_buf_add_byte(out, 0x02);
    rp_buf_add_byte(out, (uint8_t)(bytes.n + padded));
    if (padded) {
        rp_buf_add_byte(out, 0);
    }
    rp_buf_add(out, bytes);
}

static rp_err sign(const struct authenticator *authenticator, rp_view data, rp_view client_data,
                   struct rp_buf *out) {
    struct rp_sha256 hash = rp_sha256_of(client_data);
    uint8_t message[DATA_MAX], plain[RP_SIGNATURE];
    RP_ASSERT(data.n + sizeof hash.b <= sizeof message);
    memcpy(message, data.p, data.n);
    memcpy(message + data.n, hash.b, sizeof hash.b);
    RP_TRY(rp_es256_sign(authenticator->key, rp_view_of(message, data.n + sizeof hash.b), plain));
    plain[RP_SIGNATURE - 1] ^= authenticator->alters;
    struct rp_buf body = rp_buf_new(DER_MAX);
    add_integer(rp_view_of(plain, HALF), &body);
    add_integer(rp_view_of(plain + HALF, HALF), &body);
    rp_buf_add_byte(out, 0x30);
    rp_buf_add_byte(out, (uint8_t)body.n);
    rp_buf_add(out, rp_buf_view(&body));
    rp_buf_done(&body);
    return rp_buf_err(out);
}

/* ---- the answers ---- */

static struct rp_json *begin_answer(const struct authenticator *authenticator,
                                    struct rp_arena *arena, struct rp_json **ret_response) {
    struct rp_json *root = rp_json_object(arena);
    rp_webauthn_add_bytes(arena, root, "id",
                          rp_view_of(authenticator->id, sizeof authenticator->id));
    rp_json_add_cstr(arena, root, "type", "public-key");
    *ret_response = rp_json_add_object(arena, root, "response");
    return root;
}

rp_err authenticator_make(const struct authenticator *authenticator, rp_view challenge,
                          struct rp_buf *out) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA);
    _cleanup_(rp_buf_done) struct rp_buf client = rp_buf_new(DATA_MAX * 2),
                                         data = rp_buf_new(DATA_MAX),
                                         attestation = rp_buf_new(DATA_MAX);
    struct rp_json *response = NULL;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(print_client_data(authenticator, "webauthn.create", challenge, &client));
    add_head(authenticator, AT, &data);
    RP_TRY(add_key(authenticator, &data));
    add_attestation(rp_buf_view(&data), &attestation);
    struct rp_json *root = begin_answer(authenticator, arena, &response);
    rp_webauthn_add_bytes(arena, response, "clientDataJSON", rp_buf_view(&client));
    rp_webauthn_add_bytes(arena, response, "attestationObject", rp_buf_view(&attestation));
    rp_json_add_cstr(arena, rp_json_add_array(arena, response, "transports"), NULL,
                     authenticator->transport);
    return rp_json_print(root, out);
}

rp_err authenticator_use(const struct authenticator *authenticator, rp_view challenge, rp_view user,
                         struct rp_buf *out) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA);
    _cleanup_(rp_buf_done) struct rp_buf client = rp_buf_new(DATA_MAX * 2),
                                         data = rp_buf_new(DATA_MAX),
                                         signature = rp_buf_new(DER_MAX + 2);
    struct rp_json *response = NULL;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(print_client_data(authenticator, "webauthn.get", challenge, &client));
    add_head(authenticator, 0, &data);
    RP_TRY(sign(authenticator, rp_buf_view(&data), rp_buf_view(&client), &signature));
    struct rp_json *root = begin_answer(authenticator, arena, &response);
    rp_webauthn_add_bytes(arena, response, "clientDataJSON", rp_buf_view(&client));
    rp_webauthn_add_bytes(arena, response, "authenticatorData", rp_buf_view(&data));
    rp_webauthn_add_bytes(arena, response, "signature", rp_buf_view(&signature));
    rp_webauthn_add_bytes(arena, response, "userHandle", user);
    return rp_json_print(root, out);
}
