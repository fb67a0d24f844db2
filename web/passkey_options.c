/* passkey_options.c — what the browser is told before it asks for a key, and its answer, read. */
#include "base/assert.h"
#include "base/checked.h"
#include "web/passkey.h"
#include "wire/ip.h"

/* ---- where ---- */

static bool is_named(const struct rp_config *config, rp_view host) {
    bool named = rp_view_equal(host, rp_view_from_cstr(config->host));
    for (size_t i = 0; i < config->app_count && !named; i++) {
        named =
            *config->apps[i].host && rp_view_equal(host, rp_view_from_cstr(config->apps[i].host));
    }
    return named;
}

/* "app.example.com" below "example.com", or the same. */
static bool lies_below(rp_view host, rp_view site) {
    if (host.n <= site.n) {
        return rp_view_equal(host, site);
    }
    return rp_view_ends(host, site) && host.p[host.n - site.n - 1] == '.';
}

bool rp_passkey_here(struct rp_request *request, struct rp_passkey_expected *ret_expected) {
    const struct rp_config *config = request->web->config;
    rp_view given = rp_request_param(request, "HTTP_HOST");
    rp_view host = rp_view_sub(given, 0, rp_view_find_byte(given, ':'));
    struct rp_ip ip;
    if (!is_named(config, host) || !lies_below(host, rp_view_from_cstr(config->host)) ||
        rp_ok(rp_ip_parse(host, &ip))) {
        return false;
    }
    rp_view origin = config->listen == 443
                         ? rp_arena_printf(request->arena, "https://%.*s", RP_FMT(host))
                         : rp_arena_printf(request->arena, "https://%.*s:%llu", RP_FMT(host),
                                           (unsigned long long)config->listen);
    ret_expected->origin = (const char *)origin.p;
    ret_expected->site = config->host;
    return origin.p != NULL;
}

/* ---- options ---- */

static void add_keys(struct rp_arena *arena, struct rp_json *object, const char *name,
                     const struct rp_passkey_options *options) {
    struct rp_json *list = rp_json_add_array(arena, object, name);
    for (size_t i = 0; i < options->count; i++) {
        const struct rp_passkey *key = &options->keys[i];
        if (key->altered) {
            continue;
        }
        struct rp_json *one = rp_json_add_object(arena, list, NULL);
        rp_json_add_cstr(arena, one, "type", "public-key");
        rp_webauthn_add_bytes(arena, one, "id",
                              rp_view_of(key->credential_id, key->credential_id_n));
        struct rp_json *transports = rp_json_add_array(arena, one, "transports");
        for (unsigned bit = 1; bit <= RP_TRANSPORTS_ALL; bit <<= 1) {
            if (key->transports & bit) {
                rp_json_add_cstr(arena, transports, NULL, rp_transport_name(bit));
            }
        }
    }
}

static struct rp_json *begin(struct rp_arena *arena, const struct rp_passkey_options *options) {
    struct rp_json *root = rp_json_object(arena);
    rp_webauthn_add_bytes(arena, root, "challenge", options->challenge);
    rp_json_add_u64(arena, root, "timeout", RP_CHALLENGE_MS);
    return root;
}

struct rp_json *rp_passkey_get_options(struct rp_arena *arena,
                                       const struct rp_passkey_options *options) {
    struct rp_json *root = begin(arena, options);
    rp_json_add_cstr(arena, root, "rpId", options->site);
    rp_json_add_cstr(arena, root, "userVerification", options->verified ? "required" : "preferred");
    add_keys(arena, root, "allowCredentials", options);
    return root;
}

static void add_algorithms(struct rp_arena *arena, struct rp_json *root) {
    static const enum rp_cose_alg algs[] = {RP_COSE_ES256, RP_COSE_EDDSA,
                                            RP_COSE_RS256}; /* the best first */
    struct rp_json *list = rp_json_add_array(arena, root, "pubKeyCredParams");
    for (size_t i = 0; i < RP_COUNT_OF(algs); i++) {
        struct rp_json *one = rp_json_add_object(arena, list, NULL);
        rp_json_add_cstr(arena, one, "type", "public-key");
        struct rp_json *alg = rp_arena_alloc(arena, sizeof *alg);
        if (alg) {
            *alg = (struct rp_json){.kind = RP_JSON_NUMBER, .number = algs[i]};
        }
        rp_json_add(arena, one, "alg", alg);
    }
}

struct rp_json *rp_passkey_create_options(struct rp_arena *arena,
                                          const struct rp_passkey_options *options,
                                          const struct rp_person *person) {
    struct rp_json *root = begin(arena, options);
    struct rp_json *site = rp_json_add_object(arena, root, "rp");
    rp_json_add_cstr(arena, site, "id", options->site);
    rp_json_add_cstr(arena, site, "name", options->site);
    struct rp_json *user = rp_json_add_object(arena, root, "user");
    rp_webauthn_add_bytes(arena, user, "id", rp_view_of(person->person.b, sizeof person->person.b));
    rp_json_add_cstr(arena, user, "name", person->email);
    rp_json_add_cstr(arena, user, "displayName", person->email);
    add_algorithms(arena, root);
    add_keys(arena, root, "excludeCredentials", options);
    struct rp_json *selection = rp_json_add_object(arena, root, "authenticatorSelection");
    rp_json_add_cstr(arena, selection, "residentKey", "preferred");
    rp_json_add_bool(arena, selection, "requireResidentKey", false);
    rp_json_add_cstr(arena, selection, "userVerification", "preferred");
    rp_json_add_cstr(arena, root, "attestation", "none");
    return root;
}

/* ---- the answer ---- */

rp_err rp_passkey_read(struct rp_request *request, rp_view json,
                       const struct rp_passkey_asked *asked, bool verified,
                       struct rp_passkey_proof *ret_proof) {
    struct rp_passkey_proof proof = {.asked = *asked, .expected = {.verified = verified}};
    struct rp_webauthn_answer *answer = rp_arena_alloc(request->arena, sizeof *answer);
    if (!answer) {
        return RP_ERR(NO_MEMORY);
    }
    if (!rp_passkey_here(request, &proof.expected)) {
        return RP_ERR(UNSUPPORTED);
    }
    RP_TRY(rp_webauthn_answer_parse(json, request->arena, answer));
    proof.answer = answer;
    *ret_proof = proof;
    return RP_OK;
}
