/* shares_api.h — what the handlers of links that share have in common. */
#ifndef RP_WEB_SHARES_API_H
#define RP_WEB_SHARES_API_H

#include "spaces/shares.h"
#include "web/request.h"

/* The operator's rule, from the configuration. */
struct rp_share_rule rp_api_share_rule(const struct rp_request *request);

#endif
