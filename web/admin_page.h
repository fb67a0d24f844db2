/* admin_page.h — what the pages of an organisation's administrators share. */
#ifndef RP_WEB_ADMIN_PAGE_H
#define RP_WEB_ADMIN_PAGE_H

#include "spaces/spaces.h"
#include "web/request.h"

/* The organisation of who is signed in, if the policy allows; of no application. */
rp_err rp_page_open_tenant(struct rp_request *request, enum rp_action action,
                           struct rp_space *ret_space);
/* The address of a person of it, or a few digits of who is no longer there. */
rp_view rp_page_person(struct rp_request *request, rp_id id);
/* The text with its {} filled, in the arena: for a template, which escapes it. */
rp_view rp_page_say(struct rp_request *request, enum rp_text_key key, rp_view one, rp_view two,
                    rp_view three);

#endif
