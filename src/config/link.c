/* link.c — which machine runs what: `runs`, `link.listen` and `link.peers`.
 *
 * The key service and the log's copy can live on machines of their own: the other roles share the
 * files of one state folder. So there are three good files, that of the keys' machine, of the log's
 * and of the data's, and whatever says something else is refused with what is missing or said
 * twice.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "config/check.h"
#include "config/internal.h"

static const enum rp_role_id movable[] = {
    RP_ROLE_LEDGER, RP_ROLE_KMS,     RP_ROLE_CORE, RP_ROLE_GATE,  RP_ROLE_PROBE,
    RP_ROLE_HUNT,   RP_ROLE_COURIER, RP_ROLE_ACME, RP_ROLE_VAULT, RP_ROLE_WITNESS};

static const char *const peer_keys[] = {"name", "address", "key", "runs"};

/* ---- forms ---- */

/* NONE for a name that is no role of one machine. */
static enum rp_role_id role_of(rp_view name) {
    for (size_t i = 0; i < RP_COUNT_OF(movable); i++) {
        if (rp_view_equal(name, rp_view_from_cstr(rp_role_name(movable[i])))) {
            return movable[i];
        }
    }
    return RP_ROLE_NONE;
}

const char *rp_config_check_role(rp_view text) {
    return role_of(text) != RP_ROLE_NONE
               ? NULL
               : "one of ledger, kms, core, gate, probe, hunt, courier, acme, vault, witness";
}

/* The port's text; the address is what stands before it, without brackets. */
static bool split_endpoint(rp_view text, rp_view *ret_address, uint16_t *ret_port) {
    size_t colon = text.n;
    for (size_t i = 0; i < text.n; i++) {
        colon = text.p[i] == ':' ? i : colon;
    }
    rp_view address = rp_view_sub(text, 0, colon);
    uint64_t port = 0;
    if (colon == text.n || !rp_view_to_u64(rp_view_from(text, colon + 1), UINT16_MAX, &port) ||
        port == 0) {
        return false;
    }
    bool six = rp_view_find_byte(address, ':') < address.n;
    if (six) {
        if (address.p[0] != '[' || address.p[address.n - 1] != ']') {
            return false;
        }
        address = rp_view_sub(address, 1, address.n - 2);
    }
    *ret_address = address;
    *ret_port = (uint16_t)port;
    return rp_config_check_address(address) == NULL;
}

/* "10.0.0.1:7443", "[fd00::1]:7443"; false when it is not of that form. */
static bool read_endpoint(rp_view text, struct rp_arena *arena,
                          struct rp_config_endpoint *ret_endpoint) {
    rp_view address;
    uint16_t port = 0;
    if (!split_endpoint(text, &address, &port)) {
        return false;
    }
    *ret_endpoint = (struct rp_config_endpoint){rp_arena_cstr(arena, address), port};
    return ret_endpoint->address != NULL;
}

const char *rp_config_check_endpoint(rp_view text) {
    rp_view address;
    uint16_t port = 0;
    return text.n == 0 || split_endpoint(text, &address, &port)
               ? NULL
               : "an address and a port, like 10.0.0.1:7443 or [fd00::1]:7443";
}

