#include "config/config.h"

#include "base/assert.h"
#include "base/checked.h"
#include "config/check.h"
#include "config/internal.h"
#include "config/settings.h"

enum { ITEM_MAX = 640 }; /* an address and a key, under long names */

/* ---- one value ---- */

static rp_err expect_scalar(const struct reading *in, const struct rp_yaml *node) {
    if (node->kind == RP_YAML_SCALAR) {
        return RP_OK;
    }
    return rp_fail_at(in->diag, RP_ERR(INVALID), node->line, node->column,
                      rp_config_say(in, "%.*s: expected one value"), RP_FMT(node->key));
}

rp_err rp_config_text(const struct reading *in, const struct rp_yaml *node, size_t min, size_t max,
                      const char *(*check)(rp_view text), const char **ret_text) {
    RP_TRY(expect_scalar(in, node));
    if (node->scalar.n < min || node->scalar.n > max) {
        return rp_fail_at(in->diag, RP_ERR(INVALID), node->line, node->column,
                          rp_config_say(in, "%.*s: expected %zu to %zu characters"),
                          RP_FMT(node->key), min, max);
    }
    const char *expected = check(node->scalar);
    if (expected) {
        return rp_fail_at(in->diag, RP_ERR(INVALID), node->line, node->column,
                          rp_config_say(in, "%.*s: expected %s"), RP_FMT(node->key),
                          rp_config_say(in, expected));
    }
    const char *text = rp_arena_cstr(in->arena, node->scalar);
    if (!text) {
        return RP_ERR(TOO_LARGE);
    }
    *ret_text = text;
    return RP_OK;
}

rp_err rp_config_choice(const struct reading *in, const struct rp_yaml *node, const char *choices,
                        const char **ret_text) {
    RP_TRY(expect_scalar(in, node));
    rp_view rest = rp_view_from_cstr(choices);
    while (rest.p != NULL) {
        rp_view choice = rp_view_cut(&rest, '|');
        if (rp_view_equal(choice, node->scalar)) {
            const char *text = rp_arena_cstr(in->arena, choice);
            if (!text) {
                return RP_ERR(TOO_LARGE);
            }
            *ret_text = text;
            return RP_OK;
        }
    }
    return rp_fail_at(in->diag, RP_ERR(INVALID), node->line, node->column,
                      rp_config_say(in, "%.*s: expected one of %s"), RP_FMT(node->key), choices);
}

rp_err rp_config_number(const struct reading *in, const struct rp_yaml *node, uint64_t min,
                        uint64_t max, uint64_t *ret_number) {
    RP_TRY(expect_scalar(in, node));
    uint64_t number = 0;
    bool good = !node->quoted && rp_view_to_u64(node->scalar, max, &number) && number >= min;
    if (!good) {
        return rp_fail_at(in->diag, RP_ERR(INVALID), node->line, node->column,
                          rp_config_say(in, "%.*s: expected a number from %llu to %llu%s"),
                          RP_FMT(node->key), (unsigned long long)min, (unsigned long long)max,
                          node->quoted ? rp_config_say(in, ", without quotes") : "");
    }
    *ret_number = number;
    return RP_OK;
}

rp_err rp_config_texts(const struct reading *in, const struct rp_yaml *node, size_t max,
                       const char *(*check)(rp_view text), struct rp_config_list *ret_list) {
    if (node->kind != RP_YAML_SEQUENCE) {
        return rp_fail_at(in->diag, RP_ERR(INVALID), node->line, node->column,
                          rp_config_say(in, "%.*s: expected a list such as [a, b]"),
                          RP_FMT(node->key));
    }
    const char **items = rp_arena_array(in->arena, max, sizeof *items);
    if (!items) {
        return RP_ERR(TOO_LARGE);
    }
    size_t count = 0;
    for (const struct rp_yaml *item = node->first; item; item = item->next) {
        if (count == max) {
            return rp_fail_at(in->diag, RP_ERR(TOO_LARGE), item->line, item->column,
                              rp_config_say(in, "%.*s: expected at most %zu"), RP_FMT(node->key),
                              max);
        }
        struct rp_yaml one = *item;
        one.key = node->key; /* an error names the setting */
        RP_TRY(rp_config_text(in, &one, 1, ITEM_MAX, check, &items[count]));
        count++;
    }
    *ret_list = (struct rp_config_list){items, count};
    return RP_OK;
}

