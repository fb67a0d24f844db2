/* waf.c — what an application says of the firewall before it: `waf: detect`, or a mapping. */
#include "base/checked.h"
#include "config/check.h"
#include "config/internal.h"

static const char *const keys[] = {"mode", "label", "paranoia", "model", "model_mode"};
static const char modes[] = "on|detect|learn|off";

static rp_err read_member(const struct reading *in, const struct rp_yaml *node,
                          struct rp_config_app *app) {
    if (rp_view_equal(node->key, RP_VIEW("mode"))) {
        return rp_config_choice(in, node, modes, &app->waf);
    }
    if (rp_view_equal(node->key, RP_VIEW("label"))) {
        return rp_config_choice(in, node, "public|internal|personal|sensitive", &app->waf_label);
    }
    if (rp_view_equal(node->key, RP_VIEW("paranoia"))) {
        return rp_config_number(in, node, 1, 4, &app->waf_paranoia);
    }
    if (rp_view_equal(node->key, RP_VIEW("model"))) {
        return rp_config_text(in, node, 1, 4096, rp_config_check_path, &app->waf_model);
    }
    if (rp_view_equal(node->key, RP_VIEW("model_mode"))) {
        return rp_config_choice(in, node, "on|detect", &app->waf_model_mode);
    }
    return rp_config_unknown(in, node, "an application's waf", keys, RP_COUNT_OF(keys));
}

rp_err rp_config_read_waf(const struct reading *in, const struct rp_yaml *node,
                          struct rp_config_app *app) {
    if (node->kind != RP_YAML_MAPPING) {
        return rp_config_choice(in, node, modes, &app->waf);
    }
    for (const struct rp_yaml *member = node->first; member; member = member->next) {
        RP_TRY(read_member(in, member, app));
    }
    if (app->waf_model_mode && !app->waf_model) {
        return rp_fail_at(in->diag, RP_ERR(INVALID), node->line, node->column,
                          rp_config_say(in, "model_mode: there is no model"));
    }
    if (app->waf_model && app->waf && strcmp(app->waf, "off") == 0) {
        return rp_fail_at(
            in->diag, RP_ERR(INVALID), node->line, node->column,
            rp_config_say(in, "a model is judged where the firewall is: mode on, detect or learn"));
    }
    return RP_OK;
}
