#include "wire/webauthn.h"

#include "base/assert.h"
#include "wire/cbor.h"
#include "wire/encode.h"
#include "wire/json.h"

/* ---- client data ---- */

static bool ceremony_of(rp_view type, enum rp_ceremony *ret_ceremony) {
    bool create = rp_view_equal(type, RP_VIEW("webauthn.create"));
    if (!create && !rp_view_equal(type, RP_VIEW("webauthn.get"))) {
        return false;
    }
    *ret_ceremony = create ? RP_WEBAUTHN_CREATE : RP_WEBAUTHN_GET;
    return true;
}

static rp_err read_members(const struct rp_json *root, struct rp_arena *arena,
                           struct rp_client_data *data) {
    rp_view challenge = rp_json_get_string(root, "challenge");
    data->origin = rp_json_get_string(root, "origin");
    if (!ceremony_of(rp_json_get_string(root, "type"), &data->ceremony) || !challenge.p ||
        !data->origin.p) {
        return RP_ERR(SYNTAX);
    }
    if (rp_json_get(root, "crossOrigin") &&
        !rp_json_get_bool(root, "crossOrigin", &data->cross_origin)) {
        return RP_ERR(SYNTAX);
    }
    RP_TRY(rp_base64url_decode(challenge, arena, &data->challenge));
    return data->challenge.n <= RP_CHALLENGE_MAX ? RP_OK : RP_ERR(TOO_LARGE);
}

