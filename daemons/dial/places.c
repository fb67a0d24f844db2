/* places.c — who may reach what: the addresses that settings name, as host and port. */
#include "base/checked.h"
#include "dial.h"
#include "wire/ip.h"

/* "example.org", "192.0.2.1" or "[2001:db8::1]", as rp_socks_request gives it. */
static bool read_host(rp_view text, char out[static RP_SOCKS_HOST_MAX]) {
    struct rp_ip ip;
    if (text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']') {
        text = rp_view_sub(text, 1, text.n - 2);
    }
    if (rp_ok(rp_ip_parse(text, &ip))) {
        rp_ip_print(&ip, out);
        return true;
    }
    for (size_t i = 0; i < text.n && i < RP_SOCKS_HOST_MAX - 1; i++) {
        bool upper = text.p[i] >= 'A' && text.p[i] <= 'Z';
        out[i] = (char)(upper ? text.p[i] - 'A' + 'a' : text.p[i]);
    }
    out[RP_MIN(text.n, (size_t)RP_SOCKS_HOST_MAX - 1)] = '\0';
    return text.n > 0 && text.n < RP_SOCKS_HOST_MAX;
}

/* The colon before the port; one inside brackets is the address's own. */
static size_t find_port(rp_view authority) {
    size_t colon = authority.n;
    for (size_t i = 0; i < authority.n; i++) {
        colon = authority.p[i] == ':' ? i : authority.p[i] == ']' ? authority.n : colon;
    }
    return colon;
}

/* "https://example.org:8443/hook" (RFC 3986, 3.2). */
static bool read_place(rp_view url, struct place *place) {
    static const struct {
        const char *scheme;
        uint16_t port;
    } schemes[] = {{"https://", 443}, {"smtp://", 25}, {"smtps://", 465}};
    for (size_t i = 0; i < RP_COUNT_OF(schemes); i++) {
        rp_view scheme = rp_view_from_cstr(schemes[i].scheme);
        if (!rp_view_starts(url, scheme)) {
            continue;
        }
        rp_view authority = rp_view_from(url, scheme.n);
        for (size_t k = 0; k < authority.n; k++) {
            if (authority.p[k] == '/' || authority.p[k] == '?' || authority.p[k] == '#') {
                authority = rp_view_sub(authority, 0, k);
            }
        }
        authority = rp_view_from(authority, rp_view_find_byte(authority, '@') < authority.n
                                                ? rp_view_find_byte(authority, '@') + 1
                                                : 0);
        size_t colon = find_port(authority);
        uint64_t port = schemes[i].port;
        bool good = colon + 1 >= authority.n ||
                    rp_view_to_u64(rp_view_from(authority, colon + 1), UINT16_MAX, &port);
        place->port = (uint16_t)port;
        return good && port > 0 && read_host(rp_view_sub(authority, 0, colon), place->host);
    }
    return false;
}

struct adding {
    struct places *places;
    struct rp_diag *diag;
};

static rp_err add(const struct adding *in, const char *setting, enum rp_role_id role, rp_view url,
                  bool also_private) {
    struct places *places = in->places;
    struct place place = {.role = role, .also_private = also_private};
    if (url.n == 0) {
        return RP_OK;
    }
    if (places->count == DIAL_PLACES || !read_place(url, &place)) {
        return rp_fail(in->diag, RP_ERR(INVALID), "%s: %.*s has no host that can be dialled",
                       setting, RP_FMT(url));
    }
    places->list[places->count++] = place;
    return RP_OK;
}

static bool is_true(const char *setting) {
    return strcmp(setting, "true") == 0;
}

/*= S71 */ /* outgoing traffic is limited to a list: this one */
rp_err places_of(const struct rp_config *config, struct places *ret_places, struct rp_diag *diag) {
    struct places places = {.count = 0};
    const struct adding in = {&places, diag};
    RP_TRY(add(&in, "smtp.url", RP_ROLE_COURIER, rp_view_from_cstr(config->smtp_url), true));
    RP_TRY(add(&in, "acme.directory", RP_ROLE_ACME, rp_view_from_cstr(rp_config_acme_url(config)),
               true));
    for (size_t i = 0; i < config->webhook_count; i++) {
        const struct rp_config_webhook *webhook = &config->webhooks[i];
        RP_TRY(add(&in, "webhooks", RP_ROLE_COURIER, rp_view_from_cstr(webhook->endpoint),
                   is_true(webhook->also_private)));
    }
    for (size_t i = 0; i < config->witnesses.count; i++) {
        struct rp_config_witness witness = {.url = {NULL, 0}};
        if (rp_config_witness(rp_view_from_cstr(config->witnesses.items[i]), &witness)) {
            RP_TRY(add(&in, "ledger.witnesses", RP_ROLE_COURIER, witness.url,
                       is_true(config->witness_private)));
        }
    }
    *ret_places = places;
    return RP_OK;
}

/* Named twice, the one that allows more counts. */
const struct place *places_find(const struct places *places, unsigned roles,
                                const struct rp_socks_request *wanted) {
    const struct place *found = NULL;
    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = &places->list[i];
        if ((roles & RP_ROLE_BIT(place->role)) && place->port == wanted->port &&
            strcmp(place->host, wanted->host) == 0 && (!found || place->also_private)) {
            found = place;
        }
    }
    return found;
}
