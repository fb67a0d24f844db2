/* waf.c — what an application says of the firewall before it: `waf: detect`, or a mapping. */
#include "base/checked.h"
#include "config/internal.h"

static const char *const keys[] = {"mode", "label"};
static const char modes[] = "on|detect|learn|off";

static rp_err read_member(const struct reading *in, const struct rp_yaml *node,
                          struct rp_config_app *app) {
    if (rp_view_equal(node->key, RP_VIEW("mode"))) {
        return rp_config_choice(in, node, modes, &app->waf);
    }
    if (rp_view_equal(node->key, RP_VIEW("label"))) {
        return rp_config_choice(in, node, "public|internal|personal|sensitive", &app->waf_label);
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
    return RP_OK;
}