rp_err rp_client_data_parse(rp_view json, struct rp_arena *arena, struct rp_client_data *ret_data) {
    RP_ASSERT(arena != NULL && ret_data != NULL);
    static const struct rp_json_limits limits = {.depth_max = 8, .count_max = 64};
    struct rp_client_data data = {.cross_origin = false};
    struct rp_json *root = NULL;
    if (json.n > RP_CLIENT_DATA_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(rp_json_parse(json, limits, arena, &root, NULL));
    rp_err err = read_members(root, arena, &data);
    RP_TRY(rp_is(err, RP_E_INVALID) ? RP_ERR(SYNTAX) : err);
    *ret_data = data;
    return RP_OK;
}

/* ---- keys: RFC 9053 section 7.1, RFC 8230 section 4 ---- */

enum cose_label { KTY = 1, ALG = 3, CURVE = -1, X = -2, Y = -3, MODULUS = -1, EXPONENT = -2 };
enum cose_kind { OKP = 1, EC2 = 2, RSA = 3 };
enum cose_curve { P256 = 1, ED25519 = 6 };
enum { COORDINATE = 32, EXPONENT_MAX = 4 };

static bool has_number(rp_view map, int64_t label, int64_t wanted) {
    int64_t number = 0;
    return rp_cbor_number(rp_cbor_at(map, label), &number) && number == wanted;
}

static bool coordinate_of(rp_view map, int64_t label, rp_view *ret_bytes) {
    return rp_cbor_bytes(rp_cbor_at(map, label), ret_bytes) && ret_bytes->n == COORDINATE;
}

static rp_err read_ec(rp_view map, struct rp_cose_key *key) {
    rp_view x = {NULL, 0}, y = {NULL, 0};
    if (!has_number(map, KTY, EC2) || !has_number(map, CURVE, P256)) {
        return RP_ERR(UNSUPPORTED);
    }
    if (!coordinate_of(map, X, &x) || !coordinate_of(map, Y, &y)) {
        return RP_ERR(SYNTAX);
    }
    key->point[0] = 0x04;
    memcpy(key->point + 1, x.p, COORDINATE);
    memcpy(key->point + 1 + COORDINATE, y.p, COORDINATE);
    return RP_OK;
}

static rp_err read_okp(rp_view map, struct rp_cose_key *key) {
    if (!has_number(map, KTY, OKP) || !has_number(map, CURVE, ED25519)) {
        return RP_ERR(UNSUPPORTED);
    }
    return coordinate_of(map, X, &key->x) ? RP_OK : RP_ERR(SYNTAX);
}

/* Numbers without leading zeros (RFC 8230), the modulus of a size that a server can bear. */
static rp_err read_rsa(rp_view map, struct rp_cose_key *key) {
    if (!has_number(map, KTY, RSA)) {
        return RP_ERR(UNSUPPORTED);
    }
    if (!rp_cbor_bytes(rp_cbor_at(map, MODULUS), &key->modulus) ||
        !rp_cbor_bytes(rp_cbor_at(map, EXPONENT), &key->exponent) || key->modulus.n == 0 ||
        key->exponent.n == 0 || key->modulus.p[0] == 0 || key->exponent.p[0] == 0) {
        return RP_ERR(SYNTAX);
    }
    bool fits = key->modulus.n >= RP_COSE_RSA_MIN && key->modulus.n <= RP_COSE_RSA_MAX &&
                key->exponent.n <= EXPONENT_MAX;
    return fits ? RP_OK : RP_ERR(UNSUPPORTED);
}

static rp_err read_key(rp_view map, int64_t alg, struct rp_cose_key *key) {
    key->alg = (enum rp_cose_alg)alg;
    switch (alg) {
    case RP_COSE_ES256:
        return read_ec(map, key);
    case RP_COSE_EDDSA:
        return read_okp(map, key);
    case RP_COSE_RS256:
        return read_rsa(map, key);
    default:
        return RP_ERR(UNSUPPORTED);
    }
}

rp_err rp_cose_key_parse(rp_view bytes, struct rp_cose_key *ret_key) {
    RP_ASSERT(ret_key != NULL);
    struct rp_cose_key key = {.modulus = {NULL, 0}};
    rp_view map = {NULL, 0};
    size_t pairs = 0;
    int64_t alg = 0;
    RP_TRY(rp_cbor_whole(bytes, &map));
    if (!rp_cbor_map(map, &pairs) || !rp_cbor_number(rp_cbor_at(map, ALG), &alg)) {
        return RP_ERR(SYNTAX);
    }
    RP_TRY(read_key(map, alg, &key));
    *ret_key = key;
    return RP_OK;
}

/* ---- authenticator data: section 6.1 ---- */

enum flag { UP = 1 << 0, UV = 1 << 2, BE = 1 << 3, BS = 1 << 4, AT = 1 << 6, ED = 1 << 7 };
enum { COUNT_AT = 33, HEAD = 37 };

static uint32_t be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* A key that was copied although it cannot be copied is no key. Bits 1 and 5 are kept for later
 * editions of the specification, and say nothing today. */
static bool flags_fit(uint8_t flags) {
    return (flags & BS) == 0 || (flags & BE) != 0;
}

static rp_err read_attested(rp_view *rest, struct rp_authenticator_data *data) {
    if (rest->n < RP_AAGUID + 2) {
        return RP_ERR(SYNTAX);
    }
    size_t n = (size_t)rest->p[RP_AAGUID] << 8 | rest->p[RP_AAGUID + 1];
    data->aaguid = rp_view_sub(*rest, 0, RP_AAGUID);
    *rest = rp_view_from(*rest, RP_AAGUID + 2);
    if (n > RP_CREDENTIAL_ID_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    if (n == 0 || n > rest->n) {
        return RP_ERR(SYNTAX);
    }
    data->credential_id = rp_view_sub(*rest, 0, n);
    *rest = rp_view_from(*rest, n);
    return rp_cbor_take(rest, &data->key);
}

static rp_err pass_extensions(rp_view *rest) {
    rp_view map = {NULL, 0};
    size_t pairs = 0;
    RP_TRY(rp_cbor_take(rest, &map));
    return rp_cbor_map(map, &pairs) ? RP_OK : RP_ERR(SYNTAX);
}

rp_err rp_authenticator_data_parse(rp_view bytes, struct rp_authenticator_data *ret_data) {
    RP_ASSERT(ret_data != NULL);
    if (bytes.n < HEAD || !flags_fit(bytes.p[RP_WEBAUTHN_HASH])) {
        return RP_ERR(SYNTAX);
    }
    uint8_t flags = bytes.p[RP_WEBAUTHN_HASH];
    struct rp_authenticator_data data = {.site_hash = rp_view_sub(bytes, 0, RP_WEBAUTHN_HASH),
                                         .present = (flags & UP) != 0,
                                         .verified = (flags & UV) != 0,
                                         .may_move = (flags & BE) != 0,
                                         .moved = (flags & BS) != 0,
                                         .attested = (flags & AT) != 0,
                                         .count = be32(bytes.p + COUNT_AT)};
    rp_view rest = rp_view_from(bytes, HEAD);
    if (data.attested) {
        RP_TRY(read_attested(&rest, &data));
    }
    if (flags & ED) {
        RP_TRY(pass_extensions(&rest));
    }
    if (rest.n > 0) {
        return RP_ERR(SYNTAX);
    }
    *ret_data = data;
    return RP_OK;
}

/* ---- attestation: section 6.5.4 ---- */

rp_err rp_attestation_parse(rp_view bytes, struct rp_attestation *ret_attestation) {
    RP_ASSERT(ret_attestation != NULL);
    struct rp_attestation attestation = {.format = {NULL, 0}};
    rp_view map = {NULL, 0};
    size_t pairs = 0;
    RP_TRY(rp_cbor_whole(bytes, &map));
    attestation.statement = rp_cbor_at_text(map, RP_VIEW("attStmt"));
    if (!rp_cbor_text(rp_cbor_at_text(map, RP_VIEW("fmt")), &attestation.format) ||
        !rp_cbor_bytes(rp_cbor_at_text(map, RP_VIEW("authData")),
                       &attestation.authenticator_data) ||
        !rp_cbor_map(attestation.statement, &pairs)) {
        return RP_ERR(SYNTAX);
    }
    *ret_attestation = attestation;
    return RP_OK;
}

/* ---- the whole answer: section 5.1, toJSON() ---- */

void rp_webauthn_add_bytes(struct rp_arena *arena, struct rp_json *object, const char *key,
                           rp_view bytes) {
    struct rp_buf text = rp_buf_new(2 * RP_WEBAUTHN_ANSWER_MAX);
    rp_base64url_print(&text, bytes);
    rp_json_add_string(arena, object, key, rp_buf_view(&text));
    rp_buf_done(&text);
}

static const char *const transport_names[] = {"usb",    "nfc",      "ble",
                                              "hybrid", "internal", "smart-card"};
_Static_assert(1 << (sizeof transport_names / sizeof transport_names[0]) == RP_TRANSPORTS_ALL + 1,
               "a name for each");

const char *rp_transport_name(unsigned transport) {
    for (size_t i = 0; i < sizeof transport_names / sizeof transport_names[0]; i++) {
        if (transport == 1U << i) {
            return transport_names[i];
        }
    }
    return NULL;
}

/* "cable" was hybrid's first name. */
static unsigned transport_of(rp_view name) {
    for (unsigned one = 1; one <= RP_TRANSPORTS_ALL; one <<= 1) {
        if (rp_view_equal(name, rp_view_from_cstr(rp_transport_name(one)))) {
            return one;
        }
    }
    return rp_view_equal(name, RP_VIEW("cable")) ? RP_TRANSPORT_HYBRID : 0;
}

static unsigned transports_of(const struct rp_json *list) {
    unsigned set = 0;
    if (list && list->kind == RP_JSON_ARRAY) {
        for (const struct rp_json *one = list->first; one; one = one->next) {
            set |= one->kind == RP_JSON_STRING ? transport_of(one->string) : 0;
        }
    }
    return set;
}

/* A member in base64url; absent, or null, leaves p == NULL. */
static rp_err decode(const struct rp_json *object, const char *key, struct rp_arena *arena,
                     rp_view *ret_bytes) {
    const struct rp_json *member = rp_json_get(object, key);
    if (!member || member->kind == RP_JSON_NULL) {
        return RP_OK;
    }
    return member->kind == RP_JSON_STRING ? rp_base64url_decode(member->string, arena, ret_bytes)
                                          : RP_ERR(SYNTAX);
}

static rp_err read_answer(const struct rp_json *root, struct rp_arena *arena,
                          struct rp_webauthn_answer *answer) {
    const struct rp_json *response = rp_json_get(root, "response");
    if (!response || !rp_view_equal(rp_json_get_string(root, "type"), RP_VIEW("public-key"))) {
        return RP_ERR(SYNTAX);
    }
    RP_TRY(decode(root, "id", arena, &answer->credential_id));
    RP_TRY(decode(response, "clientDataJSON", arena, &answer->client_data));
    RP_TRY(decode(response, "attestationObject", arena, &answer->attestation));
    RP_TRY(decode(response, "authenticatorData", arena, &answer->authenticator_data));
    RP_TRY(decode(response, "signature", arena, &answer->signature));
    RP_TRY(decode(response, "userHandle", arena, &answer->user));
    answer->transports = transports_of(rp_json_get(response, "transports"));
    return RP_OK;
}

static rp_err check_answer(const struct rp_webauthn_answer *answer) {
    if (answer->credential_id.n > RP_CREDENTIAL_ID_MAX || answer->user.n > RP_USER_HANDLE_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    bool whole =
        answer->attestation.n > 0 || (answer->authenticator_data.n > 0 && answer->signature.n > 0);
    return whole && answer->credential_id.n > 0 && answer->client_data.n > 0 ? RP_OK
                                                                             : RP_ERR(SYNTAX);
}

rp_err rp_webauthn_answer_parse(rp_view json, struct rp_arena *arena,
                                struct rp_webauthn_answer *ret_answer) {
    RP_ASSERT(arena != NULL && ret_answer != NULL);
    static const struct rp_json_limits limits = {.depth_max = 8, .count_max = 128};
    struct rp_webauthn_answer answer = {.transports = 0};
    struct rp_json *root = NULL;
    if (json.n > RP_WEBAUTHN_ANSWER_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(rp_json_parse(json, limits, arena, &root, NULL));
    rp_err err = read_answer(root, arena, &answer);
    RP_TRY(rp_is(err, RP_E_INVALID) ? RP_ERR(SYNTAX) : err);
    RP_TRY(check_answer(&answer));
    *ret_answer = answer;
    return RP_OK;
}
