/* vault.c — vault.log: whose log this machine keeps a copy of, if any. */
#include "config/check.h"
#include "config/internal.h"

const char *rp_config_check_log_key(rp_view text) {
    rp_view rest = text, name = rp_view_cut(&rest, '+');
    return text.n == 0 || (rp_view_ends(name, RP_VIEW("/log/public")) &&
                           !rp_config_check_witness_log(text))
               ? NULL
               : "a log's key, as `rempart ledger key` prints it on the machine that has the log: "
                 "example.org/log/public+…";
}

static rp_err fail_here(const struct reading *in, const struct rp_yaml *node, const char *text) {
    return rp_fail_at(in->diag, RP_ERR(INVALID), node ? node->key_line : 0,
                      node ? node->key_column : 0, "%s", text);
}

rp_err rp_config_check_vault(const struct reading *in, const struct rp_yaml *root) {
    const struct rp_config *config = in->config;
    const struct rp_yaml *vault = rp_yaml_get(root, "vault");
    bool alone = config->runs_here == RP_ROLE_BIT(RP_ROLE_VAULT);
    if (alone && !*config->vault_log) {
        return fail_here(in, rp_yaml_get(root, "runs"),
                         "runs: [vault] needs vault.log, the key of the log that it keeps: "
                         "`rempart ledger key` prints it on the machine that has the log");
    }
    if (*config->vault_log && !rp_config_runs_here(config, RP_ROLE_VAULT)) {
        return fail_here(in, vault ? rp_yaml_get(vault, "log") : NULL,
                         "vault.log belongs into the file of the machine that runs vault");
    }
    return RP_OK;
}

bool rp_config_has_vault(const struct rp_config *config) {
    return *config->vault_log != '\0' || rp_config_runs_there(config, RP_ROLE_VAULT) != NULL;
}
