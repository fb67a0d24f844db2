/* check.h — what a text may look like before it reaches nginx, a header or a page.
 *
 * A setting ends up inside a generated nginx configuration, so each has the narrowest form that
 * serves: whatever is not of that form is refused with what was expected.
 */
#ifndef RP_CONFIG_CHECK_H
#define RP_CONFIG_CHECK_H

#include "base/err.h"

/* Each returns NULL when the text is of the form, else what was expected, in English. */
const char *rp_config_check_line(rp_view text); /* one line of text, no control characters */
/* "08:30" to the minutes of a day. */
bool rp_config_minutes(rp_view text, unsigned *ret_minutes);
const char *rp_config_check_clock(rp_view text);   /* "08:30", or empty */
const char *rp_config_check_quiet(rp_view text);   /* "22:00-07:00", or empty */
const char *rp_config_check_host(rp_view text);    /* a DNS name, or empty */
const char *rp_config_check_name(rp_view text);    /* a DNS name */
const char *rp_config_check_address(rp_view text); /* an IPv4 or IPv6 address */
const char *rp_config_check_path(rp_view text); /* a file's name nginx takes unquoted, or empty */
const char *rp_config_check_log_file(rp_view text);       /* the same, absolute */
const char *rp_config_check_store(rp_view text);          /* what this release can open */
const char *rp_config_check_url(rp_view text);            /* an https address, or empty */
const char *rp_config_check_events(rp_view text);         /* register.due, certificate.*, * */
const char *rp_config_check_app_name(rp_view text);       /* [a-z0-9-]{1,32} */
const char *rp_config_check_upstream(rp_view text);       /* http://HOST:PORT or unix:PATH */
const char *rp_config_check_network(rp_view text);        /* an address or a CIDR range */
const char *rp_config_check_client_address(rp_view text); /* connection, header NAME, … */
const char *rp_config_check_place(rp_view text);          /* a path of an application, plain */
const char *rp_config_check_health(rp_view text);         /* a path, and a query if need be */
const char *rp_config_check_value(rp_view text);          /* a header's value */
const char *rp_config_check_header(rp_view text);         /* a header name that nobody else needs */
const char *rp_config_check_smtp(rp_view text); /* smtp://HOST:PORT, smtps://…, or empty */
const char *rp_config_check_mail_address(rp_view text); /* one e-mail address */

const char *rp_config_check_mail_or_none(rp_view text); /* one e-mail address, or empty */
const char *rp_config_check_directory(rp_view text);    /* of ACME: https, a known word, or empty */

const char *rp_config_check_witness(rp_view text);       /* HTTPS-ADDRESS VKEY */
const char *rp_config_check_witness_log(rp_view text);   /* a log's verifier key */
const char *rp_config_check_declared_port(rp_view text); /* tcp 22 WHO: WHY */

const char *rp_config_check_log_key(rp_view text);
const char *rp_config_check_role(rp_view text);     /* a role that one machine may run */
const char *rp_config_check_endpoint(rp_view text); /* ADDRESS:PORT, or empty */

/* How many single edits lead from one word to the other, or a number over 2. */
unsigned rp_config_edits(rp_view a, rp_view b);

#endif
