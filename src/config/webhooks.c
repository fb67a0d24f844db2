#include "base/checked.h"
#include "config/check.h"
#include "config/internal.h"

static const char *const keys[] = {"name", "endpoint", "secret", "events", "authority", "private"};

static rp_err read_member(const struct reading *in, const struct rp_yaml *node,
                          struct rp_config_webhook *hook) {
    if (rp_view_equal(node->key, RP_VIEW("name"))) {
        return rp_config_text(in, node, 1, RP_WEBHOOK_NAME_MAX, rp_config_check_app_name,
                              &hook->name);
    }
    if (rp_view_equal(node->key, RP_VIEW("endpoint"))) {
        return rp_config_text(in, node, 1, 500, rp_config_check_url, &hook->endpoint);
    }
    if (rp_view_equal(node->key, RP_VIEW("secret"))) {
        return rp_config_text(in, node, 1, 4096, rp_config_check_path, &hook->secret);
    }
    if (rp_view_equal(node->key, RP_VIEW("events"))) {
        hook->events_node = node;
        return rp_config_texts(in, node, RP_WEBHOOK_EVENTS_MAX, rp_config_check_events,
                               &hook->events);
    }
    if (rp_view_equal(node->key, RP_VIEW("authority"))) {
        return rp_config_text(in, node, 0, 4096, rp_config_check_path, &hook->authority);
    }
    if (rp_view_equal(node->key, RP_VIEW("private"))) {
        return rp_config_choice(in, node, "false|true", &hook->also_private);
    }
    return rp_config_unknown(in, node, rp_config_say(in, "a webhook"), keys, RP_COUNT_OF(keys));
}

static rp_err check_apart(const struct reading *in, const struct rp_yaml *node,
                          const struct rp_config_webhook *hook) {
    for (size_t i = 0; i < in->config->webhook_count; i++) {
        if (strcmp(hook->name, in->config->webhooks[i].name) == 0) {
            return rp_fail_at(in->diag, RP_ERR(DUPLICATE), node->line, node->column,
                              rp_config_say(in, "two webhooks are called \"%s\""), hook->name);
        }
    }
    return RP_OK;
}

static rp_err read_webhook(const struct reading *in, const struct rp_yaml *node,
                           struct rp_config_webhook *hook) {
    if (node->kind != RP_YAML_MAPPING) {
        return rp_fail_at(
            in->diag, RP_ERR(INVALID), node->line, node->column,
            rp_config_say(in,
                          "expected a webhook: a mapping with name, endpoint, secret and events"));
    }
    *hook = (struct rp_config_webhook){.authority = "", .also_private = "false"};
    for (const struct rp_yaml *member = node->first; member; member = member->next) {
        RP_TRY(read_member(in, member, hook));
    }
    if (!hook->name || !hook->endpoint || !hook->secret || hook->events.count == 0) {
        return rp_fail_at(in->diag, RP_ERR(INVALID), node->line, node->column,
                          rp_config_say(in, "a webhook needs a name, an endpoint, a secret (what "
                                            "nobody signed, anybody could have sent) and events"));
    }
    return check_apart(in, node, hook);
}

rp_err rp_config_read_webhooks(const struct reading *in, const struct rp_yaml *list) {
    if (list->kind != RP_YAML_SEQUENCE) {
        return rp_fail_at(
            in->diag, RP_ERR(INVALID), list->line, list->column,
            rp_config_say(in, "expected a list of webhooks, each beginning with \"- name:\""));
    }
    for (const struct rp_yaml *node = list->first; node; node = node->next) {
        if (in->config->webhook_count == RP_WEBHOOKS_MAX) {
            return rp_fail_at(in->diag, RP_ERR(TOO_LARGE), node->line, node->column,
                              rp_config_say(in, "expected at most %d webhooks"), RP_WEBHOOKS_MAX);
        }
        RP_TRY(read_webhook(in, node, &in->config->webhooks[in->config->webhook_count]));
        in->config->webhook_count++;
    }
    return RP_OK;
}
