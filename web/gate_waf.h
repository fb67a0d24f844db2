/* gate_waf.h — what learning takes, for all that was learnt: exclusions and models. */
#ifndef RP_WEB_GATE_WAF_H
#define RP_WEB_GATE_WAF_H

#include "web/request.h"

struct rp_waf_least {
    uint64_t people, organisations; /* different ones behind what is believed */
};
/* As waf.learn_people and waf.learn_organisations say, where there are so many organisations. */
rp_err rp_waf_least_of(struct rp_request *request, struct rp_db *db,
                       struct rp_waf_least *ret_least);

#endif
