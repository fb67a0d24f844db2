/* waf_page.h — what a person or a program reads when the application firewall refused a request:
 * calm, with the number that the operator's log has, and what to do next. Pure.
 */
#ifndef RP_EDGE_WAF_PAGE_H
#define RP_EDGE_WAF_PAGE_H

#include "base/buf.h"
#include "base/err.h"

enum judge_waf_refusal {
    JUDGE_WAF_RULE,   /* a rule said no */
    JUDGE_WAF_COST,   /* judging it would have cost too much */
    JUDGE_WAF_LARGE,  /* the body is longer than what the firewall reads */
    JUDGE_WAF_ANSWER, /* the application's answer was held back */
    JUDGE_WAF_MODEL,  /* not as the application's model says */
    JUDGE_WAF_FAULT,  /* the firewall itself could not judge it */
    JUDGE_WAF_REFUSAL_COUNT
};

enum { JUDGE_WAF_PAGE_MAX = 8192 };

/* incident: letters and digits only. */
void judge_waf_page_html(struct rp_buf *out, enum judge_waf_refusal refusal, enum rp_lang lang,
                         unsigned status, rp_view incident);
/* A problem document, RFC 9457. */
void judge_waf_page_json(struct rp_buf *out, enum judge_waf_refusal refusal, enum rp_lang lang,
                         unsigned status, rp_view incident);

#endif