static bool is_base64(uint8_t c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

static const char *check_fingerprint(rp_view text) {
    enum { DIGITS = 43 };
    rp_view prefix = RP_VIEW("SHA256:");
    bool good = text.n == prefix.n + DIGITS && rp_view_starts(text, prefix);
    for (size_t i = prefix.n; good && i < text.n; i++) {
        good = is_base64(text.p[i]);
    }
    return good ? NULL
                : "the other machine's fingerprint, SHA256: and 43 digits, as `rempart link key` "
                  "prints it there";
}

/* ---- one machine ---- */

static rp_err read_runs(const struct reading *in, const struct rp_yaml *node,
                        struct rp_config_peer *peer) {
    struct rp_config_list list = {0};
    RP_TRY(rp_config_texts(in, node, RP_COUNT_OF(movable), rp_config_check_role, &list));
    for (size_t i = 0; i < list.count; i++) {
        peer->runs |= RP_ROLE_BIT(role_of(rp_view_from_cstr(list.items[i])));
    }
    return RP_OK;
}

static rp_err read_member(const struct reading *in, const struct rp_yaml *node,
                          struct rp_config_peer *peer) {
    const char *address = NULL;
    if (rp_view_equal(node->key, RP_VIEW("name"))) {
        return rp_config_text(in, node, 1, 32, rp_config_check_app_name, &peer->name);
    }
    if (rp_view_equal(node->key, RP_VIEW("address"))) {
        RP_TRY(rp_config_text(in, node, 1, 80, rp_config_check_endpoint, &address));
        return read_endpoint(node->scalar, in->arena, &peer->at) ? RP_OK : RP_ERR(TOO_LARGE);
    }
    if (rp_view_equal(node->key, RP_VIEW("key"))) {
        return rp_config_text(in, node, 1, 80, check_fingerprint, &peer->key);
    }
    if (rp_view_equal(node->key, RP_VIEW("runs"))) {
        return read_runs(in, node, peer);
    }
    return rp_config_unknown(in, node, rp_config_say(in, "a peer"), peer_keys,
                             RP_COUNT_OF(peer_keys));
}

static rp_err fail_peer(const struct reading *in, const struct rp_yaml *node, const char *text) {
    return rp_fail_at(in->diag, RP_ERR(INVALID), node->line, node->column,
                      rp_config_say(in, "link.peers: %s"), rp_config_say(in, text));
}

static rp_err read_peer(const struct reading *in, const struct rp_yaml *node) {
    struct rp_config *config = in->config;
    struct rp_config_peer peer = {0};
    if (node->kind != RP_YAML_MAPPING) {
        return fail_peer(in, node,
                         "expected a mapping such as {name: keys, address: "
                         "\"10.0.0.2:7443\", key: \"SHA256:…\", runs: [kms]}");
    }
    for (const struct rp_yaml *member = node->first; member; member = member->next) {
        RP_TRY(read_member(in, member, &peer));
    }
    if (!peer.name || !peer.at.address || !peer.key || !peer.runs) {
        return fail_peer(in, node,
                         "a machine needs name, address, key (its fingerprint, as "
                         "`rempart link key` prints it there) and runs");
    }
    for (size_t i = 0; i < config->peer_count; i++) {
        const struct rp_config_peer *other = &config->peers[i];
        if (strcmp(other->name, peer.name) == 0 || strcmp(other->key, peer.key) == 0) {
            return fail_peer(in, node, "this name or key stands above already");
        }
        if (other->runs & peer.runs) {
            return fail_peer(in, node, "a role of this machine runs on one above already");
        }
    }
    config->peers[config->peer_count++] = peer;
    return RP_OK;
}

rp_err rp_config_read_peers(const struct reading *in, const struct rp_yaml *peers) {
    if (peers->kind != RP_YAML_SEQUENCE) {
        return rp_fail_at(
            in->diag, RP_ERR(INVALID), peers->line, peers->column,
            rp_config_say(in, "link.peers: expected a list, each item beginning with \"- name:\""));
    }
    for (const struct rp_yaml *node = peers->first; node; node = node->next) {
        if (in->config->peer_count == RP_PEERS_MAX) {
            return rp_fail_at(in->diag, RP_ERR(TOO_LARGE), node->line, node->column,
                              rp_config_say(in, "link.peers: expected at most %d"), RP_PEERS_MAX);
        }
        RP_TRY(read_peer(in, node));
    }
    return RP_OK;
}

/* ---- all machines together ---- */

static rp_err fail_at_key(const struct reading *in, const struct rp_yaml *node, const char *text) {
    return rp_fail_at(in->diag, RP_ERR(INVALID), node ? node->key_line : 0,
                      node ? node->key_column : 0, "%s", rp_config_say(in, text));
}

unsigned rp_config_all_roles(void) {
    unsigned all = 0;
    for (size_t i = 0; i < RP_COUNT_OF(movable); i++) {
        all |= RP_ROLE_BIT(movable[i]);
    }
    return all;
}

/* A machine of its own keeps the keys, or the log's copy, and nothing else; who asks it has the
 * log, where its supervisor puts on record what happens. */
static rp_err check_apart(const struct reading *in, const struct rp_yaml *peers, unsigned here,
                          unsigned there) {
    bool keys = here == RP_ROLE_BIT(RP_ROLE_KMS);
    const unsigned asking = RP_ROLE_BIT(RP_ROLE_LEDGER) | RP_ROLE_BIT(RP_ROLE_CORE);
    if (keys && !(there & RP_ROLE_BIT(RP_ROLE_LEDGER))) {
        return fail_at_key(in, peers,
                           "link.peers: ledger runs neither here nor on a peer: the machine of the "
                           "data has runs: [ledger, core, hunt]");
    }
    if (!keys && (there & asking) != asking) {
        return fail_at_key(in, peers,
                           "link.peers: nobody may send the log: the machine of the data has runs: "
                           "[ledger, core, hunt]");
    }
    return RP_OK;
}

/* Every role has one machine, and each kind of machine is whole. */
static rp_err check_places(const struct reading *in, const struct rp_yaml *root, unsigned there) {
    const unsigned kms = RP_ROLE_BIT(RP_ROLE_KMS), vault = RP_ROLE_BIT(RP_ROLE_VAULT);
    const unsigned here = in->config->runs_here;
    const struct rp_yaml *runs = rp_yaml_get(root, "runs"), *link = rp_yaml_get(root, "link");
    const struct rp_yaml *peers = link ? rp_yaml_get(link, "peers") : NULL;
    if (here & there) {
        return fail_at_key(in, peers,
                           "link.peers: a role runs on one machine: one of theirs runs "
                           "here, too (see runs)");
    }
    if (here == kms || here == vault) {
        return check_apart(in, peers, here, there);
    }
    if ((here | kms | vault) != rp_config_all_roles()) {
        return fail_at_key(
            in, runs ? runs : peers,
            "runs: expected [kms] on the machine of the keys, [vault] on that of the "
            "log's copy, and on the third all other roles, which share its files; "
            "name no others elsewhere");
    }
    return (here | there) & kms
               ? RP_OK
               : fail_at_key(in, peers, "link.peers: kms runs neither here nor on a peer");
}

rp_err rp_config_check_link(const struct reading *in, const struct rp_yaml *root) {
    struct rp_config *config = in->config;
    const struct rp_yaml *link = rp_yaml_get(root, "link"), *runs = rp_yaml_get(root, "runs");
    unsigned there = 0;
    for (size_t i = 0; i < config->peer_count; i++) {
        there |= config->peers[i].runs;
    }
    config->runs_here = 0;
    for (size_t i = 0; i < config->runs.count; i++) {
        config->runs_here |= RP_ROLE_BIT(role_of(rp_view_from_cstr(config->runs.items[i])));
    }
    config->runs_here = config->runs.count > 0 ? config->runs_here : rp_config_all_roles() & ~there;
    if (config->peer_count == 0 && *config->link_listen) {
        return fail_at_key(in, rp_yaml_get(link, "listen"),
                           "link.listen needs link.peers: nobody would be let in");
    }
    if (config->peer_count == 0) {
        return (config->runs_here | RP_ROLE_BIT(RP_ROLE_VAULT)) == rp_config_all_roles()
                   ? RP_OK
                   : fail_at_key(in, runs,
                                 "runs: the other roles run nowhere: name their machine "
                                 "in link.peers");
    }
    if (!*config->link_listen) {
        return fail_at_key(in, link,
                           "link needs listen: the other machine asks roles of this one, too");
    }
    if (!read_endpoint(rp_view_from_cstr(config->link_listen), in->arena, &config->link)) {
        return RP_ERR(TOO_LARGE);
    }
    return check_places(in, root, there);
}

bool rp_config_runs_here(const struct rp_config *config, enum rp_role_id role) {
    return (config->runs_here & RP_ROLE_BIT(role)) != 0;
}

const struct rp_config_peer *rp_config_runs_there(const struct rp_config *config,
                                                  enum rp_role_id role) {
    for (size_t i = 0; i < config->peer_count; i++) {
        if (config->peers[i].runs & RP_ROLE_BIT(role)) {
            return &config->peers[i];
        }
    }
    return NULL;
}

void rp_config_print_peers(struct rp_buf *out, enum rp_lang lang) {
    static const char *const intro[RP_LANG_COUNT] = {
        [RP_FR] = "les autres machines, chacune avec l’empreinte que `rempart link key` y affiche",
        [RP_EN] = "the other machines, each with the fingerprint that `rempart link key` prints "
                  "there"};
    rp_buf_printf(out, "  # %s\n", intro[lang]);
    rp_buf_add_cstr(out, "  #peers:\n"
                         "  #  - {name: keys, address: \"10.0.0.2:7443\", key: \"SHA256:…\", runs: "
                         "[kms]}\n");
}
