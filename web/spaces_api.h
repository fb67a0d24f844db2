/* spaces_api.h — what the handlers of a tenant's data share. */
#ifndef RP_WEB_SPACES_API_H
#define RP_WEB_SPACES_API_H

#include "spaces/spaces.h"
#include "web/request.h"

/* The space of the assertion's tenant and of the application that asks, if the policy allows. */
rp_err rp_api_open_space(struct rp_request *request, enum rp_action action,
                         struct rp_space *ret_space);
/* If-Match: `"3"`, or `*` and nothing for any version (0). CONFLICT for what we never gave. */
rp_err rp_api_read_if_match(const struct rp_request *request, uint64_t *ret_version);
/* ?label=personal; INVALID. */
rp_err rp_api_read_label(struct rp_request *request, enum rp_label *ret_label);
/* ?version=3; 0 = none. INVALID. */
rp_err rp_api_read_version(struct rp_request *request, uint64_t *ret_version);
/* The second {…} of the route. NOT_FOUND unless it is an id. */
rp_err rp_api_read_id(const struct rp_request *request, rp_id *ret_id);
/* For a change of the one that the route names, if it is at the version of If-Match. */
rp_err rp_api_open_change(struct rp_request *request, struct rp_space *ret_space, rp_id *ret_id,
                          uint64_t *ret_version);
/* The answer, with its ETag; 304 when the reader has it. */
rp_err rp_api_send_record(struct rp_request *request, int status, const struct rp_record *record);
/* What is said of a record beside its document. */
void rp_api_add_record(struct rp_arena *arena, struct rp_json *json,
                       const struct rp_record *record);

#endif
