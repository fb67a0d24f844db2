/* pages.h — the gate's error pages: calm, plain, without scripts (but for the puzzle of the
 * mode "under attack"); and the same as RFC 9457
 * problem documents. Rendered from pages.def into gate/pages/STATUS.LANG.FORM. Pure. */
#ifndef RP_GATE_PAGES_H
#define RP_GATE_PAGES_H

#include "base/buf.h"

struct gate_page {
    unsigned status;
    const char *code;
    bool retry;
    const char *title[RP_LANG_COUNT], *text[RP_LANG_COUNT];
};

/* nginx's own number for a client certificate that is missing; told as 403. */
enum { GATE_NO_CERTIFICATE = 496 };
/* Our own number for whom a deny list names; told as 403. */
enum { GATE_LISTED = 4031 };
/* Whose browser is to work a little first; told as 503. */
enum { GATE_CHALLENGE = 5031 };

extern const struct gate_page gate_pages[];
extern const size_t gate_page_count;

void gate_page_html(struct rp_buf *out, const struct gate_page *page, enum rp_lang lang);
/* What Content-Security-Policy calls the one script that a page of the gate has. */
void gate_page_script(struct rp_buf *out);
void gate_page_json(struct rp_buf *out, const struct gate_page *page, enum rp_lang lang);

#endif
