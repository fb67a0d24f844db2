/* internal.h — what the two halves of the parser share: settings, and applications. */
#ifndef RP_CONFIG_INTERNAL_H
#define RP_CONFIG_INTERNAL_H

#include "config/config.h"
#include "wire/yaml.h"

/* One reading of one file. */
struct reading {
    struct rp_arena *arena;
    struct rp_config *config;
    struct rp_diag *diag;
    enum rp_lang lang; /* of who reads diag */
};

/* A text of base/french.def in the reader's language; another one as it is. */
__attribute__((format_arg(2))) static inline const char *rp_config_say(const struct reading *in,
                                                                       const char *english) {
    return in->lang == RP_FR ? rp_french(english) : english;
}

/* An error at the key of the node. */
rp_err rp_config_unknown(const struct reading *in, const struct rp_yaml *node, const char *where,
                         const char *const *known, size_t known_count);
/* The node's text as a string in the arena, once `check` finds nothing to say. */
rp_err rp_config_text(const struct reading *in, const struct rp_yaml *node, size_t min, size_t max,
                      const char *(*check)(rp_view text), const char **ret_text);
/* One of several words, separated by "|". */
rp_err rp_config_choice(const struct reading *in, const struct rp_yaml *node, const char *choices,
                        const char **ret_text);
/* A number without quotes. */
rp_err rp_config_number(const struct reading *in, const struct rp_yaml *node, uint64_t min,
                        uint64_t max, uint64_t *ret_number);
/* A sequence of at most max texts of the form. */
rp_err rp_config_texts(const struct reading *in, const struct rp_yaml *node, size_t max,
                       const char *(*check)(rp_view text), struct rp_config_list *ret_list);
/* Below an application: `paths:` and `security_headers:`. The application's own settings have
 * been read. */
rp_err rp_config_read_paths(const struct reading *in, const struct rp_yaml *paths,
                            struct rp_config_app *app);
rp_err rp_config_read_headers(const struct reading *in, const struct rp_yaml *headers,
                              struct rp_config_app *app);
/* `waf:` of an application: a mode, or a mapping with more. */
rp_err rp_config_read_waf(const struct reading *in, const struct rp_yaml *node,
                          struct rp_config_app *app);
/* The sequence below `apps:`. */
rp_err rp_config_read_apps(const struct reading *in, const struct rp_yaml *apps);

/* link.c: the sequence below `link.peers`, and which machine runs what. */
rp_err rp_config_read_peers(const struct reading *in, const struct rp_yaml *peers);
rp_err rp_config_check_link(const struct reading *in, const struct rp_yaml *root);
/* vault.c: once it is known which machine runs what. */
rp_err rp_config_check_vault(const struct reading *in, const struct rp_yaml *root);
/* link.c */
unsigned rp_config_all_roles(void); /* as a set */
void rp_config_print_peers(struct rp_buf *out, enum rp_lang lang);

/* webhooks.c: the sequence below `webhooks:`. */
rp_err rp_config_read_webhooks(const struct reading *in, const struct rp_yaml *list);

/* acme.c: an authority is asked only when its answer can be used. */
rp_err rp_config_check_acme(const struct reading *in, const struct rp_yaml *root);
/* witness.c: each witness and each log once, and nobody is their own witness. */
rp_err rp_config_check_witnesses(const struct reading *in, const struct rp_yaml *root);

#endif
