/* texts.h — the sentences of the pages, in French and English, and which of the two a reader wants.
 *
 * The language comes from ?lang=, else from the reader's own cookie, else from Accept-Language
 * (RFC 9110 12.5.4); French when nothing is said: the page was born French.
 */
#ifndef RP_WEB_TEXTS_H
#define RP_WEB_TEXTS_H

#include "base/buf.h"
#include "base/err.h"

enum rp_text_key {
#define RP_TEXT(key, fr, en) RP_TEXT_##key,
#include "web/texts.def"
#undef RP_TEXT
    RP_TEXT_COUNT
};

rp_view rp_text(enum rp_lang lang, enum rp_text_key key);

struct rp_text_arg {
    bool is_number;
    uint64_t number;
    rp_view text;
};

/* The text with each {} filled by the next argument; everything escaped for HTML. */
void rp_text_print(struct rp_buf *out, enum rp_lang lang, enum rp_text_key key,
                   const struct rp_text_arg *args, size_t count);

/* "fr" or "en" exactly. */
bool rp_lang_parse(rp_view text, enum rp_lang *ret_lang);
/* The better of the two in an Accept-Language header; `otherwise` when it names neither. */
enum rp_lang rp_lang_accept(rp_view header, enum rp_lang otherwise);

#endif