static rp_err read_setting(const struct reading *in, const struct rp_yaml *node,
                           const struct rp_setting *setting) {
    uint8_t *field = (uint8_t *)in->config + setting->offset;
    const char *text = NULL;
    uint64_t number = 0;
    switch (setting->type) {
    case RP_SETTING_TEXT:
        RP_TRY(rp_config_text(in, node, (size_t)setting->min, (size_t)setting->max,
                              rp_setting_form(setting), &text));
        memcpy(field, &text, sizeof text);
        return RP_OK;
    case RP_SETTING_CHOICE:
        RP_TRY(rp_config_choice(in, node, setting->choices, &text));
        memcpy(field, &text, sizeof text);
        return RP_OK;
    case RP_SETTING_NUMBER:
        RP_TRY(rp_config_number(in, node, setting->min, setting->max, &number));
        memcpy(field, &number, sizeof number);
        return RP_OK;
    case RP_SETTING_LIST:
        return rp_config_texts(in, node, (size_t)setting->max, rp_setting_form(setting),
                               (struct rp_config_list *)(void *)field);
    }
    RP_UNREACHABLE();
}

/* ---- the file ---- */

rp_err rp_config_unknown(const struct reading *in, const struct rp_yaml *node, const char *where,
                         const char *const *known, size_t known_count) {
    for (size_t i = 0; i < known_count; i++) {
        if (rp_config_edits(node->key, rp_view_from_cstr(known[i])) <= 2) {
            return rp_fail_at(in->diag, RP_ERR(UNKNOWN_KEY), node->key_line, node->key_column,
                              rp_config_say(in, "unknown key \"%.*s\" in %s; did you mean \"%s\"?"),
                              (int)RP_MIN(node->key.n, 60), (const char *)node->key.p, where,
                              known[i]);
        }
    }
    return rp_fail_at(in->diag, RP_ERR(UNKNOWN_KEY), node->key_line, node->key_column,
                      rp_config_say(in, "unknown key \"%.*s\" in %s"), (int)RP_MIN(node->key.n, 60),
                      (const char *)node->key.p, where);
}

/* Adds a word to a list of known ones, once. */
static void add_known(const char **known, size_t *count, const char *word) {
    if (*word != '\0' && (*count == 0 || strcmp(known[*count - 1], word) != 0)) {
        known[(*count)++] = word;
    }
}

/* Names what could have been meant: the section's keys, or at the top also the sections. */
static rp_err unknown_key(const struct reading *in, const struct rp_yaml *node,
                          const char *section) {
    const char *known[2 * RP_SETTINGS + 2];
    size_t count = 0;
    bool top = *section == '\0';
    for (size_t i = 0; i < RP_SETTINGS; i++) {
        if (strcmp(rp_settings[i].section, section) == 0) {
            add_known(known, &count, rp_settings[i].key);
        } else if (top) {
            add_known(known, &count, rp_settings[i].section);
        }
    }
    if (top || strcmp(section, "link") == 0) {
        add_known(known, &count, top ? "apps" : "peers");
    }
    if (top) {
        add_known(known, &count, "webhooks");
    }
    return rp_config_unknown(in, node, top ? rp_config_say(in, "the file") : section, known, count);
}

static rp_err read_section(const struct reading *in, const struct rp_yaml *node,
                           const char *section) {
    if (node->kind != RP_YAML_MAPPING) {
        return rp_fail_at(in->diag, RP_ERR(INVALID), node->line, node->column,
                          rp_config_say(in, "%s: expected settings below it, indented"), section);
    }
    bool link = strcmp(section, "link") == 0;
    for (const struct rp_yaml *member = node->first; member; member = member->next) {
        if (link && rp_view_equal(member->key, RP_VIEW("peers"))) {
            RP_TRY(rp_config_read_peers(in, member));
            continue;
        }
        const struct rp_setting *setting = rp_setting_named(section, member->key);
        RP_TRY(setting ? read_setting(in, member, setting) : unknown_key(in, member, section));
    }
    return RP_OK;
}

static rp_err read_top(const struct reading *in, const struct rp_yaml *node) {
    if (rp_view_equal(node->key, RP_VIEW("apps"))) {
        return rp_config_read_apps(in, node);
    }
    if (rp_view_equal(node->key, RP_VIEW("webhooks"))) {
        return rp_config_read_webhooks(in, node);
    }
    const char *section = rp_section_named(node->key);
    if (section) {
        return read_section(in, node, section);
    }
    const struct rp_setting *setting = rp_setting_named("", node->key);
    return setting ? read_setting(in, node, setting) : unknown_key(in, node, "");
}

/* An error of the section, at the first of the two settings that the file has. */
static rp_err fail_together(const struct reading *in, const struct rp_yaml *root,
                            const char *section, const char *key, const char *otherwise,
                            const char *text) {
    const struct rp_yaml *map = rp_yaml_get(root, section);
    const struct rp_yaml *node = map ? rp_yaml_get(map, key) : NULL;
    if (!node) {
        node = map ? rp_yaml_get(map, otherwise) : NULL;
    }
    return rp_fail_at(in->diag, RP_ERR(INVALID), node ? node->key_line : 0,
                      node ? node->key_column : 0, rp_config_say(in, "%s: %s"), section,
                      rp_config_say(in, text));
}

