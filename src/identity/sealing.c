/* sealing.c — keyed indexes, and what is kept under the tenant's key. */
#include "identity/passkey_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ipc/pack.h"

struct rp_client_network {
    char b[INET6_ADDRSTRLEN];
    size_t n;
};

/* ---- keyed indexes ---- */

/* One '@' with something on both sides, printable ASCII without spaces or quotes. */
static bool is_address(rp_view v) {
    size_t at = rp_view_find_byte(v, '@');
    if (at == 0 || at + 1 >= v.n ||
        rp_view_find_byte(rp_view_from(v, at + 1), '@') != v.n - at - 1) {
        return false;
    }
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (c <= ' ' || c > '~' || c == '"' || c == '<' || c == '>' || c == ',' || c == '\\') {
            return false;
        }
    }
    return true;
}

rp_err rp_email_normalise(rp_view text, struct rp_email *ret_email) {
    rp_view trimmed = rp_view_trim(text);
    if (trimmed.n > RP_EMAIL_MAX || !is_address(trimmed)) {
        return RP_ERR(INVALID);
    }
    for (size_t i = 0; i < trimmed.n; i++) {
        ret_email->s[i] = (char)rp_lower(trimmed.p[i]);
    }
    ret_email->s[trimmed.n] = 0;
    return RP_OK;
}

/* HMAC under a key that the installation's key gives for this one use. */
static rp_err keyed(struct rp_identity *identity, rp_view use, rp_view message,
                    struct rp_sha256 *ret_hash) {
    const struct rp_secret *home = NULL;
    RP_TRY(rp_identity_tenant_key(identity, identity->home, &home));
    _cleanup_(rp_secret_freep) struct rp_secret *key = NULL;
    RP_TRY(rp_hkdf_sha256(home, RP_VIEW(""), use, RP_SHA256, &key));
    *ret_hash = rp_hmac_sha256(key, message);
    return RP_OK;
}

/* What is no address gets an index too: an attempt with it is counted like any other. */
rp_err rp_identity_address(struct rp_identity *identity, rp_view email,
                           struct rp_sha256 *ret_address) {
    struct rp_email normal;
    rp_view message = rp_view_sub(rp_view_trim(email), 0, RP_EMAIL_MAX + 1);
    if (rp_ok(rp_email_normalise(email, &normal))) {
        message = rp_view_from_cstr(normal.s);
    }
    return keyed(identity, RP_VIEW("email-index"), message, ret_address);
}

rp_err rp_identity_recovery_hash(struct rp_identity *identity, rp_id person, rp_view digits,
                                 struct rp_sha256 *ret_hash) {
    uint8_t message[sizeof person.b + RP_RECOVERY_DIGITS];
    RP_ASSERT(digits.n == RP_RECOVERY_DIGITS);
    memcpy(message, person.b, sizeof person.b);
    memcpy(message + sizeof person.b, digits.p, RP_RECOVERY_DIGITS);
    rp_err err =
        keyed(identity, RP_VIEW("recovery-index"), rp_view_of(message, sizeof message), ret_hash);
    rp_wipe(message, sizeof message);
    return err;
}

rp_err rp_passkey_index(struct rp_identity *identity, rp_view credential_id,
                        struct rp_sha256 *ret_index) {
    return keyed(identity, RP_VIEW("passkey-index"), credential_id, ret_index);
}

/* An IPv6 client owns its whole /64 and changes addresses at will: it is counted as one. An IPv4
 * address written as IPv6 is the IPv4 address. */
static struct rp_client_network network_of(rp_view client) {
    struct rp_client_network network = {0};
    struct in6_addr six;
    char text[INET6_ADDRSTRLEN] = "";
    memcpy(text, client.p ? client.p : (const uint8_t *)"", RP_MIN(client.n, sizeof text - 1));
    memcpy(network.b, text, sizeof network.b);
    network.n = strlen(text);
    if (inet_pton(AF_INET6, text, &six) != 1) {
        return network;
    }
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
        (void)inet_ntop(AF_INET, &six.s6_addr[12], network.b, sizeof network.b);
        network.n = strlen(network.b);
        return network;
    }
    memcpy(network.b, six.s6_addr, 8);
    network.n = 8;
    return network;
}

rp_err rp_identity_client(struct rp_identity *identity, rp_view client,
                          struct rp_client_hash *ret_hash) {
    struct rp_sha256 hash;
    struct rp_client_network network = network_of(client);
    RP_TRY(keyed(identity, RP_VIEW("client-index"), rp_view_of(network.b, network.n), &hash));
    memcpy(ret_hash->b, hash.b, sizeof ret_hash->b);
    return RP_OK;
}

void rp_identity_add_client(struct rp_event *event, const struct rp_client_hash *client) {
    char text[2 * RP_CLIENT_HASH];
    rp_hex_print(rp_view_of(client->b, sizeof client->b), text);
    rp_event_add_text(event, "client_hash", rp_view_of(text, sizeof text));
}

