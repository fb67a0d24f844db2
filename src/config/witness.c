/* witness.c — ledger.witnesses and witness.logs: who vouches for our log, and for whose we do. */
#include <stdio.h>

#include "base/assert.h"
#include "config/check.h"
#include "config/internal.h"
#include "crypto/sign.h"
#include "wire/tlog.h"

enum { TYPE_LOG = 1, TYPE_COSIGNER = 4, KEY_ARENA = 4096 };

/* A verifier key of this type whose key id is its own: one wrong letter in it is found here. */
static bool is_key(rp_view text, uint8_t type, rp_view *ret_name) {
    struct rp_arena *arena = rp_arena_new(KEY_ARENA);
    struct rp_tlog_vkey key;
    uint8_t id[RP_NOTE_KEY_ID];
    bool good = arena && rp_ok(rp_tlog_vkey_parse(text, arena, &key)) && key.type == type &&
                key.public_key.n == RP_ED25519_PUBLIC;
    if (good) {
        rp_note_key_id(key.name, type, key.public_key, id);
        good = rp_view_equal(rp_view_of(id, sizeof id), rp_view_of(key.key_id, sizeof key.key_id));
        *ret_name = key.name; /* points into text */
    }
    rp_arena_free(arena);
    return good;
}

bool rp_config_witness(rp_view text, struct rp_config_witness *ret_witness) {
    struct rp_config_witness witness = {.vkey = text};
    witness.url = rp_view_cut(&witness.vkey, ' ');
    if (rp_view_ends(witness.url, RP_VIEW("/"))) {
        witness.url.n--;
    }
    if (witness.url.n == 0 || rp_config_check_url(witness.url) ||
        !is_key(witness.vkey, TYPE_COSIGNER, &witness.name)) {
        return false;
    }
    *ret_witness = witness;
    return true;
}

const char *rp_config_check_witness(rp_view text) {
    struct rp_config_witness witness;
    return rp_config_witness(text, &witness)
               ? NULL
               : "an https address, a space and a witness's key, which `rempart witness key` "
                 "prints "
                 "there: https://other.example/.rempart/witness other.example/witness+…";
}

const char *rp_config_check_witness_log(rp_view text) {
    rp_view name;
    return is_key(text, TYPE_LOG, &name) ? NULL
                                         : "a log's key, as its address ends in /log/public/vkey: "
                                           "other.example/log/public+…";
}

void rp_config_own_witness(const struct rp_config *config,
                           char out[static RP_CONFIG_WITNESS_NAME_MAX]) {
    int n = snprintf(out, RP_CONFIG_WITNESS_NAME_MAX, "%s/witness", config->host);
    RP_ASSERT(n > 0 && n < RP_CONFIG_WITNESS_NAME_MAX);
}

/* ---- what no single one can know ---- */

static rp_err fail_item(const struct reading *in, const struct rp_yaml *root, const char *section,
                        const char *key, size_t at, const char *text) {
    const struct rp_yaml *map = rp_yaml_get(root, section);
    const struct rp_yaml *list = map ? rp_yaml_get(map, key) : NULL;
    const struct rp_yaml *item = list ? list->first : NULL;
    for (size_t i = 0; i < at && item; i++) {
        item = item->next;
    }
    return rp_fail_at(in->diag, RP_ERR(INVALID), item ? item->line : 0, item ? item->column : 0,
                      rp_config_say(in, "%s.%s: %s"), section, key, rp_config_say(in, text));
}

static rp_view name_of(const char *item, bool is_witness) {
    struct rp_config_witness witness = {.name = {NULL, 0}};
    rp_view text = rp_view_from_cstr(item), name = {NULL, 0};
    bool good = is_witness ? rp_config_witness(text, &witness) : is_key(text, TYPE_LOG, &name);
    RP_ASSERT(good); /* checked when it was read */
    return is_witness ? witness.name : name;
}

static rp_err check_list(const struct reading *in, const struct rp_yaml *root,
                         const struct rp_config_list *list, bool is_witness) {
    const char *section = is_witness ? "ledger" : "witness";
    const char *key = is_witness ? "witnesses" : "logs";
    char own[RP_CONFIG_WITNESS_NAME_MAX];
    rp_config_own_witness(in->config, own);
    for (size_t i = 0; i < list->count; i++) {
        rp_view name = name_of(list->items[i], is_witness);
        if (is_witness && rp_view_equal(name, rp_view_from_cstr(own))) {
            return fail_item(in, root, section, key, i,
                             "the key of this installation's own witness: it takes somebody else");
        }
        for (size_t k = 0; k < i; k++) {
            if (rp_view_equal(name, name_of(list->items[k], is_witness))) {
                return fail_item(in, root, section, key, i, "two of one name");
            }
        }
    }
    return RP_OK;
}

rp_err rp_config_check_witnesses(const struct reading *in, const struct rp_yaml *root) {
    RP_TRY(check_list(in, root, &in->config->witnesses, true));
    return check_list(in, root, &in->config->witness_logs, false);
}