/* What no single setting can know. */
static rp_err check_together(const struct reading *in, const struct rp_yaml *root) {
    const struct rp_config *config = in->config;
    if ((*config->certificate != '\0') != (*config->certificate_key != '\0')) {
        return fail_together(in, root, "gate", "certificate", "certificate_key",
                             "certificate and certificate_key are given together or not at all");
    }
    if (config->listen == config->listen_http) {
        return fail_together(in, root, "gate", "listen_http", "listen",
                             "listen and listen_http are the same port");
    }
    if (config->metrics_port != 0 &&
        (config->metrics_port == config->listen || config->metrics_port == config->listen_http)) {
        return fail_together(in, root, "gate", "metrics_port", "listen",
                             "metrics_port is a port of its own");
    }
    bool told = strcmp(config->client_address, "connection") != 0;
    if (told && config->trusted_proxies.count == 0) {
        return fail_together(in, root, "gate", "client_address", "client_address",
                             "client_address needs trusted_proxies: whose word is believed?");
    }
    if (!told && config->trusted_proxies.count > 0) {
        return fail_together(in, root, "gate", "trusted_proxies", "trusted_proxies",
                             "trusted_proxies needs client_address: header NAME or "
                             "proxy_protocol, which the provider's pages name");
    }
    RP_TRY(rp_config_check_link(in, root));
    RP_TRY(rp_config_check_vault(in, root));
    RP_TRY(rp_config_check_witnesses(in, root));
    return rp_config_check_acme(in, root);
}

/* Every setting as config.def has it, through the same code as a file's. */
static rp_err read_defaults(const struct reading *in) {
    in->config->apps = rp_arena_array(in->arena, RP_APPS_MAX, sizeof *in->config->apps);
    in->config->peers = rp_arena_array(in->arena, RP_PEERS_MAX, sizeof *in->config->peers);
    in->config->webhooks = rp_arena_array(in->arena, RP_WEBHOOKS_MAX, sizeof *in->config->webhooks);
    if (!in->config->apps || !in->config->peers || !in->config->webhooks) {
        return RP_ERR(TOO_LARGE);
    }
    in->config->runs_here = rp_config_all_roles();
    for (size_t i = 0; i < RP_SETTINGS; i++) {
        struct rp_yaml node = {.kind = RP_YAML_SCALAR,
                               .key = rp_view_from_cstr(rp_settings[i].key),
                               .scalar = rp_view_from_cstr(rp_settings[i].standard)};
        node.kind = rp_settings[i].type == RP_SETTING_LIST ? RP_YAML_SEQUENCE : RP_YAML_SCALAR;
        RP_TRY(read_setting(in, &node, &rp_settings[i]));
    }
    return RP_OK;
}

rp_err rp_config_default(struct rp_arena *arena, struct rp_config *ret_config) {
    struct rp_config config = {0};
    struct reading in = {.arena = arena, .config = &config, .lang = RP_EN};
    RP_TRY(read_defaults(&in));
    *ret_config = config;
    return RP_OK;
}

/* The reader of YAML knows one language; what it says whole is said again in the other. */
static rp_err parse_yaml(const struct reading *in, rp_view yaml, struct rp_yaml **ret_root) {
    rp_err err = rp_yaml_parse(yaml, in->arena, ret_root, in->diag);
    const char *text = rp_ok(err) || !in->diag ? NULL : rp_config_say(in, in->diag->text);
    if (text && text != in->diag->text) {
        return rp_fail_at(in->diag, err, in->diag->line, in->diag->column, "%s", text);
    }
    return err;
}

rp_err rp_config_parse_for(enum rp_lang lang, rp_view yaml, struct rp_arena *arena,
                           struct rp_config *ret_config, struct rp_diag *diag) {
    RP_ASSERT(arena != NULL);
    RP_ASSERT(ret_config != NULL);
    struct rp_config config = {0};
    struct reading in = {.arena = arena, .config = &config, .diag = diag, .lang = lang};
    RP_TRY(read_defaults(&in));
    struct rp_yaml *root = NULL;
    RP_TRY(parse_yaml(&in, yaml, &root));
    if (root->kind != RP_YAML_MAPPING) {
        return rp_fail_at(
            diag, RP_ERR(INVALID), root->line, root->column,
            rp_config_say(&in, "expected settings such as \"host: www.example.com\""));
    }
    for (const struct rp_yaml *node = root->first; node; node = node->next) {
        RP_TRY(read_top(&in, node));
    }
    RP_TRY(check_together(&in, root));
    *ret_config = config;
    return RP_OK;
}

rp_err rp_config_parse(rp_view yaml, struct rp_arena *arena, struct rp_config *ret_config,
                       struct rp_diag *diag) {
    return rp_config_parse_for(RP_EN, yaml, arena, ret_config, diag);
}
