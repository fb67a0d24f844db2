/* handlers.h — the functions that routes.def names, and what they share. */
#ifndef RP_WEB_HANDLERS_H
#define RP_WEB_HANDLERS_H

#include "web/access.h"
#include "web/router.h"

#define RP_ROUTE(method, path, handler, place, guard, kind, writes, operation, query, fr, en)      \
    rp_err handler(struct rp_request *request);
/* /.rempart/id and /.rempart/id/ share a handler: declared twice alike. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls"
#include "web/routes.def"
#pragma GCC diagnostic pop
#undef RP_ROUTE

/* ---- page.c ---- */

/* Prints the frame around `body` (which it frees) into the response. */
void rp_page_finish(struct rp_request *request, enum rp_text_key title, struct rp_buf *body,
                    bool wide);
/* "23 November 2026, 10:00 UTC" or "23 novembre 2026, 10 h 00 UTC", in the arena. */
rp_view rp_page_time(struct rp_request *request, int64_t ms);
/* "1.4 MB", in French "1,4 Mo"; decimal, as file managers count. */
rp_view rp_page_size(struct rp_request *request, uint64_t bytes);
rp_view rp_page_time_iso(struct rp_request *request, int64_t ms);
/* An arena copy of path?name=value&…, values encoded; NULL value = left out. Ends with NULL. */
rp_view rp_page_link(struct rp_request *request, const char *path, const char *name, rp_view value,
                     const char *name2, rp_view value2);

/* A link that no longer opens anything is said plainly: spent, expired (in the words of what it was
 * for), unknown. Any other error stays as it is. */
rp_err rp_page_link_refused(struct rp_request *request, rp_err err, enum rp_text_key expired);
/* admin_api.c: https://host:port/.rempart/id/enrol?token=… */
rp_view rp_enrol_link(const struct rp_web *web, struct rp_arena *arena,
                      const struct rp_token *token);

/* ---- account.c ---- */

/* How somebody signed in, in words. */
rp_view rp_page_strength(enum rp_lang lang, enum rp_acr acr);
/* The session's cookie for the browser, its slot for the gate, and on to `next`. */
rp_err rp_page_set_session(struct rp_request *request, const struct rp_token *cookie,
                           const struct rp_session *session, rp_view next);

/* ---- outdated.c ---- */

/* What the reader's software is called where it gets no fixes any more ("Firefox 78"); else p ==
 * NULL. */
rp_view rp_page_outdated(struct rp_request *request);

/* ---- password.c ---- */

/* What ?error= says of a password that was judged: "weak", "leaked"; NULL when it is good, or when
 * it could not be judged. */
const char *rp_page_password_refusal(rp_err err);
/* What ?error= says on a page that asks for a new password, in words; empty without one. */
rp_view rp_page_password_error(const struct rp_request *request);

/* Has the present password of whoever is signed in compared; the handler returns right after, and
 * comes back one step later. RATE; DENIED when no password is that long. */
rp_err rp_page_ask_present(struct rp_request *request, rp_view present);
/* In that step: DENIED when it was not right, which is counted and in the log. */
rp_err rp_page_present_was_right(struct rp_request *request);

/* ---- organisation.c ---- */

/* Where a sign-in leads: to the choice of an organisation first, for who has several. */
rp_view rp_page_after_sign_in(struct rp_request *request, rp_id person, rp_view next);
/* The page of an invitation whose address has an account. */
rp_err rp_page_join(struct rp_request *request, const struct rp_invitation *invitation,
                    rp_view token);

/* ---- members.c ---- */

/* Does this installation have a mail server? */
bool rp_web_sends_mail(const struct rp_web *web);
struct rp_member_change;
/* "member", "admin", "operator" to a set of roles. INVALID. */
rp_err rp_role_read(rp_view text, unsigned *ret_roles);
const char *rp_role_word(unsigned roles);
/* Changes, and revokes at the gate what ended. */
rp_err rp_members_change(struct rp_request *request, const struct rp_member_change *change);

/* ---- api.c ---- */

/* Prints the tree as the whole answer. */
rp_err rp_api_send(struct rp_request *request, int status, const struct rp_json *json);

/* ---- admin_api.c ---- */

/* The tenant that the text names by its id. INVALID. */
rp_err rp_admin_tenant(struct rp_request *request, rp_view text, rp_id *ret_tenant);
/* The person that the path names, by id or by address. NOT_FOUND. */
rp_err rp_admin_find_person(struct rp_request *request, rp_id tenant, rp_id *ret_person);

/* ---- problem.c ---- */

/* The answer to an error: a page, or RFC 9457 problem details. detail may be NULL. */
void rp_problem(struct rp_request *request, enum rp_kind kind, rp_err err, const char *detail);

#endif
