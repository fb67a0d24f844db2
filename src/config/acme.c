/* acme.c — the section acme: which authority, which names, and what has to go together. */
#include "base/assert.h"
#include "base/checked.h"
#include "config/internal.h"

const char *rp_config_acme_url(const struct rp_config *config) {
    static const struct {
        const char *word, *url;
    } known[] = {
        {"letsencrypt", "https://acme-v02.api.letsencrypt.org/directory"},
        {"letsencrypt-staging", "https://acme-staging-v02.api.letsencrypt.org/directory"},
    };
    for (size_t i = 0; i < RP_COUNT_OF(known); i++) {
        if (strcmp(config->acme_directory, known[i].word) == 0) {
            return known[i].url;
        }
    }
    return config->acme_directory;
}

static void add_name(const char **names, size_t *count, const char *name) {
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(names[i], name) == 0) {
            return;
        }
    }
    RP_ASSERT(*count < RP_CONFIG_NAMES_MAX);
    names[(*count)++] = name;
}

/* A name without a dot is this machine's own business: no authority knows it. */
size_t rp_config_acme_names(const struct rp_config *config,
                            const char *ret_names[static RP_CONFIG_NAMES_MAX]) {
    size_t count = 0;
    if (!*config->acme_directory) {
        return 0;
    }
    for (size_t i = 0; i < config->acme_names.count; i++) {
        add_name(ret_names, &count, config->acme_names.items[i]);
    }
    bool all = count == 0;
    if (all && strchr(config->host, '.')) {
        add_name(ret_names, &count, config->host);
    }
    for (size_t i = 0; all && i < config->app_count; i++) {
        if (strchr(config->apps[i].host, '.')) {
            add_name(ret_names, &count, config->apps[i].host);
        }
    }
    return count;
}

/* ---- what has to go together ---- */

static bool is_served(const struct rp_config *config, const char *name) {
    bool served = strcmp(name, config->host) == 0;
    for (size_t i = 0; i < config->app_count; i++) {
        served = served || strcmp(name, config->apps[i].host) == 0;
    }
    return served;
}

static rp_err fail_acme(const struct reading *in, const struct rp_yaml *root, const char *key,
                        const char *text) {
    const struct rp_yaml *acme = rp_yaml_get(root, "acme");
    const struct rp_yaml *node = acme ? rp_yaml_get(acme, key) : NULL;
    node = node || !acme ? node : rp_yaml_get(acme, "directory");
    return rp_fail_at(in->diag, RP_ERR(INVALID), node ? node->key_line : 0,
                      node ? node->key_column : 0, rp_config_say(in, "acme: %s"),
                      rp_config_say(in, text));
}

/* An authority is asked only when its answer can be used. */
rp_err rp_config_check_acme(const struct reading *in, const struct rp_yaml *root) {
    const struct rp_config *config = in->config;
    const char *names[RP_CONFIG_NAMES_MAX];
    if (!*config->acme_directory) {
        return RP_OK;
    }
    if (*config->certificate) {
        return fail_acme(in, root, "directory",
                         "the certificate is gate.certificate's or the authority's, not both");
    }
    if (strcmp(config->acme_terms, "true") != 0) {
        return fail_acme(in, root, "terms_agreed",
                         "terms_agreed: true says that you agree to the authority's terms; it is "
                         "not asked before");
    }
    if (config->listen_http == 0) {
        return fail_acme(in, root, "directory",
                         "needs gate.listen_http: the authority looks at port 80 of each name");
    }
    for (size_t i = 0; i < config->acme_names.count; i++) {
        if (!is_served(config, config->acme_names.items[i])) {
            return fail_acme(in, root, "names",
                             "names: each is host or the host of an application");
        }
    }
    if (rp_config_acme_names(config, names) == 0) {
        return fail_acme(in, root, "directory",
                         "no name to certify: host is to be a name such as www.example.com");
    }
    return RP_OK;
}
