/* render.h — rempart.yaml as the configuration of nginx: one pure function.
 *
 * Nothing of it is meant to be edited: its first line says so, and every start and reload writes
 * it anew. Paths are relative to the state folder, which is nginx's working directory.
 *
 * Promises: S73, S74, S78, S79, S80, S81.
 */
#ifndef RP_GATE_RENDER_H
#define RP_GATE_RENDER_H

#include "base/buf.h"
#include "config/config.h"

struct gate_setup {
    const struct rp_config *config;
    const char *state; /* this folder, absolute: nginx loads keys by such paths only */
    const struct rp_config_list *certified; /* names with a certificate by ACME; NULL = none */
    const char *module;                     /* ngx_http_rempart_module.so, absolute */
    bool log_json;
    const char *user, *group; /* of the workers; NULL when nginx does not start as root */
};

/* Is any place of this configuration judged by the rules? */
bool gate_judges(const struct rp_config *config);

/* Of the image's name, by an application's own level of paranoia: "", "-1" … "-4". */
const char *gate_rules_suffix(uint64_t level);

enum { GATE_CONF_MAX = 1 << 20 };

/* TOO_LARGE when it does not fit out; INVALID when a value of the configuration could end a
 * directive of nginx (the configuration's own checks refuse such values before). */
rp_err gate_render(const struct gate_setup *setup, struct rp_buf *out, struct rp_diag *diag);

#endif
