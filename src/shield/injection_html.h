/* injection_html.h — HTML as libinjection reads it; for injection_html.c and injection_xss.c only.
 *
 * HTML 5's states, with what browsers do beyond them: NULs within names, ticks as quotes, <% … %>.
 * The reader may begin within a tag or within an attribute's quotes. Tokens are views of the value.
 */
#ifndef RP_SHIELD_INJECTION_HTML_H
#define RP_SHIELD_INJECTION_HTML_H

#include "base/view.h"

enum rp_html_type {
    RP_HTML_TEXT,
    RP_HTML_TAG, /* the name of one that opens, or closes with attributes */
    RP_HTML_TAG_END,
    RP_HTML_NAME, /* of an attribute */
    RP_HTML_VALUE,
    RP_HTML_COMMENT,
    RP_HTML_DOCTYPE,
};

struct rp_html_token {
    enum rp_html_type type;
    rp_view text;
};

enum rp_html_state {
    RP_HTML_DATA,
    RP_HTML_TAG_OPEN,
    RP_HTML_TAG_CLOSE,
    RP_HTML_SLASH,
    RP_HTML_BEFORE_NAME,
    RP_HTML_AFTER_NAME,
    RP_HTML_BEFORE_VALUE,
    RP_HTML_IN_QUOTES,
    RP_HTML_AFTER_QUOTES,
    RP_HTML_END,
};

struct rp_html_reader {
    rp_view value;
    size_t at;
    enum rp_html_state state; /* where the value begins: DATA, BEFORE_NAME or IN_QUOTES */
    uint8_t quote;            /* IN_QUOTES: which */
    bool closing;             /* within </name */
};

/* The next token; false at the end. */
bool rp_html_next(struct rp_html_reader *reader, struct rp_html_token *ret_token);

#endif
