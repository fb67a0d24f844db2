/* applications.h — the parts of nginx.conf that an application brings. Values have been checked by
 * gate_render. Pure. */
#ifndef RP_GATE_APPLICATIONS_H
#define RP_GATE_APPLICATIONS_H

#include "render.h"

void gate_add_upstream(struct rp_buf *out, const struct rp_config *config,
                       const struct rp_config_app *app);
/* Its place and those that the configuration sets apart; before them, its firewall. */
void gate_add_app_places(struct rp_buf *out, const struct gate_setup *setup,
                         const struct rp_config_app *app);
/* The rules for a place, unless they are off. app NULL: the canary's; own: the place's mode, NULL =
 * the installation's. */
void gate_add_waf(struct rp_buf *out, const struct gate_setup *setup,
                  const struct rp_config_app *app, const char *own, bool stream);
/* How strongly a person must have signed in, where one is asked for at all. */
const char *gate_least_acr(const struct rp_config *config);

#endif
