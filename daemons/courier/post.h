/* post.h — one POST to the outside, by libcurl: https, verified, no redirect, within a time, and an
 * answer that is bounded.
 */
#ifndef RP_COURIER_POST_H
#define RP_COURIER_POST_H

#include <curl/curl.h>
#include <stdatomic.h>

#include "base/buf.h"

struct post {
    const char *url;
    rp_view authority; /* PEM; n = 0: the system's */
    const struct curl_slist *headers;
    rp_view body;
    long connect_ms, whole_ms;
    struct rp_buf *answer;       /* of its maximum and no more; NULL = skipped, up to 64 KiB */
    const atomic_bool *gives_up; /* NULL = never: looked at each second */
};

struct posted {
    bool refused; /* by rempart-dial: a private or local address */
    bool whole;   /* an answer came, to its end */
    long status;  /* also of one that broke off; 0 = none */
    char type[64];
    char problem[208]; /* unless whole */
};

struct posted post_send(const struct post *post);

/* Connections go by rempart-dial, which reaches the places that settings name and no other. */
void post_by_dial(CURL *curl);
/* Why nothing came of it, for people; error: curl's own words, "" = none. */
const char *post_problem(CURL *curl, CURLcode result, const char *error);

#endif