/* The key was leased a moment ago: inside the transaction nobody is asked for it. */
rp_err rp_identity_notify(struct rp_identity *identity, const struct rp_notice *notice) {
    const struct rp_secret *key = NULL;
    RP_TRY(rp_identity_tenant_key(identity, notice->tenant, &key));
    return rp_notify_put(identity->env, identity->db, key, notice);
}

rp_err rp_identity_lang_of(struct rp_identity *identity, rp_id person, enum rp_lang *ret_lang) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "SELECT lang FROM person WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, person);
    RP_TRY(rp_row_first(row));
    *ret_lang = rp_view_equal(rp_row_text(row, 0), RP_VIEW("en")) ? RP_EN : RP_FR;
    return RP_OK;
}

bool rp_is_canary(const char *tenant_name) {
    static const char *const names[] = {"canary-a", "canary-b", "canary-c"};
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        if (strcmp(tenant_name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

rp_err rp_identity_tell(struct rp_identity *identity, enum rp_notice_kind kind, rp_id person,
                        rp_id tenant) {
    char name[129];
    if (!identity->options.origin) {
        return RP_OK;
    }
    RP_TRY(rp_identity_tenant_name(identity, tenant, name));
    if (rp_is_canary(name)) {
        return RP_OK; /* its address has no mailbox: the operator's server would only send it back
                       */
    }
    struct rp_notice notice = {
        .kind = kind, .channels = RP_NOTICE_MAIL, .tenant = tenant, .person = person};
    RP_TRY(rp_identity_lang_of(identity, person, &notice.lang));
    return rp_identity_notify(identity, &notice);
}

/* Under the key of the tenant whose person it is. */
rp_err rp_identity_write_to(struct rp_identity *identity, rp_id person, struct rp_notice *notice) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(identity->db, "SELECT tenant FROM person WHERE id = ?1", &row));
    rp_row_bind_id(row, 1, person);
    RP_TRY(rp_row_first(row));
    notice->tenant = rp_row_id(row, 0);
    notice->person = person;
    if (notice->gentle) {
        struct rp_calm calm;
        RP_TRY(rp_identity_calm_of(identity, person, &calm));
        notice->due_ms = rp_calm_until(&calm, rp_identity_now(identity));
        notice->gather = calm.digest;
    }
    return rp_identity_notify(identity, notice);
}

/* ---- sealing ---- */

/* Each part counted, so that no two places have the same bytes. */
static struct rp_buf place_bytes(const struct rp_place *place) {
    struct rp_buf aad = rp_buf_new(128);
    rp_pack_bytes(&aad, rp_view_from_cstr(place->what));
    rp_pack_id(&aad, place->tenant);
    rp_pack_id(&aad, place->person);
    return aad;
}

rp_err rp_identity_seal(struct rp_identity *identity, const struct rp_place *place, rp_view plain,
                        struct rp_buf *out) {
    const struct rp_secret *key = NULL;
    RP_TRY(rp_identity_tenant_key(identity, place->tenant, &key));
    _cleanup_(rp_buf_done) struct rp_buf aad = place_bytes(place);
    RP_TRY(rp_buf_err(&aad));
    return rp_aead_seal(identity->env, key, rp_buf_view(&aad), plain, out);
}

rp_err rp_identity_open(struct rp_identity *identity, const struct rp_place *place, rp_view sealed,
                        struct rp_buf *out) {
    const struct rp_secret *key = NULL;
    RP_TRY(rp_identity_tenant_key(identity, place->tenant, &key));
    _cleanup_(rp_buf_done) struct rp_buf aad = place_bytes(place);
    RP_TRY(rp_buf_err(&aad));
    return rp_aead_open(key, rp_buf_view(&aad), sealed, out);
}

rp_err rp_identity_seal_secret(struct rp_identity *identity, const struct rp_place *place,
                               const struct rp_secret *plain, struct rp_buf *out) {
    const struct rp_secret *key = NULL;
    RP_TRY(rp_identity_tenant_key(identity, place->tenant, &key));
    _cleanup_(rp_buf_done) struct rp_buf aad = place_bytes(place);
    RP_TRY(rp_buf_err(&aad));
    return rp_aead_seal_secret(identity->env, key, rp_buf_view(&aad), plain, out);
}

rp_err rp_identity_open_secret(struct rp_identity *identity, const struct rp_place *place,
                               rp_view sealed, struct rp_secret **ret_secret) {
    const struct rp_secret *key = NULL;
    RP_TRY(rp_identity_tenant_key(identity, place->tenant, &key));
    _cleanup_(rp_buf_done) struct rp_buf aad = place_bytes(place);
    RP_TRY(rp_buf_err(&aad));
    return rp_aead_open_secret(key, rp_buf_view(&aad), sealed, ret_secret);
}

rp_err rp_identity_open_email(struct rp_identity *identity, const struct rp_place *place,
                              rp_view sealed, char ret_email[static RP_EMAIL_MAX + 1]) {
    _cleanup_(rp_buf_done) struct rp_buf plain = rp_buf_new_wiping(RP_EMAIL_MAX);
    RP_TRY(rp_identity_open(identity, place, sealed, &plain));
    memcpy(ret_email, plain.p, plain.n);
    ret_email[plain.n] = 0;
    return RP_OK;
}
