#include "judge/waf_page.h"

#include "base/assert.h"
#include "base/checked.h"

struct page {
    const char *code;
    const char *title[RP_LANG_COUNT], *text[RP_LANG_COUNT], *next[RP_LANG_COUNT];
};

static const struct page pages[] = {
#define RP_WAF_PAGE(REFUSAL, code, fr_title, fr_text, fr_next, en_title, en_text, en_next)         \
    [JUDGE_WAF_##REFUSAL] = {code, {fr_title, en_title}, {fr_text, en_text}, {fr_next, en_next}},
#include "judge/waf_page.def"
#undef RP_WAF_PAGE
};
_Static_assert(RP_COUNT_OF(pages) == JUDGE_WAF_REFUSAL_COUNT, "a page for each refusal");

static const char style[] =
    "body{font:17px/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1.2em;"
    "color:#1d2733;background:#fff}h1{font-size:1.5em;font-weight:600}code{font-size:1.05em;"
    "overflow-wrap:anywhere}p.s{color:#5b6775;font-size:.85em}@media(prefers-color-scheme:dark)"
    "{body{color:#e3e8ee;background:#14191f}p.s{color:#93a0ad}}";

void judge_waf_page_html(struct rp_buf *out, enum judge_waf_refusal refusal, enum rp_lang lang,
                         unsigned status, rp_view incident) {
    RP_ASSERT(refusal < JUDGE_WAF_REFUSAL_COUNT && lang < RP_LANG_COUNT);
    const struct page *page = &pages[refusal];
    rp_buf_printf(out,
                  "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                  "<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n<h1>%s</h1>\n"
                  "<p>%s</p>\n<p>%s</p>\n",
                  lang == RP_FR ? "fr" : "en", page->title[lang], style, page->title[lang],
                  page->text[lang], page->next[lang]);
    rp_buf_printf(out,
                  "<p>%s <code>%.*s</code></p>\n<p class=\"s\">%u</p>\n</main>\n</body>\n"
                  "</html>\n",
                  lang == RP_FR ? "Numéro d’incident :" : "Incident number:", RP_FMT(incident),
                  status);
}

void judge_waf_page_json(struct rp_buf *out, enum judge_waf_refusal refusal, enum rp_lang lang,
                         unsigned status, rp_view incident) {
    RP_ASSERT(refusal < JUDGE_WAF_REFUSAL_COUNT && lang < RP_LANG_COUNT);
    const struct page *page = &pages[refusal];
    rp_buf_printf(out,
                  "{\"code\":\"%s\",\"detail\":\"%s %s\",\"incident\":\"%.*s\",\"status\":%u,"
                  "\"title\":\"%s\"}\n",
                  page->code, page->text[lang], page->next[lang], RP_FMT(incident), status,
                  page->title[lang]);
}
