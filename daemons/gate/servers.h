/* servers.h — the second half of nginx.conf: a server for each host. Values have
 * been checked by gate_render. Pure. */
#ifndef RP_GATE_SERVERS_H
#define RP_GATE_SERVERS_H

#include "render.h"

void gate_add_servers(struct rp_buf *out, const struct gate_setup *setup);
/* For applications on this machine; the file's mode says who. */
void gate_add_api_server(struct rp_buf *out);
/* /metrics on loopback, when gate.metrics_port says so. */
void gate_add_metrics_server(struct rp_buf *out, const struct rp_config *config);
/* A directive with a file; a relative path starts at the state folder. */
void gate_add_path(struct rp_buf *out, const char *directive, const char *state, const char *path);
/* What the gate says beside an application's answer, unless the application says it, or the
 * operator says otherwise (app may be NULL). */
void gate_add_headers(struct rp_buf *out, const char *indent, const struct rp_config_app *app);

#endif
