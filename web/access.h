/* access.h — who is asking, checked before a handler is entered.
 *
 * A person: the cookie's session, live in the table and in the database. An application: its token
 * and the assertion it has just received; tenant and person come from the assertion alone, so
 * that an application cannot reach a tenant whose user is not present, unless that tenant gave it a
 * grant. A token has scopes, and a grant narrows them. A form: the token that this
 * browser was given, and an origin that is ours.
 *
 * Promises: S66, S67, S68, S99.
 */
#ifndef RP_WEB_ACCESS_H
#define RP_WEB_ACCESS_H

#include "web/router.h"

/* RP_OK and request->who, session, app filled; or the error that the request ends with. */
rp_err rp_access_check(struct rp_request *request, const struct rp_route *route);

/* May who do this in their own tenant? DENIED, with the policy's reason. */
rp_err rp_request_allow(struct rp_request *request, enum rp_action action);

/* The tenant that the assertion, or the grant, names, not verified: only says which thread will
 * verify it. */
bool rp_access_tenant_hint(const struct rp_request *request, rp_id *ret_tenant);

/* The token for this browser's forms: the one it has, or a new one with its cookie. */
rp_view rp_form_token(struct rp_request *request);
/* DENIED unless cookie and field agree and the origin is ours. Pure. */
rp_err rp_form_check(rp_view cookie, rp_view field, rp_view fetch_site, rp_view origin,
                     rp_view host);

/* Who asked, for an event: the person, or "owner" at the command line. */
void rp_event_add_asker(struct rp_event *event, const struct rp_request *request);

/* A local path to go on to: `next` when it is one, else "/". Never another site. */
rp_view rp_next_path(rp_view next);

/* Verifies an assertion for the application; fills who. Reads the kms' keys when it has to. */
rp_err rp_assertion_check(struct rp_request *request, rp_view token, rp_view app,
                          struct rp_who *ret_who, rp_id *ret_session);
/* The tenant that an assertion names, not verified. */
bool rp_assertion_tenant(const struct rp_request *request, rp_id *ret_tenant);
/* The kms' public keys in thread->jwks and jwks_text, at most a second old: strangers may ask for
 * them as often as they like, and the kms is asked once a second and thread. */
rp_err rp_jwks_fresh(struct rp_web *web, struct rp_web_thread *thread);

#endif
